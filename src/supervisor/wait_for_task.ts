/**
 * One task and one condition: met, impossible, or neither yet.
 *
 * @module
 */

import type { ErrorShape } from "../domain/error.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { TaskEvent } from "../domain/event.ts";
import { judgeDependency } from "../domain/readiness.ts";
import { isAtRest, runOf } from "../domain/task_machine.ts";
import { probe } from "../health/mod.ts";
import { lineOfRun, printedLine, type WantedLine } from "./printed_line.ts";
import {
  isUnhealthyFinal,
  type ProjectSupervisor,
} from "./project_supervisor.ts";
import type { TaskRunner } from "./task_runner.ts";
import type { StateCondition, WaitCondition } from "./wait_condition.ts";
import { impossible, removedError } from "./wait_errors.ts";

/** Pause between two looks at a port. */
const PORT_POLL_MS = 50;

/** How a wait ended, if it did not run out of time. */
export type Finding =
  | {
    readonly isMet: true;
    /** The line that matched. */
    readonly line?: string;
    readonly event?: TaskEvent;
  }
  | { readonly isMet: false; readonly error: ErrorShape };

const MET: Finding = { isMet: true };

/** What one wait is about. */
export interface OneWait {
  readonly condition: WaitCondition;
  readonly signal: AbortSignal;
  /** Waits for the event of an `event` condition. */
  event?(signal: AbortSignal): Promise<Finding>;
}

/**
 * Waits for a task. That its entry is removed from the file makes every condition but `stopped` impossible.
 *
 * @param runner Null = the project itself, for an event.
 * @throws The signal's reason.
 */
export async function waitForTask(
  project: ProjectSupervisor,
  runner: TaskRunner | null,
  wait: OneWait,
): Promise<Finding> {
  const { condition: { kind } } = wait;
  if (runner === null) return await waitFor(project, runner, wait);
  const over = new AbortController();
  const signal = AbortSignal.any([wait.signal, over.signal]);
  const found = waitFor(project, runner, { ...wait, signal });
  if (kind === "stopped") return await found;
  const removed = project.until(
    () => isRemoved(project, runner) ? true : undefined,
    signal,
  ).then((): Finding => ({ isMet: false, error: removedError(runner) }));
  try {
    return await Promise.race([found, removed]);
  } finally {
    over.abort(new DOMException("Wait is over", "AbortError"));
    await Promise.allSettled([found, removed]);
  }
}

/** Waits for the first of some events. */
export async function waitForEvent(
  events: AsyncIterable<TaskEvent>,
  signal: AbortSignal,
): Promise<Finding> {
  for await (const event of events) return { isMet: true, event };
  throw signal.reason;
}

function isRemoved(project: ProjectSupervisor, runner: TaskRunner): boolean {
  const { name, isAdHoc } = runner;
  return project.find(name) !== runner ||
    !(isAdHoc || project.spec.tasks.has(name));
}

async function waitFor(
  project: ProjectSupervisor,
  runner: TaskRunner | null,
  wait: OneWait,
): Promise<Finding> {
  const { condition, signal, event } = wait;
  if (condition.kind === "event" || runner === null) {
    if (event !== undefined) return await event(signal);
    throw new TypeError("Cannot wait: nobody listens to events");
  }
  if (condition.kind === "log") return await waitForLog(project, runner, wait);
  const { kind } = condition;
  if (kind === "port") return await waitForPort(project, runner, signal);
  return await project.until(() => judge(runner, kind), signal);
}

/** What is known of a condition on the state; undefined while it may still become true. */
function judge(runner: TaskRunner, kind: StateCondition): Finding | undefined {
  const { status } = runner.machine.phase;
  const hasEnded = status === "failed" || status === "completed" ||
    status === "stopped";
  const isMet = isState(runner, kind);
  if (isMet === true) return MET;
  const isOver = isMet === "never" || (hasEnded && kind !== "stopped");
  return isOver
    ? { isMet: false, error: impossible(runner, { kind }) }
    : undefined;
}

function isState(
  runner: TaskRunner,
  kind: StateCondition,
): boolean | "never" {
  const { status } = runner.machine.phase;
  switch (kind) {
    case "stopped":
      return isAtRest(runner.machine);
    case "completed":
    case "running":
      return status === kind;
    case "started": {
      // What depends_on means by it.
      const view = { snapshot: runner.snapshot(), isUnhealthyFinal: false };
      const wanted = { task: runner.name, condition: kind } as const;
      return judgeDependency(wanted, view) === "satisfied";
    }
    case "healthy": {
      const snapshot = runner.snapshot();
      if (snapshot.healthy) return true;
      const isFinal = snapshot.state === "unhealthy" &&
        isUnhealthyFinal(runner);
      return isFinal ? "never" : false;
    }
  }
}

async function waitForLog(
  project: ProjectSupervisor,
  runner: TaskRunner,
  wait: OneWait,
): Promise<Finding> {
  const { signal, condition } = wait;
  if (condition.kind !== "log") throw new TypeError("Cannot wait for a line");
  const { host, projectId } = project.homeOf(runner.name);
  const { pattern, flags } = condition;
  const lineOf = (run: WantedLine["run"]): WantedLine => ({
    projectId,
    spec: runner.spec,
    run,
    pattern,
    flags,
  });
  for (;;) {
    const run = await project.until(() => {
      const present = runOf(runner.machine);
      if (present !== null) return present;
      return isAtRest(runner.machine) ? "none" : undefined;
    }, signal);
    if (run === "none") {
      const [last] = host.store.runs.history(projectId, runner.name, 1);
      const line = last === undefined
        ? null
        : await printedLine(host, lineOf(last), signal);
      if (line !== null) return { isMet: true, line };
      const error = impossible(runner, condition);
      return { isMet: false, error };
    }
    const line = await lineOfRun(host, lineOf(run), signal);
    if (line !== null) return { isMet: true, line };
    // That run is over; the next one, if policy starts one, gets its own chance.
    await project.until(
      () => runOf(runner.machine)?.runId === run.runId ? undefined : true,
      signal,
    );
  }
}

async function isOpen(
  project: ProjectSupervisor,
  runner: TaskRunner,
  signal: AbortSignal,
): Promise<boolean> {
  const { spec } = runner;
  const { ok } = await probe({
    health: { ...spec.health, url: null, check: null },
    port: runOf(runner.machine)?.port ?? null,
    alive: true,
    env: {},
    cwd: spec.cwd,
    shell: spec.shell,
    redactor: project.host.secrets.redactorOf(
      project.homeOf(runner.name).projectId,
    ),
  }, { clock: project.host.clock, signal });
  return ok;
}

async function waitForPort(
  project: ProjectSupervisor,
  runner: TaskRunner,
  signal: AbortSignal,
): Promise<Finding> {
  if (!runner.spec.wantsPort) {
    throw new TaskmuxError(
      "E500",
      `Cannot wait for the port of task '${runner.name}': it has none`,
      { hint: "set host or port, or use $PORT in its command" },
    );
  }
  for (;;) {
    const port = await project.until(() => {
      const run = runOf(runner.machine);
      if (run !== null) return { port: run.port };
      return isAtRest(runner.machine)
        ? { error: impossible(runner, { kind: "port" }) }
        : undefined;
    }, signal);
    if ("error" in port) return { isMet: false, error: port.error };
    if (port.port !== null && await isOpen(project, runner, signal)) return MET;
    await project.host.clock.sleep(PORT_POLL_MS, signal);
  }
}
