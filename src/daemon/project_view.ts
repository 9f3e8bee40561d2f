/**
 * Projects and tasks as operations answer them.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import { type ErrorShape, TaskmuxError } from "../domain/error.ts";
import { isAtRest } from "../domain/task_machine.ts";
import { viewAliases } from "../domain/address.ts";
import { taskUrl } from "../domain/task_url.ts";
import { viewTask } from "../domain/task_view.ts";
import { isTunnelProgram, viewNamedTunnel } from "../domain/tunnel.ts";
import type { ActionOutcome, TaskOutcome } from "../supervisor/action.ts";
import type { ProjectSupervisor } from "../supervisor/project_supervisor.ts";
import { sharingWarnings } from "../supervisor/shared_tasks.ts";
import type { TaskRunner } from "../supervisor/task_runner.ts";
import type { Looked } from "./projects.ts";

/** The address of a task; null while nothing can answer there. The proxy answers for a task that does not run. */
export function urlOf(
  project: ProjectSupervisor,
  runner: TaskRunner,
): string | null {
  const { run } = runner.snapshot();
  const { projectId } = project.homeOf(runner.name);
  return taskUrl({
    host: runner.spec.host,
    hostPath: runner.spec.hostPath,
    port: run?.port ?? null,
    projectId,
    proxy: project.host.proxy(),
  });
}

/** A task for `status`. */
export function viewRunner(
  project: ProjectSupervisor,
  runner: TaskRunner,
  counts: ReadonlyMap<string, Readonly<Record<string, number>>>,
): Result<"task.status">["tasks"][number] {
  const home = project.homeOf(runner.name);
  const isShared = home !== project;
  const homeCounts = isShared
    ? home.host.store.events.counts(home.projectId)
    : counts;
  const view = viewTask(runner.spec, runner.snapshot(), {
    url: urlOf(project, runner),
    port: project.portOf(runner),
    eventCounts: homeCounts.get(runner.name) ?? {},
    tunnel: home.host.tunnel(home.projectId, runner.name) ??
      viewNamedTunnel(runner.spec),
  });
  return {
    ...view,
    scope: project.spec.tasks.get(runner.name)?.scope ?? "project",
    shared_from: isShared ? home.projectId : null,
  };
}

/** The answer of `status`. */
export function viewStatus(
  looked: Looked,
  { warnings, proxy }: Pick<Result<"task.status">, "warnings" | "proxy">,
): Result<"task.status"> {
  const { supervisor, project } = looked;
  const counts = supervisor.host.store.events.counts(supervisor.projectId);
  const tasks = supervisor.runners.map((runner) =>
    viewRunner(supervisor, runner, counts)
  );
  // What is shared runs whether this project is up or not.
  const active =
    tasks.filter((task) =>
      task.running && task.shared_from === null && !isTunnelProgram(task)
    ).length;
  const { aliases, warnings: rivals } = viewAliases(supervisor.addressBook());
  return {
    ok: true,
    session: supervisor.projectId,
    project_id: supervisor.projectId,
    config_path: supervisor.spec.configPath,
    running: active > 0,
    active_tasks: active,
    tasks,
    aliases,
    proxy,
    config_error: configError(project?.error ?? null),
    warnings: [
      ...looked.warnings,
      ...supervisor.runners.filter((runner) => runner.hasSubstitute)
        .map(({ name }) => substituteWarning(name)),
      ...rivals,
      ...sharingWarnings(supervisor),
      ...warnings,
    ],
    daemon_pid: Deno.pid,
  };
}

function substituteWarning(task: string): string {
  return `Task "${task}" runs with the daemon's environment: that of the shell which started it is lost. ` +
    `"taskmux restart ${task}" gives it yours`;
}

/** A problem of the file as `status` tells it. */
export function configError(
  error: ErrorShape | null,
): Result<"task.status">["config_error"] {
  if (error === null) return null;
  const [problem] = (error.details?.["problems"] ?? []) as readonly {
    readonly line?: number;
    readonly column?: number;
  }[];
  return {
    error_code: error.error_code,
    error: error.error,
    line: problem?.line ?? (error.details?.["line"] as number | undefined) ??
      null,
    column: problem?.column ??
      (error.details?.["column"] as number | undefined) ?? null,
  };
}

/** How an action is answered: whom it was asked of decides the form. */
export interface ActionForm {
  /** Names as they were given; empty = all. */
  readonly names: readonly string[];
  readonly word: "started" | "stopped" | "restarted" | "killed";
}

/**
 * The answer of an action.
 *
 * @throws {TaskmuxError} The error of the one task that was named. With several, or all, the answer is returned with
 * `ok: false` and the first error's code.
 */
export function viewAction(
  project: ProjectSupervisor,
  outcome: ActionOutcome,
  form: ActionForm,
): Result<"task.start"> {
  const results = outcome.outcomes.map((each) => viewOutcome(project, each));
  const failed = outcome.outcomes.find((each) => each.error !== null);
  const warnings = outcome.warnings.length === 0
    ? {}
    : { warnings: [...outcome.warnings] };
  const failure = failed?.error ?? null;
  const named = form.names.length === 1 ? form.names[0] : undefined;
  if (named !== undefined) {
    const own = results.find((each) => each.task === named);
    const ownError = outcome.outcomes.find((each) => each.task === named)
      ?.error;
    if (ownError) throw withResults(ownError, results);
    const others = results.filter((each) => each !== own);
    return {
      ok: true,
      task: named,
      ...own,
      ...(others.length === 0
        ? {}
        : { results: [...others, ...own ? [own] : []] }),
      ...warnings,
    };
  }
  const head = failure === null
    ? { ok: true }
    : { ...failure, ok: false, details: { ...failure.details } };
  if (form.names.length > 0) return { ...head, results, ...warnings };
  const done = outcome.outcomes.filter((each) =>
    each.error === null && each.action === form.word
  );
  return {
    ...head,
    session: project.projectId,
    action: done.length === 0 && failure === null ? "noop" : form.word,
    tasks: done.map((each) => each.task),
    results,
    warnings: [...outcome.warnings],
  };
}

function withResults(
  error: ErrorShape,
  results: readonly TaskResult[],
): TaskmuxError {
  const { details, ...shape } = error;
  return TaskmuxError.fromShape({
    ...shape,
    details: {
      ...details,
      ...(results.length > 1
        ? { results: results.map(({ task, ok }) => ({ task, ok })) }
        : {}),
    },
  });
}

function viewOutcome(
  project: ProjectSupervisor,
  outcome: TaskOutcome,
): TaskResult {
  const { task, error, action, state } = outcome;
  const runner = project.find(task);
  const base = {
    task,
    action,
    state: runner?.snapshot().state ?? state,
    pid: runner?.snapshot().run?.pid ?? null,
    port: runner === null ? null : project.portOf(runner),
    url: runner === null ? null : urlOf(project, runner),
  };
  if (error === null) return { ok: true, ...base };
  const { details, ...shape } = error;
  return { ...base, ...shape, ok: false, details: { ...details } };
}

/** One entry of `results`. */
type TaskResult = NonNullable<Result<"task.start">["results"]>[number];

/** Names of the tasks that run or are about to. */
export function activeTasks(project: ProjectSupervisor): string[] {
  return project.ownRunners.filter((runner) =>
    !isAtRest(runner.machine) && !isTunnelProgram(runner.spec)
  ).map((runner) => runner.name);
}
