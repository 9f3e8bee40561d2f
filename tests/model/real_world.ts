/**
 * The real thing under the model test: a home with a daemon, a keeper and one project, everything asked over one
 * connection.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { CallName, ParamsInput, Result } from "../../src/contract/mod.ts";
import { type Client, connect } from "../../src/client/client.ts";
import { logFile } from "../../src/config/paths.ts";
import { TaskmuxError } from "../../src/domain/error.ts";
import { daemonCommand } from "../support/deno_flags.ts";
import { logTexts } from "../support/keeper.ts";
import { lives, procFiles } from "../support/processes.ts";
import type { Event, Status, TestProject } from "../support/project.ts";
import { killIfThere, type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";
import { RunHistory, type ToldRun } from "./run_history.ts";
import type { Crash } from "./world_model.ts";
import { firstLine, lastLine, PROJECT } from "./task_plan.ts";

/** Far beyond what anything here takes on a busy machine. */
const PATIENCE_MS = 30_000;

const CRASH_SIGNALS = {
  "SIGKILL": "SIGKILL",
  "exit 0": "SIGUSR1",
  "exit 1": "SIGUSR2",
} as const;

/** A process of a task. */
export interface TaskProcess {
  readonly pid: number;
  readonly runId: string;
}

/** See the module. Disposal stops everything, and fails if anything is left. */
export class RealWorld implements AsyncDisposable {
  readonly project: TestProject;
  readonly history = new RunHistory();
  readonly #taskmux: Taskmux;
  #client: Client | null = null;
  #ending: ToldRun[] = [];
  #daemon: Deno.ChildProcess | null = null;

  private constructor(taskmux: Taskmux, project: TestProject) {
    this.#taskmux = taskmux;
    this.project = project;
  }

  /** A world with this file, in which nothing runs. */
  static async open(file: string): Promise<RealWorld> {
    const taskmux = await testTaskmux({ hostConfig: "api_port = 0\n" });
    const project = await taskmux.project(file);
    const world = new RealWorld(taskmux, project);
    try {
      await world.startDaemon();
      await world.call("project.register", world.scope);
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
    return world;
  }

  /** Asks the daemon. */
  async call<N extends CallName>(
    name: N,
    params: ParamsInput<N>,
  ): Promise<Result<N>> {
    if (this.#client === null) throw new Error("Cannot ask: no daemon");
    return await this.#client.call(name, params, {
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  }

  /** Whose project is meant. */
  get scope(): { readonly config: string } {
    return { config: this.project.config };
  }

  /** The project's id. */
  get session(): string {
    return PROJECT;
  }

  /** A moment in which others may get on: one look at the file system. */
  async moment(): Promise<void> {
    await Deno.lstat(this.project.folder);
  }

  /** The environment that tasks start in. */
  get env(): Record<string, string> {
    return { ...this.#taskmux.home.env };
  }

  /** Pid of the daemon. */
  get daemonPid(): number {
    assert(this.#daemon !== null);
    return this.#daemon.pid;
  }

  /** Starts the daemon, and returns when it answers. */
  async startDaemon(): Promise<void> {
    const { home } = this.#taskmux;
    const { program, args } = daemonCommand(home.paths);
    const child = new Deno.Command(program, {
      args,
      cwd: "/",
      env: this.env,
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#daemon = child;
    this.#client = await until(async () => {
      const client = await connect(home.paths.daemonSocket, {
        helloTimeoutMs: PATIENCE_MS,
      });
      if (client?.hello.pid === child.pid) return client;
      await client?.close();
      return null;
    }, { what: "the daemon answers", timeoutMs: PATIENCE_MS });
  }

  /** Ends the daemon without a warning. */
  async killDaemon(): Promise<void> {
    killIfThere(this.daemonPid);
    await this.#lostDaemon();
  }

  /** Asks the daemon to end, and waits until it has. */
  async stopDaemon(keepTasks: boolean): Promise<void> {
    await this.call("daemon.stop", { keep_tasks: keepTasks });
    await this.#lostDaemon();
  }

  /** Pid of the keeper. */
  async keeperPid(): Promise<number> {
    const { keeper } = await this.call("daemon.status", {});
    assert(keeper.pid !== null);
    return keeper.pid;
  }

  /** Ends the keeper without a warning; returns when there is another one. */
  async killKeeper(): Promise<void> {
    const before = await this.keeperPid();
    killIfThere(before);
    await until(async () => {
      const { keeper } = await this.call("daemon.status", {});
      return keeper.pid !== null && keeper.pid !== before;
    }, { what: "there is another keeper", timeoutMs: PATIENCE_MS });
  }

  /** What the daemon tells of the project; null while it cannot. */
  async status(): Promise<Status | null> {
    try {
      return await this.call("task.status", { scope: this.scope });
    } catch (error) {
      if (error instanceof TaskmuxError && error.code === "E101") return null;
      throw error;
    }
  }

  /** Reads the events since the last time. */
  async readEvents(): Promise<void> {
    const { events } = await this.call("event.list", {
      limit: 0,
      cursor: String(this.history.lastSeq),
    });
    for (const event of events as Event[]) this.history.take(event);
  }

  /** Makes the present run of a task end, once it can do so. The events were read before. */
  async crash(task: string, crash: Crash): Promise<void> {
    const run = this.history.current(task);
    assert(run !== null, `${task} runs`);
    await until(() => this.log(task).includes(firstLine(run.runId)), {
      what: `${task} has said that it lives`,
      timeoutMs: PATIENCE_MS,
    });
    this.#ending.push(run);
    sendIfThere(run.pid, CRASH_SIGNALS[crash]);
  }

  /** What run was told to end and has not yet, as far as the events tell; null if there is none. */
  unended(): string | null {
    this.#ending = this.#ending.filter(({ exit }) => exit === null);
    const [run] = this.#ending;
    return run === undefined ? null : `run ${run.runId} of ${run.task} goes on`;
  }

  /** Lines of the log of a task. */
  log(task: string): string[] {
    return logTexts(logFile(this.#taskmux.home.paths, PROJECT, task));
  }

  /** Every process of any task of this home that lives. */
  processes(): TaskProcess[] {
    const files = procFiles();
    const home = `TASKMUX_HOME=${this.#taskmux.home.home}`;
    return files.numbers("/proc").flatMap((pid) => {
      const text = files.text(`/proc/${pid}/environ`);
      if (text === null || !text.includes(home)) return [];
      const variables = text.split("\0");
      const id = variables.find((each) => each.startsWith("TASKMUX_RUN_ID="));
      if (id === undefined || !variables.includes(home) || !lives(pid)) {
        return [];
      }
      return [{ pid, runId: id.slice("TASKMUX_RUN_ID=".length) }];
    });
  }

  /** Holds the logs against the runs: what each said is there once, in order. */
  checkLogs(): void {
    for (const task of new Set(this.history.runs.map((run) => run.task))) {
      const log = this.log(task);
      let at = 0;
      for (const run of this.history.runs.filter((it) => it.task === task)) {
        at = checkLog(log, run, at);
      }
      assert.equal(at, log.length, `${task} has lines of nobody:\n${log}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#client !== null) await this.stopDaemon(false);
    } finally {
      await this.#taskmux[Symbol.asyncDispose]();
    }
  }

  async #lostDaemon(): Promise<void> {
    await this.#client?.close();
    this.#client = null;
    await this.#daemon?.status;
    this.#daemon = null;
  }
}

function sendIfThere(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** @returns The place after the lines of this run. */
function checkLog(
  log: readonly string[],
  { task, runId, exit }: {
    readonly task: string;
    readonly runId: string;
    readonly exit: number | null;
  },
  at: number,
): number {
  let next = at;
  if (log[next] === firstLine(runId)) next++;
  if (log[next] === lastLine(runId)) next++;
  // A run that ended with a status has said both; one that was killed may have got no further than its birth.
  const isComplete = exit === null || exit < 0 || next - at === 2;
  assert(
    isComplete,
    `run ${runId} of ${task} ended with ${exit}, and its log is not complete:\n${
      log.join("\n")
    }`,
  );
  return next;
}
