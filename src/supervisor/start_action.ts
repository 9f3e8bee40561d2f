/**
 * Starting tasks: which, in what order, and when a start may be called one.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { ErrorShape } from "../domain/error.ts";
import {
  dependencyOrder,
  withDependencies,
} from "../domain/dependency_graph.ts";
import { isAtRest, runOf } from "../domain/task_machine.ts";
import {
  type ActionOutcome,
  type Asker,
  isTimeout,
  outcomeOf,
  runnersOf,
  runProjectHook,
  type TaskOutcome,
  withTimeout,
} from "./action.ts";
import { lendEnvironment } from "./last_environment.ts";
import { withOutputTail } from "./output_tail.ts";
import {
  isUnhealthyFinal,
  type ProjectSupervisor,
} from "./project_supervisor.ts";
import { stuckError } from "./stuck_start.ts";
import type { TaskRunner } from "./task_runner.ts";

/** What to start and how. */
export interface StartRequest {
  /** Empty = every auto_start task. */
  readonly names: readonly string[];
  /** A running task is no error. */
  readonly ifStopped: boolean;
  /** Start dependencies that are down, and wait for them. */
  readonly withDependencies: boolean;
  /** Return only when each task is healthy or completed. */
  readonly untilHealthy: boolean;
  /** 0 = no limit. */
  readonly timeoutMs: number;
  /** The caller's environment by name; null keeps each task's last one, and one that never had any gets the project's last. */
  readonly environment: string | null;
}

/**
 * Starts tasks. Resolves when each has been spawned and lived for a moment, has completed, or cannot be started.
 * What is already on its way is joined.
 *
 * @throws {TaskmuxError} E200 unknown task, E301 all running, E400 or E401 from the project's before_start hook.
 * A timeout is an outcome (E602) of each task that is not there yet; it goes on.
 */
export async function startTasks(
  project: ProjectSupervisor,
  request: StartRequest,
  asker: Asker,
): Promise<ActionOutcome> {
  const warnings: string[] = [];
  if (request.names.length === 0) allowRequests(project, request);
  const plan = planStart(project, request, warnings);
  if (asker.onProgress) project.watchProgress(asker.onProgress, asker.signal);
  const { environment } = request;
  const hook = { environment, signal: asker.signal };
  const isOwn = ({ name }: TaskRunner): boolean =>
    project.homeOf(name) === project;
  const own = plan.toStart.filter(isOwn);
  const shared = plan.toStart.filter((runner) => !isOwn(runner));
  if (own.length > 0) await runProjectHook(project, "before_start", hook);
  // First, as others may depend on it: what is down when they ask is no dependency to wait for.
  if (shared.length > 0) {
    warnings.push(...await beginShared(project, shared, { request, asker }));
  }
  warnings.push(...beginStart(project, own, request));
  const outcomes = await awaitStarted(project, plan.toStart, request, asker);
  if (own.length > 0) {
    warnings.push(...await runProjectHook(project, "after_start", hook));
  }
  if (shared.length > 0 && project.owner !== null) {
    warnings.push(
      ...await runProjectHook(project.owner, "after_start", hook),
    );
  }
  const started = outcomes.toSorted((a, b) =>
    startedAt(project, a) - startedAt(project, b)
  );
  return { outcomes: [...started, ...plan.done], warnings };
}

/** Tasks that their first request starts: whatever was said of them before, the next one may, with this environment. */
export function allowRequests(
  { runners }: ProjectSupervisor,
  { environment }: Pick<StartRequest, "environment">,
): void {
  for (const runner of runners) {
    if (!runner.spec.startOnRequest || !isAtRest(runner.machine)) continue;
    if (environment !== null) runner.environment = environment;
    runner.dispatch({ type: "allow" });
  }
}

/** What is waited for. */
export interface Awaiting {
  readonly untilHealthy: boolean;
  /** 0 = no limit. */
  readonly timeoutMs: number;
  /** Judges before the common rules do; null = let them. */
  outcome?(runner: TaskRunner): TaskOutcome | "pending" | null;
}

interface StartPlan {
  /** Dependencies first. */
  readonly toStart: readonly TaskRunner[];
  /** Tasks that need nothing, as outcomes. */
  readonly done: readonly TaskOutcome[];
}

function planStart(
  project: ProjectSupervisor,
  request: StartRequest,
  warnings: string[],
): StartPlan {
  return request.names.length === 0
    ? planAll(project, request, warnings)
    : planNamed(project, request);
}

function planAll(
  project: ProjectSupervisor,
  request: StartRequest,
  warnings: string[],
): StartPlan {
  const { spec, tasks } = project;
  if (!spec.autoStart) {
    warnings.push("auto_start = false: nothing is started without being named");
    return { toStart: [], done: [] };
  }
  const wanted = [...spec.tasks.values()].filter((task) => task.autoStart)
    .map((task) => task.name);
  if (wanted.length === 0) {
    const isAsked = spec.tasks.values().some((task) => task.startOnRequest);
    warnings.push(
      isAsked
        ? 'No task has auto_start = true; those with "on-request" start with the first request'
        : "No task has auto_start = true",
    );
    return { toStart: [], done: [] };
  }
  const order = request.withDependencies
    ? withDependencies(tasks, wanted)
    : dependencyOrder(tasks, wanted);
  const isFresh = !project.isUp;
  const runners = order.map((name) => project.runner(name));
  const toStart = runners.filter((runner) =>
    needsStart(runner, isFresh && !project.homeOf(runner.name).isUp)
  );
  const done = runners.filter((runner) => !toStart.includes(runner))
    .map((runner) => outcomeOf(runner, "noop"));
  if (toStart.length === 0 && !request.ifStopped) {
    throw new TaskmuxError(
      "E301",
      `Session '${project.projectId}' is already running`,
      {
        hint: "taskmux restart, or taskmux stop first",
        details: { session: project.projectId, tasks: order },
      },
    );
  }
  return { toStart, done };
}

/** A completed one-shot is run again only when the whole project starts anew. */
function needsStart(runner: TaskRunner, isFresh: boolean): boolean {
  const { phase } = runner.machine;
  if (phase.status === "completed") return isFresh;
  return !isRunning(runner);
}

function isRunning(runner: TaskRunner): boolean {
  return runner.machine.phase.status === "running" && !runner.wasResumed;
}

function planNamed(
  project: ProjectSupervisor,
  request: StartRequest,
): StartPlan {
  const named = runnersOf(project, request.names);
  const names = new Set(named.map((runner) => runner.name));
  const order = request.withDependencies
    ? withDependencies(project.tasks, names)
    : dependencyOrder(project.tasks, names);
  const toStart: TaskRunner[] = [];
  const done: TaskOutcome[] = [];
  for (const name of order) {
    const runner = project.runner(name);
    const isDependency = !names.has(name);
    if (!isRunning(runner)) {
      // A dependency that ran to its end has done its work; a named one is run again.
      if (isDependency && runner.machine.phase.status === "completed") continue;
      toStart.push(runner);
    } else if (!isDependency) {
      done.push(outcomeOf(
        runner,
        "noop",
        request.ifStopped ? null : alreadyRunning(runner),
      ));
    }
  }
  return { toStart, done };
}

function alreadyRunning(runner: TaskRunner): ErrorShape {
  const run = runOf(runner.machine);
  return new TaskmuxError("E201", `Task '${runner.name}' is already running`, {
    hint: `taskmux restart ${runner.name}`,
    details: { task: runner.name, pid: run?.pid ?? null },
  }).toShape();
}

/** Sends what is shared on its way in the project where it runs, with what it depends on there. */
async function beginShared(
  { owner }: ProjectSupervisor,
  shared: readonly TaskRunner[],
  { request, asker }: {
    readonly request: StartRequest;
    readonly asker: Asker;
  },
): Promise<string[]> {
  if (owner === null) return [];
  const names = shared.map(({ name }) => name);
  const { toStart } = planNamed(owner, { ...request, names, ifStopped: true });
  const { environment } = request;
  await runProjectHook(owner, "before_start", {
    environment,
    signal: asker.signal,
  });
  return beginStart(owner, toStart, request);
}

/** Sends everything on its way. Returns warnings about dependencies that are ignored. */
function beginStart(
  project: ProjectSupervisor,
  toStart: readonly TaskRunner[],
  request: StartRequest,
): string[] {
  const warnings: string[] = [];
  // No shell asks, so there is no environment but what was there before.
  if (request.environment === null) lendEnvironment(project, toStart);
  // A stop that a later daemon would finish is over for what is wanted up now.
  project.pending.takeBack("stop", toStart.map(({ name }) => name));
  for (const runner of toStart) {
    if (request.environment !== null && isAtRest(runner.machine)) {
      runner.environment = request.environment;
    }
    runner.wasResumed = false;
    if (!request.withDependencies) {
      warnings.push(...ignoredDependencies(project, runner));
    }
    runner.dispatch({ type: "start", isGated: request.withDependencies });
  }
  return warnings;
}

function ignoredDependencies(
  project: ProjectSupervisor,
  runner: TaskRunner,
): string[] {
  return runner.spec.dependsOn.flatMap(({ task }) => {
    const dependency = project.find(task);
    const isDown = dependency === null || isAtRest(dependency.machine);
    return isDown
      ? [`Dependency '${task}' of '${runner.name}' is not running`]
      : [];
  });
}

/** Waits until something can be said of every task. A timeout is said of those that are not there yet. */
export async function awaitStarted(
  project: ProjectSupervisor,
  toStart: readonly TaskRunner[],
  request: Awaiting,
  asker: Asker,
): Promise<TaskOutcome[]> {
  const signal = withTimeout(asker.signal, request.timeoutMs);
  const pending = new Set(toStart);
  const outcomes = new Map<string, TaskOutcome>();
  const check = (): true | undefined => {
    // Who waits for health wants all of it at one moment.
    if (request.untilHealthy) toStart.forEach((each) => pending.add(each));
    for (const runner of pending) {
      const outcome = request.outcome?.(runner) ??
        startOutcome(runner, request.untilHealthy);
      if (outcome === null || outcome === "pending") continue;
      outcomes.set(runner.name, outcome);
      pending.delete(runner);
    }
    if (!request.untilHealthy && pending.size > 0) giveUpStuck();
    return pending.size === 0 ? true : undefined;
  };
  const giveUpStuck = (): void => {
    const errors = new Map<TaskRunner, ErrorShape>();
    for (const runner of pending) {
      const error = stuckError(project, runner);
      if (error === null) return;
      errors.set(runner, error);
    }
    for (const [runner, error] of errors) {
      outcomes.set(runner.name, outcomeOf(runner, "started", error));
    }
    pending.clear();
  };
  try {
    await project.until(check, signal);
  } catch (error) {
    if (!isTimeout(error)) throw error;
    for (const runner of pending) {
      outcomes.set(
        runner.name,
        outcomeOf(runner, "started", timedOut(runner, request.timeoutMs)),
      );
    }
  }
  const told = toStart.flatMap((runner) => outcomes.get(runner.name) ?? []);
  return await Promise.all(told.map(async (outcome) => {
    const { task, error } = outcome;
    if (error === null) return outcome;
    return { ...outcome, error: await withOutputTail(project, task, error) };
  }));
}

/** What may be said of a task on its way; null = not yet. */
function startOutcome(
  runner: TaskRunner,
  untilHealthy: boolean,
): TaskOutcome | null {
  const { machine } = runner;
  switch (machine.phase.status) {
    case "completed":
      return outcomeOf(runner, "started");
    case "backoff":
      // Who waits for health waits through restarts; who does not is told of the crash.
      if (untilHealthy) return null;
      return outcomeOf(
        runner,
        "started",
        machine.error ?? stoppedMeanwhile(runner),
      );
    case "failed":
      return outcomeOf(
        runner,
        "started",
        machine.error ?? stoppedMeanwhile(runner),
      );
    case "stopped":
      return outcomeOf(runner, "started", stoppedMeanwhile(runner));
    case "running":
      return runningOutcome(runner, untilHealthy);
    case "stopping":
      // The run before it cannot be ended.
      return machine.error === null
        ? null
        : outcomeOf(runner, "started", machine.error);
    default:
      return null;
  }
}

function runningOutcome(
  runner: TaskRunner,
  untilHealthy: boolean,
): TaskOutcome | null {
  // Asked after every change of every task: the cheap question first.
  if (!runner.isSettled) return null;
  if (!untilHealthy) return outcomeOf(runner, "started");
  const snapshot = runner.snapshot();
  if (snapshot.healthy) return outcomeOf(runner, "started");
  if (snapshot.state !== "unhealthy" || !isUnhealthyFinal(runner)) return null;
  return outcomeOf(
    runner,
    "started",
    new TaskmuxError(
      "E403",
      `Task '${runner.name}' runs but is unhealthy: ${snapshot.reason}`,
      { hint: `taskmux logs ${runner.name}`, details: { task: runner.name } },
    ).toShape(),
  );
}

/** What is said of a start that somebody's stop took back. */
export function stoppedMeanwhile(runner: TaskRunner): ErrorShape {
  return new TaskmuxError(
    "E403",
    `Task '${runner.name}' was stopped by another command while it started`,
    { hint: "taskmux status", details: { task: runner.name } },
  ).toShape();
}

function timedOut(runner: TaskRunner, timeoutMs: number): ErrorShape {
  const { state, waitingFor } = runner.snapshot();
  const waits = waitingFor.map(({ task, condition }) =>
    `${task} (${condition})`
  );
  const what = waits.length > 0
    ? `it still waits for ${waits.join(", ")}`
    : `it is still ${state}`;
  return new TaskmuxError(
    "E602",
    `Task '${runner.name}' has not started after ${
      timeoutMs / 1000
    } s: ${what}`,
    {
      hint: `taskmux logs ${waitingFor[0]?.task ?? runner.name}`,
      details: { task: runner.name, state, waiting_for: waits },
    },
  ).toShape();
}

function startedAt(project: ProjectSupervisor, outcome: TaskOutcome): number {
  const runner = project.find(outcome.task);
  if (runner === null) return Infinity;
  return runner.lastStartedAt ?? Infinity;
}
