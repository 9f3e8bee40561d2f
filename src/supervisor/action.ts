/**
 * What all actions on a project share: their request, their outcome, and the hooks of the project around them.
 *
 * @module
 */

import type { Progress } from "../contract/wire.ts";
import { type ErrorShape, TaskmuxError } from "../domain/error.ts";
import type { HookName } from "../domain/task_spec.ts";
import type { DisplayState } from "../domain/task_state.ts";
import type { TaskEvent } from "../domain/event.ts";
import { runHook } from "./hooks.ts";
import type { PortObstacle } from "./port_assigner.ts";
import { lastEnvironment } from "./last_environment.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";
import type { TaskRunner } from "./task_runner.ts";

/** Most of a hook's output that its event keeps, in UTF-16 units. */
const HOOK_OUTPUT_MAX = 500;

/** Most of a command line that a warning quotes. */
const COMMAND_LENGTH_MAX = 80;

/** What was done to a task. */
export type ActionWord =
  | "started"
  | "noop"
  | "stopped"
  | "restarted"
  | "killed";

/** What came of an action for one task. */
export interface TaskOutcome {
  readonly task: string;
  readonly action: ActionWord;
  readonly state: DisplayState;
  /** Null = it worked. */
  readonly error: ErrorShape | null;
}

/** What came of an action. */
export interface ActionOutcome {
  /** In the order in which it was done. */
  readonly outcomes: readonly TaskOutcome[];
  readonly warnings: readonly string[];
}

/** Who asked, for as long as they wait. */
export interface Asker {
  /** Aborts when nobody waits any more. What was begun goes on. */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** The outcome of a task as it stands. */
export function outcomeOf(
  runner: TaskRunner,
  action: ActionWord,
  error: ErrorShape | null = null,
): TaskOutcome {
  return { task: runner.name, action, state: runner.snapshot().state, error };
}

/**
 * Runs a hook of the project.
 *
 * @throws {TaskmuxError} E400 or E401 if it fails and is a `before_` hook.
 * @returns Warnings: why an `after_` hook failed.
 */
export async function runProjectHook(
  project: ProjectSupervisor,
  hook: HookName,
  options: {
    readonly environment: string | null;
    readonly signal: AbortSignal;
  },
): Promise<string[]> {
  const { spec, host, projectId } = project;
  const command = spec.hooks[hook];
  if (command === undefined) return [];
  const result = await runHook({
    hook,
    task: null,
    command,
    cwd: spec.root,
    env: await project.hookEnvironment(
      options.environment ?? lastEnvironment(project),
    ),
    shell: null,
    signal: options.signal,
  });
  if (result.ok) return [];
  host.emit({
    event: "hook_failed",
    session: projectId,
    at: host.clock.now(),
    data: {
      hook,
      reason: result.error.message,
      ...outputOf(result.error),
    },
  });
  if (hook.startsWith("before_")) throw result.error;
  return [result.error.message];
}

/**
 * Performs an action, and adds to its warnings what happened to its tasks meanwhile: `after_` hooks that failed, ports
 * that had to move.
 */
export async function withActionWarnings(
  project: ProjectSupervisor,
  perform: () => Promise<ActionOutcome>,
): Promise<ActionOutcome> {
  const { events } = project.host.store;
  const before = events.lastSeq;
  const { outcomes, warnings } = await perform();
  const tasks = new Set(outcomes.map((outcome) => outcome.task));
  const sessions = new Set([project.projectId]);
  for (const task of tasks) sessions.add(project.homeOf(task).projectId);
  const failures = [...sessions].flatMap((session) =>
    events.list({
      session,
      types: ["hook_failed", "port_changed"],
      afterSeq: before,
      limit: 0,
    }).events
  ).filter(({ session, task }) =>
    task !== undefined && tasks.has(task) &&
    project.homeOf(task).projectId === session
  );
  return {
    outcomes,
    warnings: [...warnings, ...failures.flatMap(eventWarning)],
  };
}

function eventWarning(event: TaskEvent): string[] {
  if (event.event === "port_changed") {
    const { from, to, holder } = event as TaskEvent & PortChange;
    const by = holder === null
      ? "another program"
      : `"${holder.command.slice(0, COMMAND_LENGTH_MAX)}" (pid ${holder.pid})`;
    return [
      `Port ${from} of task "${event.task}" is taken by ${by}; it uses ${to}`,
    ];
  }
  // What a `before_` hook did wrong is the error of the action.
  return String(event["hook"]).startsWith("after_")
    ? [String(event["reason"])]
    : [];
}

/** The facts of a `port_changed`. */
interface PortChange {
  readonly from: number;
  readonly to: number;
  readonly holder: PortObstacle | null;
}

/** What a hook that failed printed last. */
function outputOf(error: TaskmuxError): { readonly output_tail?: string } {
  const tail = error.details?.["output_tail"];
  return typeof tail === "string" && tail !== ""
    ? { output_tail: tail.slice(-HOOK_OUTPUT_MAX) }
    : {};
}

/** A signal that aborts after `timeoutMs` or with `signal`; 0 = no timeout. */
export function withTimeout(
  signal: AbortSignal,
  timeoutMs: number,
): AbortSignal {
  return timeoutMs === 0
    ? signal
    : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
}

/** Whether an abort was the timeout's. */
export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

/**
 * The names as runners.
 *
 * @throws {TaskmuxError} E200 for the first unknown one.
 */
export function runnersOf(
  project: ProjectSupervisor,
  names: readonly string[],
): TaskRunner[] {
  return [...new Set(names)].map((name) => project.runner(name));
}

/** An error as an outcome carries it; anything unexpected is E900. */
export function shapeOf(error: unknown, what: string): ErrorShape {
  if (error instanceof TaskmuxError) return error.toShape();
  return new TaskmuxError("E900", `Cannot ${what}: internal error`, {
    cause: error,
    hint: "taskmux daemon status",
  }).toShape();
}
