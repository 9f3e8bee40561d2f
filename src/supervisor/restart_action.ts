/**
 * Restarting tasks: what runs is stopped and started again, what does not is started.
 *
 * @module
 */

import { isAtRest, type TaskMachine } from "../domain/task_machine.ts";
import { isTunnelProgram } from "../domain/tunnel.ts";
import {
  type ActionOutcome,
  type Asker,
  outcomeOf,
  runnersOf,
  runProjectHook,
  type TaskOutcome,
} from "./action.ts";
import { lendEnvironment } from "./last_environment.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";
import { pendingAction } from "./resume_actions.ts";
import { requireTaskFolder } from "./start_errors.ts";
import {
  allowRequests,
  awaitStarted,
  type StartRequest,
  startTasks,
  stoppedMeanwhile,
} from "./start_action.ts";
import { stopAll } from "./stop_action.ts";
import type { TaskRunner } from "./task_runner.ts";

/**
 * Restarts tasks; no names = everything that runs or is to be started by `start`; the others stay as they are. A task that someone stops meanwhile
 * stays down (E403). Should the daemon crash meanwhile, the next one finishes it.
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

/** Everything that runs here, is restarted just now, or is to be started by `start`. What is shared is not restarted. */
function tasksToRestart(project: ProjectSupervisor): readonly string[] {
  const active = project.ownRunners.filter((runner) =>
    project.pending.has("restart", runner.name) ||
    !isAtRest(runner.machine) && !isGoingDown(runner.machine) &&
      !isTunnelProgram(runner.spec)
  );
  const wanted = project.spec.autoStart
    ? project.ownRunners.filter(({ name, spec }) =>
      project.spec.tasks.has(name) && spec.autoStart
    )
    : [];
  return [...new Set([...active, ...wanted].map((task) => task.name))];
}

/** Whether someone stops it: it runs no more in the eyes of whoever asks next. */
function isGoingDown({ phase }: TaskMachine): boolean {
  switch (phase.status) {
    case "spawning":
      return phase.interrupted === "stop" || phase.interrupted === "kill";
    case "stopping":
      return phase.restartAfterMs === null &&
        (phase.kind === "stop" || phase.kind === "kill");
    default:
      return false;
  }
}

async function restartAll(
  project: ProjectSupervisor,
  request: StartRequest,
  asker: Asker,
): Promise<ActionOutcome> {
  allowRequests(project, request);
  const names = tasksToRestart(project);
  return await whilePending(project, { names, request, asker }, async () => {
    for (const name of names) {
      await requireTaskFolder(project.runner(name).spec, "restart");
    }
    return await stopAndStart(project, request, asker);
  });
}

async function stopAndStart(
  project: ProjectSupervisor,
  request: StartRequest,
  asker: Asker,
): Promise<ActionOutcome> {
  const isUp = project.isUp;
  // Asked once more: what others have started meanwhile is stopped as well, so it must come up again.
  const names = tasksToRestart(project);
  return await whilePending(project, { names, request, asker }, async () => {
    const stopped = isUp
      ? await stopAll(project, "restart", asker)
      : { outcomes: [], warnings: [] };
    const refused = stopped.outcomes.filter((each) => each.error !== null);
    const wanted = names.filter((name) => project.pending.has("restart", name));
    if (refused.length > 0) {
      return { outcomes: refused, warnings: stopped.warnings };
    }
    const started = wanted.length === 0
      ? { outcomes: [], warnings: [] }
      : await startTasks(
        project,
        { ...request, names: wanted, ifStopped: true },
        asker,
      );
    const others = names.filter((name) => !wanted.includes(name));
    return {
      outcomes: [...started.outcomes, ...takenBack(project, others)],
      warnings: [...stopped.warnings, ...started.warnings],
    };
  });
}

/** Written down for as long as it lasts. */
function whilePending(
  project: ProjectSupervisor,
  { names, request: { environment }, asker: { signal } }: {
    readonly names: readonly string[];
    readonly request: StartRequest;
    readonly asker: Asker;
  },
  perform: () => Promise<ActionOutcome>,
): Promise<ActionOutcome> {
  const action = pendingAction(project, "restart", { names, environment });
  project.pending.takeBack("stop", names);
  return project.pending.during(action, signal, perform);
}

/** Tasks that somebody stopped while they were restarted. */
function takenBack(
  project: ProjectSupervisor,
  names: readonly string[],
): TaskOutcome[] {
  return names.flatMap((name) => {
    const runner = project.find(name);
    return runner === null
      ? []
      : [outcomeOf(runner, "restarted", stoppedMeanwhile(runner))];
  });
}

async function restartNamed(
  project: ProjectSupervisor,
  request: StartRequest,
  asker: Asker,
): Promise<ActionOutcome> {
  const runners = runnersOf(project, request.names);
  const names = runners.map((runner) => runner.name);
  return await whilePending(project, { names, request, asker }, async () => {
    for (const runner of runners) {
      await requireTaskFolder(runner.spec, "restart");
    }
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
  });
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
  if (environment === null) lendEnvironment(project, active);
  // What was stopped while a hook ran stays down.
  const wanted = active.filter(({ name }) =>
    project.pending.has("restart", name)
  );
  for (const runner of wanted) {
    before.set(runner, lastGeneration(runner));
    if (environment !== null) runner.environment = environment;
    runner.wasResumed = false;
    runner.dispatch({ type: "restart", isUsers: true, reason: "manual" });
  }
  const outcomes = await awaitStarted(project, wanted, {
    untilHealthy: request.untilHealthy,
    timeoutMs: request.timeoutMs,
    outcome: (runner) => oldRunOutcome(runner, before.get(runner) ?? -1),
  }, asker);
  warnings.push(
    ...await runProjectHook(project, "after_stop", hook),
    ...await runProjectHook(project, "after_start", hook),
  );
  const others = active.filter((runner) => !wanted.includes(runner))
    .map(({ name }) => name);
  return {
    outcomes: [...outcomes, ...takenBack(project, others)],
    warnings,
  };
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
