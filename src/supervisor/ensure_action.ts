/**
 * Ensuring that tasks are there: starts what is not, waits for all, says what was found.
 *
 * @module
 */

import { type ErrorShape, TaskmuxError } from "../domain/error.ts";
import {
  type ActionOutcome,
  type Asker,
  isTimeout,
  runnersOf,
  withActionWarnings,
  withTimeout,
} from "./action.ts";
import { withOutputTail } from "./output_tail.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";
import { runWarnings } from "./run_warnings.ts";
import { startTasks } from "./start_action.ts";
import type { TaskRunner } from "./task_runner.ts";
import { type Finding, waitForTask } from "./wait_for_task.ts";
import { conditionText, type WaitCondition } from "./wait_condition.ts";
import { lateError } from "./wait_errors.ts";

/** For what is well although something else was waited for until the time was over. */
const LAST_LOOK_MS = 100;

/** What is to be there, and how. */
export interface EnsureRequest {
  readonly names: readonly string[];
  readonly condition: WaitCondition;
  /** In all. */
  readonly timeoutMs: number;
  /** Of these, what went by before this daemon was asked. */
  readonly waitedMs: number;
  /** The environment of the shell that asks; null = none. */
  readonly environment: {
    readonly name: string;
    readonly env: Readonly<Record<string, string>>;
  } | null;
}

/** What was found, or done, for one task. */
export interface EnsureOutcome {
  readonly runner: TaskRunner;
  /** `noop`: it ran, was on its way or had done its work. */
  readonly action: "started" | "noop";
  /** Null = it is as it should be. */
  readonly error: ErrorShape | null;
  /** The line that was waited for. */
  readonly line?: string;
}

/** The outcomes in the order of the names. */
export interface Ensured {
  readonly outcomes: readonly EnsureOutcome[];
  readonly warnings: readonly string[];
}

/**
 * Starts the tasks that are not running, with what they depend on, and waits for each until it meets the condition,
 * cannot meet it any more, or time is over. However many ask at a time, each task gets one process.
 *
 * A task that has run to its end counts as healthy: it has done its work. A task between two restarts is started at once.
 *
 * @throws {TaskmuxError} E200 unknown task, E500 a condition that no start brings about, E400 or E401 from the project's
 * before_start hook.
 */
export async function ensureTasks(
  project: ProjectSupervisor,
  request: EnsureRequest,
  asker: Asker,
): Promise<Ensured> {
  const { condition, timeoutMs, waitedMs, environment } = request;
  requireReachable(condition);
  const runners = runnersOf(project, request.names);
  const toStart = runners.filter((runner) => needsStart(runner, condition));
  const found = new Map(runners.map((runner) =>
    [
      runner,
      isOnItsWay(runner) || !toStart.includes(runner) ? "noop" : "started",
    ] as const
  ));
  const warnings = await runWarnings(
    runners.filter((runner) => found.get(runner) === "noop"),
    project,
    environment?.env ?? null,
  );
  const { clock } = project.host;
  const deadline = clock.monotonic() + timeoutMs - waitedMs;
  const leftMs = (): number =>
    Math.max(LAST_LOOK_MS, deadline - clock.monotonic());
  if (asker.onProgress) project.watchProgress(asker.onProgress, asker.signal);
  const starting = toStart.length === 0
    ? Promise.resolve<ActionOutcome>({ outcomes: [], warnings: [] })
    : withActionWarnings(project, () =>
      startTasks(project, {
        names: toStart.map(({ name }) => name),
        ifStopped: true,
        withDependencies: true,
        untilHealthy: condition.kind === "healthy" ||
          condition.kind === "completed",
        timeoutMs: leftMs(),
        environment: environment?.name ?? null,
      }, { signal: asker.signal }));
  const outcomes = await Promise.all(runners.map(async (runner) => {
    const action = found.get(runner) ?? "noop";
    const conclude = (): Promise<EnsureOutcome> =>
      outcomeOf(project, runner, {
        request,
        signal: withTimeout(asker.signal, leftMs()),
        action,
      });
    if (!toStart.includes(runner)) return await conclude();
    const started = (await starting).outcomes
      .find(({ task }) => task === runner.name);
    const error = started?.error ?? null;
    // How late it is, is told in the words of the wait.
    return error === null || error.error_code === "E602"
      ? await conclude()
      : { runner, action, error: withHint(error, runner) };
  }));
  return {
    outcomes,
    warnings: [
      ...warnings,
      ...(await starting).warnings,
      ...outcomes.flatMap(restartWarning),
    ],
  };
}

/** A task that ends again and again is up between two ends, which is not what was meant. */
function restartWarning({ runner, error }: EnsureOutcome): string[] {
  const { restartCount, run } = runner.snapshot();
  if (error !== null || run === null || restartCount === 0) return [];
  return [
    `Task "${runner.name}" was restarted ${restartCount} time${
      restartCount === 1 ? "" : "s"
    } lately; "taskmux why ${runner.name}" tells why`,
  ];
}

function requireReachable(condition: WaitCondition): void {
  if (condition.kind !== "stopped" && condition.kind !== "event") return;
  throw new TaskmuxError(
    "E500",
    `Cannot ensure "${conditionText(condition)}": no start brings it about`,
    { hint: "taskmux wait" },
  );
}

/** Whether a start has something to do. What has run to its end need not run again. */
function needsStart(runner: TaskRunner, { kind }: WaitCondition): boolean {
  switch (runner.machine.phase.status) {
    case "running":
    case "preparing":
    case "spawning":
      return false;
    case "completed":
      return kind !== "healthy" && kind !== "completed" && kind !== "started";
    default:
      return true;
  }
}

/** Whether somebody has started it already, and it waits for what it depends on. */
function isOnItsWay({ machine }: TaskRunner): boolean {
  return machine.phase.status === "waiting";
}

interface OutcomeWait {
  readonly request: EnsureRequest;
  readonly signal: AbortSignal;
  readonly action: EnsureOutcome["action"];
}

async function outcomeOf(
  project: ProjectSupervisor,
  runner: TaskRunner,
  { request, signal, action }: OutcomeWait,
): Promise<EnsureOutcome> {
  const finding = await findingOf(project, runner, { request, signal });
  if (finding.isMet) {
    const { line } = finding;
    return {
      runner,
      action,
      error: null,
      ...line === undefined ? {} : { line },
    };
  }
  const error = await withOutputTail(project, runner.name, finding.error);
  return { runner, action, error: withHint(error, runner) };
}

async function findingOf(
  project: ProjectSupervisor,
  runner: TaskRunner,
  { request, signal }: Pick<OutcomeWait, "request" | "signal">,
): Promise<Finding> {
  const { condition } = request;
  const isDone = (): boolean =>
    condition.kind === "healthy" &&
    runner.machine.phase.status === "completed";
  if (isDone()) return { isMet: true };
  try {
    const found = await waitForTask(project, runner, { condition, signal });
    return !found.isMet && isDone() ? { isMet: true } : found;
  } catch (error) {
    if (!isTimeout(error)) throw error;
    const late = await lateError(project, request, [runner]);
    return { isMet: false, error: late.toShape() };
  }
}

/** With the question that tells why, except where the error has a better answer. */
function withHint(error: ErrorShape, { name }: TaskRunner): ErrorShape {
  const isBare = error.hint === undefined ||
    error.hint === `taskmux logs ${name}`;
  return isBare ? { ...error, hint: `taskmux why ${name}` } : error;
}
