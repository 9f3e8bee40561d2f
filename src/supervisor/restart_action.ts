/**
 * Restarting tasks: what runs is stopped and started again, what does not is started.
 *
 * @module
 */

import { isAtRest } from "../domain/task_machine.ts";
import {
  type ActionOutcome,
  type Asker,
  outcomeOf,
  runnersOf,
  runProjectHook,
  type TaskOutcome,
} from "./action.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";
import { requireTaskFolder } from "./start_errors.ts";
import { awaitStarted, type StartRequest, startTasks } from "./start_action.ts";
import { stopAll } from "./stop_action.ts";
import type { TaskRunner } from "./task_runner.ts";

/**
 * Restarts tasks; no names = everything that runs or is to be started by `start`.
 *
 * @throws {TaskmuxError} E200 unknown task, E213 before anything is stopped, E400 or E401 from the project's hooks.
 */
export async function restartTasks(
  project: ProjectSupervisor,
  request: StartRequest,
  asker: Asker,
): Promise<ActionOutcome> {
  const outcome = request.names.length === 0
    ? await restartAll(project, request, asker)
    : await restartNamed(project, request, asker);
  return {
    ...outcome,
    outcomes: outcome.outcomes.map((each) =>
      each.action === "started" ? { ...each, action: "restarted" } : each
    ),
  };
}

/** The tasks that a restart is about; no names = everything that runs or is to be started by `start`. */
export function tasksToRestart(
  project: ProjectSupervisor,
  names: readonly string[],
): readonly string[] {
  if (names.length > 0) return names;
  const active = project.runners.filter((runner) => !isAtRest(runner.machine));
  const wanted = project.spec.autoStart
    ? [...project.spec.tasks.values()].filter((task) => task.autoStart)
    : [];
  return [...new Set([...active, ...wanted].map((task) => task.name))];
}

async function restartAll(
  project: ProjectSupervisor,
  request: StartRequest,
  asker: Asker,
): Promise<ActionOutcome> {
  for (const name of tasksToRestart(project, [])) {
    await requireTaskFolder(project.runner(name).spec, "restart");
  }
  // Only now: what others have started meanwhile is stopped as well, so it must come up again.
  const active = project.runners.filter((runner) => !isAtRest(runner.machine));
  const names = tasksToRestart(project, []);
  const stopped = active.length === 0
    ? { outcomes: [], warnings: [] }
    : await stopAll(project, "stop", asker);
  const refused = stopped.outcomes.filter((each) => each.error !== null);
  if (refused.length > 0 || names.length === 0) {
    return { outcomes: refused, warnings: stopped.warnings };
  }
  const started = await startTasks(
    project,
    { ...request, names, ifStopped: true },
    asker,
  );
  return {
    outcomes: started.outcomes,
    warnings: [...stopped.warnings, ...started.warnings],
  };
}

async function restartNamed(
  project: ProjectSupervisor,
  request: StartRequest,
  asker: Asker,
): Promise<ActionOutcome> {
  const runners = runnersOf(project, request.names);
  for (const runner of runners) await requireTaskFolder(runner.spec, "restart");
  const active = runners.filter((runner) => !isAtRest(runner.machine));
  const idle = runners.filter((runner) => isAtRest(runner.machine));
  const [restarted, started] = await Promise.all([
    restartActive(project, active, { request, asker }),
    idle.length === 0 ? { outcomes: [], warnings: [] } : startTasks(project, {
      ...request,
      names: idle.map((runner) => runner.name),
      ifStopped: true,
    }, asker),
  ]);
  return {
    outcomes: [...restarted.outcomes, ...started.outcomes],
    warnings: [...restarted.warnings, ...started.warnings],
  };
}

async function restartActive(
  project: ProjectSupervisor,
  active: readonly TaskRunner[],
  how: { readonly request: StartRequest; readonly asker: Asker },
): Promise<ActionOutcome> {
  if (active.length === 0) return { outcomes: [], warnings: [] };
  const { request, asker } = how;
  const { environment } = request;
  const { signal } = asker;
  if (asker.onProgress) project.watchProgress(asker.onProgress, signal);
  const hook = { environment, signal };
  const warnings = [
    ...await runProjectHook(project, "before_stop", hook),
    ...await runProjectHook(project, "before_start", hook),
  ];
  const before = new Map<TaskRunner, number>();
  for (const runner of active) {
    before.set(runner, lastGeneration(runner));
    if (environment !== null) runner.environment = environment;
    runner.wasResumed = false;
    runner.dispatch({ type: "restart", isUsers: true, reason: "manual" });
  }
  const outcomes = await awaitStarted(project, active, {
    untilHealthy: request.untilHealthy,
    timeoutMs: request.timeoutMs,
    outcome: (runner) => oldRunOutcome(runner, before.get(runner) ?? -1),
  }, asker);
  warnings.push(
    ...await runProjectHook(project, "after_stop", hook),
    ...await runProjectHook(project, "after_start", hook),
  );
  return { outcomes, warnings };
}

/** The generation that the restart leaves behind. A start that is just under way is joined: its run is the new one. */
function lastGeneration({ machine }: TaskRunner): number {
  const { generation, phase: { status } } = machine;
  const isStarting = status === "preparing" || status === "spawning";
  return isStarting ? generation - 1 : generation;
}

/** While the old run is there, only a refusal may be told. */
function oldRunOutcome(
  runner: TaskRunner,
  generation: number,
): TaskOutcome | "pending" | null {
  const { machine } = runner;
  if (machine.generation > generation || isAtRest(machine)) return null;
  const { status } = machine.phase;
  const isRefused = machine.error !== null &&
    (status === "running" || status === "stopping");
  return isRefused ? outcomeOf(runner, "restarted", machine.error) : "pending";
}
