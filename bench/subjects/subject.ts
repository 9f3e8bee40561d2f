/**
 * What can be measured: a task manager that takes a list of tasks, starts them, and tells their state.
 *
 * @module
 */

import type { Finished, Program, Sandbox } from "../harness/sandbox.ts";

/** A task in terms that every manager has. */
export interface BenchTask {
  readonly name: string;
  /** Shell text. */
  readonly command: string;
  /** It is not to be started again when it ends. */
  readonly isOnce?: boolean;
  /** The port it listens on, told to managers that want to know. `$PORT` counts for more where it is set. */
  readonly port?: number;
}

/** A manager with its tasks, in a sandbox of its own. */
export interface Session extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** The command that tells the state of all tasks, for programs where there is such a form. */
  readonly status: Program;
  /** The command that prints the output of a task as the manager does unless told otherwise. */
  logs(task: string): Program;
  /** Runs the manager's own start command for all tasks; cold, so the manager comes up as well. */
  start(): Promise<Finished>;
  /** Where the output of a task goes; null if it is no plain file. */
  logFile(task: string): string | null;
}

/** A manager. */
export interface Subject {
  readonly name: string;
  readonly version: string;
  /** In which way its settings differ from its defaults; for the report. */
  readonly settings: string;
  /** Prepares a project. Starts nothing. Disposal stops the manager and whatever it left, and removes the files. */
  open(
    tasks: readonly BenchTask[],
    options: OpenOptions,
  ): Promise<Session>;
}

/** How a session is opened. */
export interface OpenOptions {
  readonly signal: AbortSignal;
  /** Tunes everything that the manager lets one tune for quick restarts, whatever that costs while idle. */
  readonly isEager?: boolean;
}

/** A task that does nothing; recognised by {@linkcode isIdleTask}. */
export const IDLE_COMMAND = "exec sleep 86399";

/** N tasks that do nothing. */
export function idleTasks(count: number): BenchTask[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `t${String(index).padStart(3, "0")}`,
    command: IDLE_COMMAND,
  }));
}

/** Whether a command line is that of an idle task itself, not of a shell around it. */
export function isIdleTask(args: string): boolean {
  return args === "sleep 86399";
}

/** The processes of a session that are not the idle tasks themselves: the manager, and what it needs for each task. */
export async function managerPids(session: Session): Promise<number[]> {
  const processes = await session.sandbox.processes();
  return processes.filter(({ args }) => !isIdleTask(args))
    .map(({ pid }) => pid);
}

/** How many idle tasks of a session run. */
export async function countIdleTasks(session: Session): Promise<number> {
  const processes = await session.sandbox.processes();
  return processes.filter(({ args }) => isIdleTask(args)).length;
}

/** What a session is made of. */
export interface SessionParts {
  readonly sandbox: Sandbox;
  readonly start: Program;
  readonly status: Program;
  readonly stop: Program;
  logs(task: string): Program;
  logFile(task: string): string | null;
}

/** A session of programs. */
export function session(parts: SessionParts): Session {
  const { sandbox, start, status, stop } = parts;
  let isStarted = false;
  return {
    sandbox,
    status,
    logs: parts.logs,
    logFile: parts.logFile,
    start: () => {
      isStarted = true;
      return sandbox.act(start);
    },
    [Symbol.asyncDispose]: async () => {
      await using _sandbox = sandbox;
      // What refuses to stop is ended by the sandbox.
      if (isStarted) await sandbox.ask(stop);
    },
  };
}
