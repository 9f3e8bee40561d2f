/**
 * A folder, an environment, and all processes that come of it: whatever was started in a sandbox ends with it.
 *
 * Processes are recognised by a mark in their environment and by descent, never by name, so nobody else's are touched.
 *
 * @module
 */

import { testDenoDirectory } from "../../tests/support/deno_flags.ts";
import { until } from "../../tests/support/until.ts";
import {
  pidsWithEnvironment,
  type ProcessRow,
  processTable,
  withDescendants,
} from "./process_facts.ts";

/** A command line and where it runs. */
export interface Program {
  readonly program: string;
  readonly args: readonly string[];
  /** The sandbox's folder if absent. */
  readonly cwd?: string;
  /** Added to the sandbox's. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A command that has ended. */
export interface Finished {
  /** From the call to the exit, in milliseconds. */
  readonly ms: number;
  readonly code: number;
  /** What it printed. */
  readonly text: string;
}

/** The variable that marks what a sandbox started. */
const MARK = "BENCH_SANDBOX";

/** The variable that names another folder for sandboxes than `/tmp`; a short one, as sockets lie below it. */
export const SANDBOX_FOLDER = "BENCH_FOLDER";

/** How long processes may take to end when asked. */
const END_MS = 10_000;

/** Variables that would lead out of the sandbox. */
const FOREIGN = /^(?:TASKMUX_|PM2_|PC_|PITCHFORK_|XDG_|DENO_)/;

/** See the module. */
export class Sandbox implements AsyncDisposable {
  /** Absolute path of the folder; short, as sockets lie below it. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #mark: string;
  readonly #signal: AbortSignal;

  private constructor(root: string, signal: AbortSignal) {
    this.root = root;
    this.#signal = signal;
    this.#mark = crypto.randomUUID();
    this.env = {
      ...Object.fromEntries(
        Object.entries(Deno.env.toObject())
          .filter(([name]) => !FOREIGN.test(name)),
      ),
      HOME: root,
      DENO_DIR: testDenoDirectory(),
      NO_COLOR: "1",
      [MARK]: this.#mark,
    };
  }

  /** Makes one. Aborting the signal ends what is being run and waited for. */
  static async create(signal: AbortSignal): Promise<Sandbox> {
    const dir = Deno.env.get(SANDBOX_FOLDER) ?? "/tmp";
    const root = await Deno.makeTempDir({ dir, prefix: "tmxb-" });
    return new Sandbox(root, signal);
  }

  /** Writes a file below the folder and returns its absolute path. */
  async write(name: string, text: string): Promise<string> {
    const path = `${this.root}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
    return path;
  }

  /** Runs a command that prints to a pipe. For questions: a process left behind would hold the pipe open. */
  async ask(program: Program): Promise<Finished> {
    const startedAt = performance.now();
    const { code, stdout } = await this.command(program, {
      stdout: "piped",
      stderr: "null",
    }).output();
    const ms = performance.now() - startedAt;
    return { ms, code, text: new TextDecoder().decode(stdout) };
  }

  /**
   * Runs a command that prints to a file. For actions, which may leave processes behind.
   *
   * @throws {Error} If it fails, with what it printed.
   */
  async act(program: Program): Promise<Finished> {
    const log = await Deno.makeTempFile({ dir: this.root });
    const startedAt = performance.now();
    const { code } = await this.command({
      ...program,
      program: "/bin/sh",
      args: [
        "-c",
        'log=$1; shift; exec "$@" >"$log" 2>&1',
        "sh",
        log,
        program.program,
        ...program.args,
      ],
    }, { stdout: "null", stderr: "null" }).output();
    const ms = performance.now() - startedAt;
    const text = await Deno.readTextFile(log);
    if (code === 0) return { ms, code, text };
    const words = [program.program, ...program.args.slice(0, 4)].join(" ");
    throw new Error(`"${words}" exits with ${code}: ${text.slice(-4_000)}`);
  }

  /** The command in this sandbox, ready to be spawned. */
  command(program: Program, options: Deno.CommandOptions): Deno.Command {
    return new Deno.Command(program.program, {
      args: [...program.args],
      cwd: program.cwd ?? this.root,
      env: { ...this.env, ...program.env },
      clearEnv: true,
      stdin: "null",
      signal: this.#signal,
      ...options,
    });
  }

  /** What lives of all that was started here. */
  async processes(): Promise<ProcessRow[]> {
    const roots = await pidsWithEnvironment(`${MARK}=${this.#mark}`);
    return withDescendants(await processTable(), roots);
  }

  /** Ends what still lives, and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (await this.#end(signal)) break;
    }
    await Deno.remove(this.root, { recursive: true });
  }

  /** Whether nothing is left. */
  async #end(signal: Deno.Signal): Promise<boolean> {
    const ended = new Set<number>();
    const deadline = performance.now() + END_MS;
    try {
      await until(async () => {
        const left = await this.processes();
        for (const { pid } of left) {
          if (!ended.has(pid)) endProcess(pid, signal);
          ended.add(pid);
        }
        return left.length === 0;
      }, { what: "sandbox is empty", timeoutMs: END_MS });
      return true;
    } catch (error) {
      if (performance.now() < deadline) throw error;
      return false;
    }
  }
}

function endProcess(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
