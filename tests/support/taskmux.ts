/**
 * The whole product for one test: a home of its own in which CLI, daemon and keeper run as they do in earnest. What a
 * test left running fails that test, and is ended all the same.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { CallName, ParamsInput, Result } from "../../src/contract/mod.ts";
import { connect } from "../../src/client/client.ts";
import { ERROR_CODES, type ErrorCode } from "../../src/domain/error_codes.ts";
import { type CliOptions, type CliRun, runCli, spawnCli } from "./cli.ts";
import { undocumentedIn } from "./documented_events.ts";
import { TestProject } from "./project.ts";
import { type TempHome, tempHome } from "./temp_home.ts";
import { until } from "./until.ts";

/** Longest time in which everything must be gone after `daemon stop`. */
const GONE_TIMEOUT_MS = 10_000;

/** A daemon that listens on no port that anybody else may want. */
export const TEST_CONFIG = "api_port = 0\nproxy_enabled = false\n";

/** The same with the proxy, on any free port. */
export const PROXY_CONFIG =
  'api_port = 0\nproxy_https_port = 0\nproxy_http_redirect_port = 0\nhost_resolver = "noop"\n';

/** Any JSON object that the CLI printed. */
export type Json = Record<string, unknown>;

/** An error as the CLI prints it with `--json`. */
export interface ErrorAnswer extends Json {
  readonly error_code: ErrorCode;
  readonly error: string;
  readonly hint?: string;
  readonly details?: Json;
}

/** How to make a {@linkcode Taskmux}. */
export interface TaskmuxOptions {
  /** More variables of the shell that calls the CLI. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text of `config.toml`; by default {@linkcode TEST_CONFIG}, so that nothing collides. Null = no file, a cold machine. */
  readonly hostConfig?: string | null;
  /** Errors that the daemon may write into its own log; any other one fails the test. */
  readonly expectedErrors?: RegExp;
  /** Name of the state folder, see {@linkcode tempHome}. */
  readonly folder?: string;
  /** Words before each command line of the CLI, such as a program that changes the user. */
  readonly launcher?: readonly string[];
}

/** One state folder, and the commands in it. Made by {@linkcode testTaskmux}. */
export class Taskmux implements AsyncDisposable {
  readonly home: TempHome;
  readonly #expectedErrors: RegExp | null;

  constructor(home: TempHome, expectedErrors: RegExp | null) {
    this.home = home;
    this.#expectedErrors = expectedErrors;
  }

  /** A folder under `work` with this `taskmux.toml`. */
  async project(toml: string, folder = "project"): Promise<TestProject> {
    const project = new TestProject(this, `${this.home.work}/${folder}`);
    await Deno.mkdir(project.folder, { recursive: true });
    await project.write(toml);
    return project;
  }

  /** Runs a command line to its end, whatever comes of it. */
  run(args: readonly string[], options?: CliOptions): Promise<CliRun> {
    return runCli(this.home, args, options);
  }

  /** Starts a command line that the test ends itself. */
  spawn(args: readonly string[], options?: CliOptions): Deno.ChildProcess {
    return spawnCli(this.home, args, options);
  }

  /** Runs a command line with `--json`, which must succeed. */
  async ok<T extends object = Json>(
    args: readonly string[],
    options?: CliOptions,
  ): Promise<T> {
    const run = await this.run(["--json", ...args], options);
    const answer = run.json();
    assert.equal(
      run.code,
      0,
      `exit status of ${args.join(" ")}: ${run.stdout}`,
    );
    assert.equal(answer["ok"], true, `ok of ${args.join(" ")}: ${run.stdout}`);
    return answer as T;
  }

  /** Runs a command line with `--json`, which must fail with this code, the exit status of that, and the one shape. */
  async fails<T extends object = Json>(
    code: ErrorCode,
    args: readonly string[],
    options?: CliOptions,
  ): Promise<T & ErrorAnswer> {
    const run = await this.run(["--json", ...args], options);
    const answer = run.json() as T & ErrorAnswer;
    assert.equal(answer["ok"], false, `ok of ${args.join(" ")}: ${run.stdout}`);
    assert.equal(answer.error_code, code, run.stdout);
    assert.equal(run.code, ERROR_CODES[code].exit, `exit status of ${code}`);
    assert.equal(typeof answer.error, "string");
    assert.notEqual(answer.error, "");
    return answer;
  }

  /** Asks the daemon that runs over its socket; for what a test asks many times. */
  async call<N extends CallName>(
    name: N,
    params: ParamsInput<N>,
  ): Promise<Result<N>> {
    await using client = await connect(this.home.paths.daemonSocket);
    if (client === null) throw new Error("Cannot ask: no daemon listens");
    return await client.call(name, params);
  }

  /** Pid of the daemon that listens; null if none does. */
  async daemonPid(): Promise<number | null> {
    await using client = await connect(this.home.paths.daemonSocket);
    return client?.hello.pid ?? null;
  }

  /** Every process of this home that does anything: daemon, keeper, tasks, hooks, probes. */
  async processes(): Promise<HomeProcess[]> {
    return await processesOf(this.home.home);
  }

  /**
   * Stops the daemon, and sees to it that nothing is left.
   *
   * @throws If something was, if the daemon did not end, if it logged an error that was not expected, or told an event
   * otherwise than documented.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const problems: string[] = [];
    try {
      const stopped = await this.run(["daemon", "stop", "--json"]);
      if (stopped.code !== 0 && stopped.json()["error_code"] !== "E600") {
        problems.push(`daemon stop: ${stopped.stdout}`);
      }
      problems.push(...await endLeftovers(this.home));
      problems.push(...await loggedErrors(this.home, this.#expectedErrors));
      const mirror = await readIfThere(this.home.paths.eventsMirror);
      problems.push(...undocumentedIn(mirror).slice(0, 5));
    } finally {
      await this.home[Symbol.asyncDispose]();
    }
    // Printed as well: where the test has failed before, only the place of that is reported.
    for (const problem of problems) console.error(problem);
    assert.deepEqual(problems, []);
  }
}

/** Makes a home in which nothing runs yet. */
export async function testTaskmux(
  options: TaskmuxOptions = {},
): Promise<Taskmux> {
  const { hostConfig = TEST_CONFIG } = options;
  const made = await tempHome(options.env, options.folder);
  const { launcher = [] } = options;
  const home = { ...made, launcher };
  if (hostConfig !== null) {
    await Deno.mkdir(home.home, { mode: 0o700 });
    await Deno.writeTextFile(home.paths.hostConfig, hostConfig);
  }
  return new Taskmux(home, options.expectedErrors ?? null);
}

/** A process and what it runs. */
export interface HomeProcess {
  readonly pid: number;
  /** With its environment at the end. */
  readonly command: string;
}

/** Every child of ours has its home in the environment, and hands it down. */
async function processesOf(home: string): Promise<HomeProcess[]> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["axeww", "-o", "pid=,stat=,command="],
    stderr: "null",
  }).output();
  const mark = `TASKMUX_HOME=${home}`;
  return new TextDecoder().decode(stdout).split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    if (match === null || !`${line} `.includes(`${mark} `)) return [];
    const [, pid, stat, command] = match;
    if (stat!.startsWith("Z")) return [];
    return [{ pid: Number(pid), command: command! }];
  });
}

async function endLeftovers(home: TempHome): Promise<string[]> {
  try {
    await until(async () => (await processesOf(home.home)).length === 0, {
      timeoutMs: GONE_TIMEOUT_MS,
    });
    return [];
  } catch {
    const left = await processesOf(home.home);
    for (const { pid } of left) killIfThere(pid);
    return left.map(({ pid, command }) =>
      `left running: ${pid} ${command.slice(0, 120)}`
    );
  }
}

/** Ends a process at once; one that is gone already is fine. */
export function killIfThere(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function loggedErrors(
  { paths }: TempHome,
  expected: RegExp | null,
): Promise<string[]> {
  const text = await readIfThere(paths.daemonLog);
  return text.split(/\n(?=\d{4}-)/).filter((entry) =>
    entry.includes("[ERR]") && expected?.test(entry) !== true
  );
}

/** The text of a file; empty if there is none. A pipe, which a test may put in its place, would never end. */
export async function readIfThere(path: string): Promise<string> {
  try {
    if (!(await Deno.stat(path)).isFile) return "";
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "";
  }
}
