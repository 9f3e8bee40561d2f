/**
 * Handlers of the operations on tasks.
 *
 * @module
 */

import type { Params } from "../../contract/mod.ts";
import { detailTask, viewDone, viewHealth } from "../../domain/task_view.ts";
import { exitNumber } from "../../domain/task_state.ts";
import { isTunnelProgram } from "../../domain/tunnel.ts";
import { isAtRest } from "../../domain/task_machine.ts";
import {
  type ActionOutcome,
  type Asker,
  runnersOf,
  withActionWarnings,
} from "../../supervisor/action.ts";
import { logTarget } from "../../supervisor/launch_run.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { PendingAction } from "../../supervisor/pending_actions.ts";
import { restartTasks } from "../../supervisor/restart_action.ts";
import { pendingAction } from "../../supervisor/resume_actions.ts";
import { runAdHoc } from "../../supervisor/run_action.ts";
import {
  type StartRequest,
  startTasks,
} from "../../supervisor/start_action.ts";
import {
  bereftWarnings,
  inHomes,
  leftRunning,
  sharingWarnings,
} from "../../supervisor/shared_tasks.ts";
import { stopAll, stopNamed } from "../../supervisor/stop_action.ts";
import type { TaskRunner } from "../../supervisor/task_runner.ts";
import { explain } from "../../supervisor/why_action.ts";
import { ensureHandler } from "./ensure.ts";
import { waitHandler } from "./wait.ts";
import type { CallContext, Handlers } from "../dispatcher.ts";
import { frontStatus } from "../front_view.ts";
import {
  configError,
  urlOf,
  viewAction,
  viewRunner,
  viewStatus,
} from "../project_view.ts";
import {
  closingWarnings,
  openingWarnings,
  type TunnelsBefore,
  tunnelsBefore,
} from "../public_warnings.ts";
import type { Services } from "../services.ts";
import { trustTip } from "../trust_tip.ts";

/** Runs of a task that `inspect` tells. */
const HISTORY_LENGTH = 10;

type TaskHandlers = Pick<
  Handlers,
  | "task.status"
  | "task.start"
  | "task.stop"
  | "task.restart"
  | "task.kill"
  | "task.health"
  | "task.inspect"
  | "task.why"
  | "task.run"
  | "task.wait"
  | "task.ensure"
>;

/** See the module. */
export function taskHandlers(services: Services): TaskHandlers {
  return {
    "task.status": async ({ scope }) => {
      await using looked = await services.projects.look(scope);
      return viewStatus(looked, {
        warnings: services.warnings(),
        proxy: frontStatus(services.front),
      });
    },
    "task.start": (params, context) => start(services, params, context),
    "task.stop": (params, context) => stop(services, params, context),
    "task.restart": (params, context) => restart(services, params, context),
    "task.kill": async (params, context) => {
      await using looked = await services.projects.look(params.scope);
      const { supervisor } = looked;
      const before = tunnelsBefore(services, supervisor);
      const asker = askerOf(context);
      const outcome = await inHomes(
        supervisor,
        params.tasks,
        "own_first",
        (home, names) => stopNamed(home, names, { manner: "kill", asker }),
      );
      const told = withBereft(supervisor, outcome, before);
      return viewAction(supervisor, told, {
        names: params.tasks,
        word: "killed",
      });
    },
    "task.health": (params, context) => health(services, params, context),
    "task.inspect": (params) => inspect(services, params),
    "task.why": (params, context) => why(services, params, context),
    "task.run": async (params, context) => {
      const project = await services.projects.require(params.scope);
      const environment = await environmentOf(services, params.env);
      const outcome = await runAdHoc(project, {
        name: params.task,
        command: params.command,
        cwd: params.cwd,
        environment,
      }, askerOf(context));
      return viewAction(project, outcome, {
        names: [params.task],
        word: "started",
      });
    },
    "task.ensure": (params, context) =>
      ensureHandler(services, params, context),
    "task.wait": (params, context) => waitHandler(services, params, context),
  };
}

function askerOf(context: CallContext): Asker {
  return { signal: context.signal, onProgress: context.onProgress };
}

function isStarted(
  outcome: { readonly action: string; readonly error: unknown },
): boolean {
  return outcome.action === "started" && outcome.error === null;
}

function emitSession(
  project: ProjectSupervisor,
  event: "session_started" | "session_stopped",
): void {
  const { host, projectId } = project;
  host.emit({ event, session: projectId, at: host.clock.now() });
}

async function environmentOf(
  services: Services,
  env: Readonly<Record<string, string>> | undefined,
): Promise<string | null> {
  return env === undefined
    ? null
    : await services.host.environments.remember(env);
}

async function startRequest(
  services: Services,
  params: Pick<Params<"task.start">, "tasks" | "env" | "timeout" | "wait">,
  how: Pick<StartRequest, "ifStopped" | "withDependencies">,
): Promise<StartRequest> {
  return {
    names: params.tasks,
    untilHealthy: params.wait,
    timeoutMs: params.timeout * 1000,
    environment: await environmentOf(services, params.env),
    ...how,
  };
}

async function start(
  services: Services,
  params: Params<"task.start">,
  context: CallContext,
): ReturnType<TaskHandlers["task.start"]> {
  const project = await services.projects.require(params.scope);
  const before = tunnelsBefore(services, project);
  const request = await startRequest(services, params, {
    ifStopped: params.if_stopped,
    withDependencies: params.deps,
  });
  const outcome = await withActionWarnings(
    project,
    () => startTasks(project, request, askerOf(context)),
  );
  if (request.names.length === 0 && outcome.outcomes.some(isStarted)) {
    emitSession(project, "session_started");
  }
  const hasNames = project.runners.some(({ spec }) => spec.host !== null);
  const tip = hasNames ? await trustTip(services, "start") : [];
  const { outcomes, warnings } = withSharing(project, outcome);
  return viewAction(
    project,
    {
      outcomes,
      warnings: [...warnings, ...tip, ...openingWarnings(before, outcomes)],
    },
    { names: params.tasks, word: "started" },
  );
}

async function restart(
  services: Services,
  params: Params<"task.restart">,
  context: CallContext,
): ReturnType<TaskHandlers["task.restart"]> {
  const project = await services.projects.require(params.scope);
  const before = tunnelsBefore(services, project);
  const request = await startRequest(services, params, {
    ifStopped: true,
    withDependencies: true,
  });
  const asker = askerOf(context);
  const outcome = await withActionWarnings(
    project,
    () =>
      params.tasks.length === 0
        ? restartTasks(project, request, asker)
        : inHomes(
          project,
          params.tasks,
          "shared_first",
          (home, names) => restartTasks(home, { ...request, names }, asker),
        ),
  );
  const { outcomes, warnings } = withSharing(project, outcome);
  const opening = openingWarnings(before, outcomes);
  return viewAction(project, {
    outcomes,
    warnings: [...warnings, ...opening],
  }, { names: params.tasks, word: "restarted" });
}

async function stop(
  services: Services,
  params: Params<"task.stop">,
  context: CallContext,
): ReturnType<TaskHandlers["task.stop"]> {
  await using looked = await services.projects.look(params.scope);
  const project = looked.supervisor;
  const before = tunnelsBefore(services, project);
  const asker = askerOf(context);
  const form = { names: params.tasks, word: "stopped" } as const;
  if (params.tasks.length > 0) {
    const stopIn = (home: ProjectSupervisor, names: readonly string[]) =>
      home.pending.during(
        pendingStop(home, runnersOf(home, names)),
        context.signal,
        () => stopNamed(home, names, { manner: "stop", asker }),
      );
    const outcome = await withActionWarnings(
      project,
      () => inHomes(project, params.tasks, "own_first", stopIn),
    );
    return viewAction(project, withBereft(project, outcome, before), form);
  }
  const outcome = await withActionWarnings(
    project,
    () =>
      project.pending.during(
        pendingStop(project, project.ownRunners),
        context.signal,
        () => stopAll(project, "stop", asker),
      ),
  );
  emitSession(project, "session_stopped");
  const { outcomes, warnings } = withBereft(project, outcome, before);
  const told = { outcomes, warnings: [...warnings, ...leftRunning(project)] };
  return viewAction(project, told, form);
}

/** With warnings about what was taken down: tasks of other checkouts depend on it, or others could reach it. */
function withBereft(
  project: ProjectSupervisor,
  outcome: ActionOutcome,
  before: TunnelsBefore,
): ActionOutcome {
  const down = outcome.outcomes.filter(({ error }) => error === null);
  const more = bereftWarnings(project, down.map(({ task }) => task));
  const closed = closingWarnings(before, outcome.outcomes);
  return { ...outcome, warnings: [...outcome.warnings, ...more, ...closed] };
}

/** With warnings about tasks that should be shared and are not. */
function withSharing(
  project: ProjectSupervisor,
  outcome: ActionOutcome,
): ActionOutcome {
  const more = sharingWarnings(project);
  return { ...outcome, warnings: [...outcome.warnings, ...more] };
}

function pendingStop(
  project: ProjectSupervisor,
  runners: readonly TaskRunner[],
): PendingAction {
  const names = runners.filter(({ machine }) => !isAtRest(machine))
    .map(({ name }) => name);
  return pendingAction(project, "stop", { names, environment: null });
}

async function health(
  services: Services,
  params: Params<"task.health">,
  context: CallContext,
): ReturnType<TaskHandlers["task.health"]> {
  await using looked = await services.projects.look(params.scope);
  const project = looked.supervisor;
  const runners = params.tasks.length === 0
    ? project.runners.filter((runner) => !isTunnelProgram(runner.spec))
    : params.tasks.map((name) => project.runner(name));
  const tasks = await Promise.all(runners.map(async (runner) => {
    if (runner.snapshot().state === "completed") return viewDone(runner.name);
    const result = await runner.probeNow(context.signal);
    return {
      name: runner.name,
      healthy: result.ok,
      method: result.method,
      reason: result.reason,
    };
  }));
  return viewHealth(tasks);
}

async function inspect(
  services: Services,
  params: Params<"task.inspect">,
): ReturnType<TaskHandlers["task.inspect"]> {
  await using looked = await services.projects.look(params.scope);
  const runner = looked.supervisor.runner(params.task);
  const project = looked.supervisor.homeOf(params.task);
  const { store, host } = services;
  const counts = store.events.counts(project.projectId);
  const { run, lastHealth } = runner.snapshot();
  const view = viewRunner(looked.supervisor, runner, counts);
  const processes = run === null
    ? []
    : (await host.keeper.request("processes", { runId: run.runId })).processes;
  const runs = store.runs.history(
    project.projectId,
    runner.name,
    HISTORY_LENGTH,
  );
  return {
    ok: true,
    ...view,
    ...detailTask(runner.spec),
    last_health: view.last_health === null ? null : {
      ...view.last_health,
      ...lastHealth?.output === undefined ? {} : { output: lastHealth.output },
    },
    ad_hoc: runner.isAdHoc,
    log_file: logTarget(
      runner.spec,
      host.logFile(project.projectId, runner.name),
    ).path,
    run_id: run?.runId ?? null,
    pids: processes.map((process) => process.pid),
    processes,
    runs: runs.map((each) => ({
      run_id: each.runId,
      pid: each.pid,
      started_at: each.startedAt / 1000,
      ended_at: each.exit === null ? null : each.exit.at / 1000,
      exit_code: each.exit === null ? null : exitNumber(each.exit),
      reason: each.reason,
      port: each.port,
    })),
  };
}

async function why(
  services: Services,
  params: Params<"task.why">,
  { signal }: CallContext,
): ReturnType<TaskHandlers["task.why"]> {
  await using looked = await services.projects.look(params.scope);
  const { supervisor, project } = looked;
  const { summary, chain, next } = await explain(supervisor, params.task, {
    configError: configError(project?.error ?? null),
    isKeeperHere: services.keeper.isAnswering,
    daemonPid: Deno.pid,
    explainLine: async (backend, line) =>
      (await services.tunnels.provider(backend)).explain(line),
    signal,
  });
  const runner = supervisor.runner(params.task);
  const { state } = runner.snapshot();
  const url = urlOf(supervisor, runner);
  return { ok: true, task: params.task, state, url, summary, chain, next };
}
