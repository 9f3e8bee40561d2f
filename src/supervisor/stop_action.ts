/**
 * Stopping, killing and restarting tasks, until nothing of them is left.
 *
 * @module
 */

import { dependentsOf } from "../domain/dependency_graph.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { ErrorShape } from "../domain/error.ts";
import { isAtRest } from "../domain/task_machine.ts";
import { isTunnelProgram } from "../domain/tunnel.ts";
import {
  type ActionOutcome,
  type Asker,
  outcomeOf,
  runnersOf,
  runProjectHook,
  type TaskOutcome,
} from "./action.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";
import type { TaskRunner } from "./task_runner.ts";

/**
 * How to stop. `shutdown` is the daemon's own: it changes no desired state and no hook can prevent it. `restart` is the
 * first half of one, `resume` finishes what an earlier daemon had begun; all others take back a restart that is under way.
 */
export type StopManner = "stop" | "kill" | "shutdown" | "restart" | "resume";

/**
 * Stops everything of a project, dependents before what they depend on. What it shares with the primary checkout runs on.
 *
 * @throws {TaskmuxError} E300 if nothing runs (not for shutdown), E400 or E401 from the project's before_stop hook.
 */
export async function stopAll(
  project: ProjectSupervisor,
  manner: StopManner,
  asker: Asker,
): Promise<ActionOutcome> {
  const { ownRunners } = project;
  // The program of a tunnel follows its task: it goes after it, and stays where the task comes back.
  const [programs, active] = partition(
    ownRunners.filter((runner) => !isAtRest(runner.machine)),
    ({ spec }) => isTunnelProgram(spec),
  );
  if (active.length === 0 && manner !== "shutdown") {
    takeBackRestart(project, ownRunners, manner);
    for (const runner of ownRunners) {
      runner.dispatch({ type: "stop", kind: kindOf(manner) });
    }
    throw new TaskmuxError(
      "E300",
      `Session '${project.projectId}' is not running`,
      { hint: "taskmux start", details: { session: project.projectId } },
    );
  }
  if (active.length + programs.length === 0) {
    return { outcomes: [], warnings: [] };
  }
  if (asker.onProgress) project.watchProgress(asker.onProgress, asker.signal);
  const { signal } = asker;
  const environment = active[0]?.environment ?? null;
  const warnings: string[] = [];
  try {
    warnings.push(
      ...await runProjectHook(project, "before_stop", { environment, signal }),
    );
  } catch (error) {
    if (manner !== "shutdown") throw error;
    warnings.push(String(error));
  }
  takeBackRestart(project, project.ownRunners, manner);
  // A start that comes while all are restarted is the later word, also if it fails.
  if (manner === "restart") {
    markIdle(
      project.ownRunners.filter(({ name }) =>
        project.pending.has("restart", name)
      ),
    );
  }
  const outcomes = await stopInOrder(project, active, { manner, signal });
  if (manner !== "restart") {
    const ended = await stopInOrder(project, programs, { manner, signal });
    outcomes.push(...ended.filter(({ error }) => error !== null));
  }
  // After `stop` nothing comes back by itself.
  if (manner === "stop" || manner === "kill") markIdle(project.ownRunners);
  warnings.push(
    ...await runProjectHook(project, "after_stop", { environment, signal }),
  );
  return { outcomes, warnings };
}

/**
 * Stops or kills named tasks; of these, dependents first.
 *
 * @throws {TaskmuxError} E200 unknown task. A task that does not run is an outcome with E202.
 */
export async function stopNamed(
  project: ProjectSupervisor,
  names: readonly string[],
  options: {
    readonly manner: Exclude<StopManner, "shutdown">;
    readonly asker: Asker;
  },
): Promise<ActionOutcome> {
  const { manner, asker } = options;
  const runners = runnersOf(project, names);
  const active = runners.filter((runner) => !isAtRest(runner.machine));
  const idle = runners.filter((runner) => isAtRest(runner.machine));
  if (asker.onProgress) project.watchProgress(asker.onProgress, asker.signal);
  const { signal } = asker;
  const environment = active[0]?.environment ?? null;
  const hooks = manner !== "kill" && active.length > 0;
  const warnings: string[] = [];
  if (hooks) {
    warnings.push(
      ...await runProjectHook(project, "before_stop", { environment, signal }),
    );
  }
  takeBackRestart(project, runners, manner);
  const outcomes = await stopInOrder(project, active, { manner, signal });
  for (const runner of idle) {
    runner.dispatch({ type: "stop", kind: kindOf(manner) });
  }
  if (hooks) {
    warnings.push(
      ...await runProjectHook(project, "after_stop", { environment, signal }),
    );
  }
  const word = manner === "kill" ? "killed" : "stopped";
  return {
    outcomes: [
      ...outcomes,
      ...idle.map((runner) => outcomeOf(runner, word, notRunning(runner))),
    ],
    warnings,
  };
}

function partition<T>(
  items: readonly T[],
  isFirst: (item: T) => boolean,
): readonly [T[], T[]] {
  const { first = [], second = [] } = Object.groupBy(
    items,
    (item) => isFirst(item) ? "first" : "second",
  );
  return [first, second];
}

/** What is at rest is wanted down as well. */
function markIdle(runners: readonly TaskRunner[]): void {
  for (const runner of runners) {
    if (isAtRest(runner.machine)) {
      runner.dispatch({ type: "stop", kind: "stop" });
    }
  }
}

/** A stop that comes while tasks are restarted is the later word: they stay down. */
function takeBackRestart(
  { pending }: ProjectSupervisor,
  runners: readonly TaskRunner[],
  manner: StopManner,
): void {
  if (manner === "restart" || manner === "resume") return;
  pending.takeBack("restart", runners.map(({ name }) => name));
}

function kindOf(manner: StopManner): "stop" | "kill" | "shutdown" {
  return manner === "restart" || manner === "resume" ? "stop" : manner;
}

async function stopInOrder(
  project: ProjectSupervisor,
  runners: readonly TaskRunner[],
  options: { readonly manner: StopManner; readonly signal: AbortSignal },
): Promise<TaskOutcome[]> {
  const { tasks } = project;
  const stopping = new Map<string, Promise<TaskOutcome>>();
  const byName = new Map(runners.map((runner) => [runner.name, runner]));
  const order: TaskOutcome[] = [];
  const stop = (runner: TaskRunner): Promise<TaskOutcome> => {
    const known = stopping.get(runner.name);
    if (known !== undefined) return known;
    const begun = (async () => {
      const dependents = options.manner === "kill"
        ? []
        : dependentsOf(tasks, runner.name);
      const before = await Promise.all(dependents.flatMap((name) => {
        const dependent = byName.get(name);
        return dependent === undefined ? [] : [stop(dependent)];
      }));
      const inUse = before.find((dependent) => dependent.error !== null);
      const outcome = inUse === undefined || options.manner === "shutdown"
        ? await stopOne(project, runner, options)
        : outcomeOf(runner, "stopped", stillNeeded(runner, inUse.task));
      order.push(outcome);
      return outcome;
    })();
    stopping.set(runner.name, begun);
    return begun;
  };
  await Promise.all(runners.map(stop));
  return order;
}

async function stopOne(
  project: ProjectSupervisor,
  runner: TaskRunner,
  options: { readonly manner: StopManner; readonly signal: AbortSignal },
): Promise<TaskOutcome> {
  const { manner, signal } = options;
  const word = manner === "kill" ? "killed" : "stopped";
  const { generation } = runner.machine;
  runner.dispatch({ type: "stop", kind: kindOf(manner) });
  const error = await project.until(() => {
    const { machine } = runner;
    if (isAtRest(machine)) return { error: null };
    // Someone has started it again meanwhile; the run that was asked about is gone.
    if (machine.generation !== generation) return { error: null };
    if (machine.error === null) return undefined;
    // A before_stop hook prevented it, or something of the run survives.
    return machine.phase.status === "running" ||
        machine.phase.status === "stopping"
      ? { error: machine.error }
      : undefined;
  }, signal);
  return outcomeOf(runner, word, error.error);
}

/** What something still needs is not taken away from it. */
function stillNeeded(runner: TaskRunner, dependent: string): ErrorShape {
  return new TaskmuxError(
    "E402",
    `Cannot stop "${runner.name}": task "${dependent}" needs it and did not stop`,
    {
      hint: `taskmux kill ${dependent}`,
      details: { task: runner.name, dependent },
    },
  ).toShape();
}

function notRunning(runner: TaskRunner): ErrorShape {
  return new TaskmuxError("E202", `Task '${runner.name}' is not running`, {
    hint: `taskmux start ${runner.name}`,
    details: { task: runner.name },
  }).toShape();
}
