/**
 * The programs of the machine that keep its stores of trusted certificates: found, run in bounded time and without a
 * prompt, as root where that is possible without one.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { runCommand } from "../kit/run_command.ts";
import { shellQuote } from "../kit/shell_words.ts";

/** Folders of programs for administrators, which are not on the PATH of users. */
const ADMIN_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/** `update-ca-certificates` takes seconds, with the hook for Java more. */
const LIMIT_MS = 60_000;
const SUDO_LIMIT_MS = 5_000;
const KILL_GRACE_MS = 1_000;
const OUTPUT_LIMIT_BYTES = 256 * 1024;
/** Longest reason that is told. */
const REASON_LIMIT = 300;

const EXECUTABLE = 0o111;

/** Package managers in the order in which they are looked for, and what is typed to have a package. */
const INSTALLERS = [
  ["apt-get", "install", "-y"],
  ["dnf", "install", "-y"],
  ["pacman", "-S", "--noconfirm"],
  ["zypper", "install", "-y"],
  ["apk", "add"],
] as const;

/** The name of a package for each package manager. */
export type PackageNames = Readonly<
  Record<typeof INSTALLERS[number][0] | "brew", string>
>;

/** A command line. */
export type Argv = readonly [program: string, ...args: string[]];

/** How a program ended. */
export interface ToolRun {
  readonly ok: boolean;
  /** What it printed, both streams. */
  readonly output: string;
  /** Why it is not ok, in one line; empty if it is. */
  readonly reason: string;
}

/** What the programs are run with. */
export interface ToolboxOptions {
  /** HOME, PATH and JAVA_HOME of whoever asks. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether programs run as root anyway. */
  readonly isRoot: boolean;
  /** Whether this process may run programs at all. */
  readonly canRun: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** See the module. */
export class Toolbox {
  /** Variables of whoever asks. */
  readonly env: Readonly<Record<string, string>>;
  readonly isRoot: boolean;
  /** Whether {@linkcode run} can be called. */
  readonly canRun: boolean;
  readonly #options: ToolboxOptions;
  #sudo: Promise<boolean> | null = null;

  constructor(options: ToolboxOptions) {
    this.env = options.env;
    this.isRoot = options.isRoot;
    this.canRun = options.canRun;
    this.#options = options;
  }

  /** Absolute path of a program, also of those for administrators; null = there is none. */
  find(program: string): string | null {
    const folders = [
      ...(this.env["PATH"] ?? DEFAULT_PATH).split(":"),
      ...ADMIN_FOLDERS,
    ].filter((folder) => folder.startsWith("/"));
    return folders.map((folder) => `${folder}/${program}`)
      .find(isExecutable) ?? null;
  }

  /** Runs a program to its end, without input and without a terminal. It never throws for what the program does. */
  async run(argv: Argv, limitMs = LIMIT_MS): Promise<ToolRun> {
    const { clock, signal, env } = this.#options;
    const outcome = await runCommand({
      argv,
      cwd: "/",
      env: {
        ...env,
        PATH: [env["PATH"] ?? DEFAULT_PATH, ...ADMIN_FOLDERS].join(":"),
        LC_ALL: "C",
      },
      timeoutMs: limitMs,
      killGraceMs: KILL_GRACE_MS,
      outputLimitBytes: OUTPUT_LIMIT_BYTES,
      stderr: "merge",
      leftovers: "leave",
      clock,
      signal,
    });
    if (outcome.kind === "not_started") {
      return { ok: false, output: "", reason: outcome.reason };
    }
    const { output } = outcome;
    if (outcome.kind === "timed_out") {
      const reason = `${nameOf(argv)} was not done after ${limitMs / 1000} s`;
      return { ok: false, output, reason };
    }
    if (outcome.code === 0) return { ok: true, output, reason: "" };
    const last = output.trim().split("\n").at(-1)?.trim() ?? "";
    const what = last === "" ? `exit status ${outcome.code}` : last;
    return {
      ok: false,
      output,
      reason: `${nameOf(argv)}: ${what}`.slice(0, REASON_LIMIT),
    };
  }

  /** Whether {@linkcode asRoot} can work: this is root, or `sudo` asks for no password. */
  canBeRoot(): Promise<boolean> {
    if (this.isRoot) return Promise.resolve(true);
    this.#sudo ??= this.#trySudo();
    return this.#sudo;
  }

  /** Runs a program as root. Only where {@linkcode canBeRoot} says so. */
  async asRoot(argv: Argv): Promise<ToolRun> {
    return await this.run(
      this.isRoot ? argv : [this.find("sudo") ?? "sudo", "-n", "--", ...argv],
    );
  }

  /** A line that does the same when it is typed. */
  typed(argv: readonly string[]): string {
    return argv.map(shellQuote).join(" ");
  }

  /** A line that does the same as root when it is typed. */
  typedAsRoot(commands: readonly Argv[]): string {
    const lines = commands.map((argv) => this.typed(argv));
    if (this.isRoot) return lines.join(" && ");
    if (this.find("sudo") !== null) {
      return lines.map((line) => `sudo ${line}`).join(" && ");
    }
    return `su -c ${shellQuote(lines.join(" && "))}`;
  }

  /** A line that has the machine's package manager install something. */
  installLine(names: PackageNames): string {
    if (Deno.build.os === "darwin") return `brew install ${names.brew}`;
    const [program, ...args] =
      INSTALLERS.find(([each]) => this.find(each) !== null) ?? INSTALLERS[0];
    return this.typedAsRoot([[program, ...args, names[program]]]);
  }

  async #trySudo(): Promise<boolean> {
    const sudo = this.find("sudo");
    if (sudo === null) return false;
    return (await this.run([sudo, "-n", "true"], SUDO_LIMIT_MS)).ok;
  }
}

function nameOf([program]: Argv): string {
  return program.slice(program.lastIndexOf("/") + 1);
}

function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && ((mode ?? 0) & EXECUTABLE) !== 0;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.PermissionDenied
    ) return false;
    throw error;
  }
}
