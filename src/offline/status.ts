/**
 * `status`, `health` and `inspect` without a daemon.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import { viewAliases } from "../domain/address.ts";
import { exitNumber } from "../domain/task_state.ts";
import { NO_PROXY } from "../domain/task_url.ts";
import {
  detailTask,
  STOPPED_SNAPSHOT,
  type TaskView,
  viewDone,
  viewHealth,
  viewTask,
} from "../domain/task_view.ts";
import { isTunnelProgram, viewNamedTunnel } from "../domain/tunnel.ts";
import type { TaskSpec } from "../domain/task_spec.ts";
import type { RunRow } from "../store/run_table.ts";
import {
  askKeeper,
  type KeptRuns,
  keptSnapshot,
  keptWarnings,
  NO_DAEMON,
} from "./kept_runs.ts";
import {
  type Disk,
  homeOf,
  logPath,
  openProjectFiles,
  type ProjectFiles,
  requireTask,
} from "./project_files.ts";
import { readOutcome } from "./saved_outcome.ts";

/** Runs of a task that `inspect` tells, as the daemon does. */
const HISTORY_LENGTH = 10;

/** The answer of `status`. */
export async function readStatus(
  disk: Disk,
  config: string,
): Promise<Result<"task.status">> {
  using project = await openProjectFiles(disk, config, { tolerant: true });
  const { projectId } = project.identity;
  const kept = await askKeeper(disk.paths);
  const tasks = viewTasks(project, kept);
  // What is shared runs whether this project is up or not.
  const active =
    tasks.filter((task) =>
      task.running && task.shared_from === null && !isTunnelProgram(task)
    ).length;
  const { aliases, warnings: rivals } = viewAliases({
    projectId,
    // Nothing answers there.
    proxy: NO_PROXY,
    tasks: [...project.tasks.values()],
    aliases: project.store?.aliases.of(projectId) ?? [],
  });
  return {
    ok: true,
    session: projectId,
    project_id: projectId,
    config_path: project.spec.configPath,
    running: active > 0,
    active_tasks: active,
    tasks: tasks.map((task) => ({ ...task })),
    aliases: aliases.map((alias) => ({ ...alias, url: null })),
    proxy: { enabled: false, bound: false, port: null, reason: NO_DAEMON },
    config_error: null,
    warnings: [...project.warnings, ...rivals, ...keptWarnings(kept)],
    daemon_pid: null,
  };
}

/** The answer of `health`: without a daemon nothing was probed, so nothing is healthy. */
export async function readHealth(
  disk: Disk,
  config: string,
  names: readonly string[],
): Promise<Result<"task.health">> {
  using project = await openProjectFiles(disk, config);
  const tasks = names.length === 0
    ? [...project.tasks.values()].filter((spec) => !isTunnelProgram(spec))
    : names.map((name) => requireTask(project.tasks, name));
  const wishes = project.store?.tasks.desired(project.identity.projectId);
  return viewHealth(tasks.map(({ name }) => {
    const { state } = readOutcome(wishes?.get(name)?.state);
    return state === "completed"
      ? viewDone(name)
      : { name, healthy: false, method: "none", reason: NO_DAEMON };
  }));
}

/** The answer of `inspect`. */
export async function readInspect(
  disk: Disk,
  config: string,
  name: string,
): Promise<Result<"task.inspect">> {
  using files = await openProjectFiles(disk, config);
  const spec = requireTask(files.tasks, name);
  const project = homeOf(files, name);
  const { projectId } = project.identity;
  const kept = await askKeeper(disk.paths);
  const view = viewTasks(files, kept).find((task) => task.name === name);
  const runs = project.store?.runs.history(projectId, name, HISTORY_LENGTH) ??
    [];
  const pid = view?.pid ?? null;
  return {
    ok: true,
    ...view as SharedView,
    ...detailTask(project.tasks.get(name) ?? spec),
    ad_hoc: !project.spec.tasks.has(name),
    log_file: logPath(disk.paths, project, spec),
    run_id: pid === null ? null : runs[0]?.runId ?? null,
    pids: pid === null ? [] : [pid],
    processes: [],
    runs: runs.map(viewRun),
  };
}

/** A task, and where it runs. */
type SharedView = TaskView & {
  readonly scope: TaskSpec["scope"];
  readonly shared_from: string | null;
};

function viewTasks(project: ProjectFiles, kept: KeptRuns): SharedView[] {
  const { owner } = project;
  const shared = owner === null ? [] : viewOwn(owner, kept);
  return viewOwn(project, kept).map((view) => {
    const { name } = view;
    const isShared = homeOf(project, name) !== project;
    const found = isShared && shared.find((each) => each.name === name);
    return {
      ...found || view,
      scope: project.spec.tasks.get(name)?.scope ?? "project",
      shared_from: isShared ? owner?.identity.projectId ?? null : null,
    };
  });
}

function viewOwn(project: ProjectFiles, kept: KeptRuns): TaskView[] {
  const { store, tasks, identity: { projectId } } = project;
  const counts = store?.events.counts(projectId);
  const wishes = store?.tasks.desired(projectId);
  const runs = store?.runs.last(projectId);
  return [...tasks.values()].map((spec) => {
    const port = spec.port ?? store?.leases.leaseOf(projectId, spec.name) ??
      null;
    const run = runs?.get(spec.name);
    const wish = wishes?.get(spec.name);
    return viewTask(spec, {
      ...STOPPED_SNAPSHOT,
      ...readOutcome(wish?.state),
      lastExit: run?.exit ?? null,
      manual: wish?.manual ?? false,
      ...keptSnapshot(run, kept),
    }, {
      port,
      // Nothing answers there.
      url: null,
      eventCounts: counts?.get(spec.name) ?? {},
      // Without a daemon nobody gets through.
      tunnel: viewNamedTunnel(spec),
    });
  });
}

function viewRun(run: RunRow): Record<string, string | number | null> {
  return {
    run_id: run.runId,
    pid: run.pid,
    started_at: run.startedAt / 1000,
    ended_at: run.exit === null ? null : run.exit.at / 1000,
    exit_code: run.exit === null ? null : exitNumber(run.exit),
    reason: run.reason,
    port: run.port,
  };
}
