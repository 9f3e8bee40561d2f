/**
 * `events` without a daemon.
 *
 * @module
 */

import type { ParamsInput, Result } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import { checkTaskNames, toRecord } from "../domain/event_selection.ts";
import { systemClock } from "../kit/clock.ts";
import {
  cursorText,
  eventFilter,
  timeOf as timeAt,
} from "../store/event_question.ts";
import type { EventFilter } from "../store/event_conditions.ts";
import { Store } from "../store/store.ts";
import {
  type Disk,
  homeOf,
  openProjectFiles,
  type ProjectFiles,
} from "./project_files.ts";
import { openRegistry } from "./registry.ts";

/** Events told without a limit of the caller's own, as the daemon does. */
const DEFAULT_LIMIT = 50;

/**
 * The answer of `event.list`, of any length.
 *
 * @throws {TaskmuxError} E200 for a task that neither a file nor the history knows; E500 for a time, type or cursor that
 * is none; what is wrong with the project's file.
 */
export async function readEvents(
  disk: Disk,
  params: ParamsInput<"event.list">,
): Promise<Result<"event.list">> {
  const about = await aboutOf(disk, params.scope);
  const filter = {
    ...eventFilter(params, { now: systemClock.now() }),
    ...about,
  };
  using store = Store.openReadOnly(disk.paths);
  await checkTasks(
    disk,
    params,
    store?.events.taskNames(about.session ?? null) ?? [],
  );
  const page = store?.events.list({
    ...filter,
    limit: params.limit ?? DEFAULT_LIMIT,
  });
  const events = page?.events ?? [];
  return {
    ok: true,
    events: events.map(toRecord),
    count: events.length,
    cursor: cursorText(page?.cursor ?? filter.afterSeq ?? 0),
    has_more: page?.hasMore ?? false,
  };
}

/**
 * The files of the projects that a question is about, and of those they share tasks with, as far as they are known:
 * absolute paths.
 */
export async function configsOf(
  disk: Disk,
  scope: ParamsInput<"event.list">["scope"],
): Promise<string[]> {
  const configs = await ownConfigsOf(disk, scope);
  if (scope === undefined) return configs;
  const [config] = configs;
  using project = config === undefined
    ? null
    : await openIfReadable(disk, config);
  const owner = project?.owner ?? null;
  return owner === null ? configs : [...configs, owner.spec.configPath];
}

async function ownConfigsOf(
  disk: Disk,
  scope: ParamsInput<"event.list">["scope"],
): Promise<string[]> {
  if (scope?.config !== undefined) return [scope.config];
  const entries = await openRegistry(disk.paths, []).list();
  return entries
    .filter(({ id }) => scope === undefined || id === scope.session)
    .map(({ configPath }) => configPath);
}

/** What is in the history is not looked for in files. */
async function checkTasks(
  disk: Disk,
  { tasks = [], scope }: ParamsInput<"event.list">,
  inHistory: Iterable<string>,
): Promise<void> {
  const known = new Set(inHistory);
  if (tasks.every((name) => known.has(name))) return;
  for (const config of await ownConfigsOf(disk, scope)) {
    using project = await openIfReadable(disk, config);
    // What is in it is not known.
    if (project === null) return;
    for (const name of project.tasks.keys()) known.add(name);
  }
  checkTaskNames(tasks, known);
}

/** Null if its file cannot be read. */
async function openIfReadable(
  disk: Disk,
  config: string,
): Promise<ProjectFiles | null> {
  try {
    return await openProjectFiles(disk, config, { tolerant: true });
  } catch (error) {
    const isUnreadable = error instanceof TaskmuxError ||
      error instanceof Deno.errors.NotFound;
    if (isUnreadable) return null;
    throw error;
  }
}

/** Whose events are asked for; nothing = everybody's. */
async function aboutOf(
  disk: Disk,
  scope: ParamsInput<"event.list">["scope"],
): Promise<Pick<EventFilter, "session" | "shared">> {
  if (scope === undefined) return {};
  const { session } = scope;
  if (session === undefined) {
    using project = await openProjectFiles(disk, scope.config ?? "");
    return aboutProject(project);
  }
  const [config] = await ownConfigsOf(disk, scope);
  using project = config === undefined
    ? null
    : await openIfReadable(disk, config);
  return project === null ? { session } : aboutProject(project);
}

function aboutProject(
  project: ProjectFiles,
): Pick<EventFilter, "session" | "shared"> {
  const { identity: { projectId: session }, owner, spec } = project;
  const tasks = [...spec.tasks.keys()]
    .filter((name) => homeOf(project, name) !== project);
  return owner === null
    ? { session }
    : { session, shared: { session: owner.identity.projectId, tasks } };
}

/** A time as users write it, in milliseconds. */
export function timeOf(text: string): number {
  return timeAt(text, systemClock.now());
}
