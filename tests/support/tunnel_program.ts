/**
 * The program of a provider, run as the daemon runs it: by the shell, with a free `$PORT`, until it is ready.
 *
 * @module
 */

import type {
  RunningTunnel,
  TunnelContext,
  TunnelProcess,
} from "../../src/tunnels/tunnel_provider.ts";
import { freePort } from "./free_port.ts";
import { until } from "./until.ts";

/** See the module. Disposal ends it as the daemon does: it gets SIGTERM, and is waited for. */
export class TunnelProgram implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly port: number;
  readonly #process: TunnelProcess;
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  #code: number | null = null;

  private constructor(
    process: TunnelProcess,
    context: TunnelContext,
    port: number,
  ) {
    this.port = port;
    this.#process = process;
    this.#child = new Deno.Command("/bin/sh", {
      args: ["-c", process.command],
      clearEnv: true,
      env: { ...context.env, ...process.env, PORT: String(port) },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#reading = Promise.all([
      this.#read(this.#child.stdout),
      this.#read(this.#child.stderr),
      this.#child.status.then(({ code }) => this.#code = code),
    ]);
  }

  /** Starts one. */
  static start(
    process: TunnelProcess,
    context: TunnelContext,
  ): TunnelProgram {
    return new TunnelProgram(process, context, freePort());
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Null while it runs. */
  get code(): number | null {
    return this.#code;
  }

  /** As its provider sees it. */
  get running(): RunningTunnel {
    return {
      port: this.port,
      findLine: (pattern) => {
        const found = this.lines.map((line) => pattern.exec(line));
        return Promise.resolve(found.find((line) => line !== null) ?? null);
      },
    };
  }

  /** Once its health, or its log, says so. @throws If it ends before. */
  async ready(): Promise<void> {
    const { healthUrl, readyLog } = this.#process;
    await until(async () => {
      if (this.#code !== null) {
        throw new Error(
          `It ended with ${this.#code}:\n${this.lines.join("\n")}`,
        );
      }
      if (healthUrl === null) {
        const pattern = new RegExp(readyLog ?? "(?!)");
        return this.lines.some((line) => pattern.test(line));
      }
      return await answers(healthUrl.replace("$PORT", String(this.port)));
    }, { what: `"${this.#process.command}" to be ready` });
  }

  /** Its exit code, once it has ended by itself. */
  async ended(): Promise<number> {
    await this.#reading;
    return this.#code ?? -1;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + part).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
    }
    if (rest !== "") this.lines.push(rest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#code === null) this.#child.kill("SIGTERM");
    await this.#reading;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url);
    await answer.body?.cancel();
    return answer.ok;
  } catch (error) {
    // Nobody listens there yet.
    if (error instanceof TypeError) return false;
    throw error;
  }
}
