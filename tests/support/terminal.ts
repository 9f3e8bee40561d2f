/**
 * A command line of the CLI in a terminal, as a person has one. The terminal is made by `script` of util-linux.
 *
 * @module
 */

import { cliCommand } from "./deno_flags.ts";
import type { TempHome } from "./temp_home.ts";
import { until } from "./until.ts";

/** What a person sees and types. Disposal hangs up. */
export class Terminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #text = "";

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#keys = child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** All that was shown. */
  get text(): string {
    return this.#text;
  }

  /** Waits until something is shown after what was shown before this call to {@linkcode mark}. */
  async shows(text: string | RegExp, after = 0): Promise<void> {
    await until(() => {
      const shown = this.#text.slice(after);
      return typeof text === "string" ? shown.includes(text) : text.test(shown);
    }, { what: `${text} in ${JSON.stringify(this.#text.slice(-500))}` });
  }

  /** Length of what was shown, for {@linkcode shows}. */
  mark(): number {
    return this.#text.length;
  }

  /** Types. */
  async type(keys: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(keys));
  }

  /** Waits for the end of the command line and tells its exit status. */
  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#keys.abort();
    try {
      this.#child.kill("SIGHUP");
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.ended();
  }

  async #read(): Promise<void> {
    const shown = this.#child.stdout.pipeThrough(new TextDecoderStream());
    for await (const text of shown) this.#text += text;
  }
}

/**
 * Runs a command line in a terminal of 33 lines and 111 columns.
 *
 * @param env More variables of the environment.
 */
export function openTerminal(
  home: TempHome,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Terminal {
  const command = cliCommand(home.paths, args);
  const words = [command.program, ...command.args].map((word) =>
    `'${word.replaceAll("'", `'\\''`)}'`
  );
  const line = `stty rows 33 cols 111; exec ${words.join(" ")}`;
  return new Terminal(
    new Deno.Command("script", {
      args: ["--quiet", "--flush", "--return", "--command", line, "/dev/null"],
      cwd,
      env: { ...home.env, SHELL: "/bin/sh", TERM: "xterm-256color", ...env },
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn(),
  );
}
