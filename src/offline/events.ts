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
import { Store } from "../store/store.ts";
import { type Disk, openProjectFiles } from "./project_files.ts";
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
  const session = await sessionOf(disk, params.scope);
  const filter = eventFilter(params, { session, now: systemClock.now() });
  using store = Store.openReadOnly(disk.paths);
  await checkTasks(disk, params, store?.events.taskNames(session) ?? []);
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

/** The files of the projects that a question is about, as far as they are known: absolute paths. */
export async function configsOf(
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
  for (const config of await configsOf(disk, scope)) {
    try {
      using project = await openProjectFiles(disk, config, { tolerant: true });
      for (const name of project.tasks.keys()) known.add(name);
    } catch (error) {
      const isUnreadable = error instanceof TaskmuxError ||
        error instanceof Deno.errors.NotFound;
      if (!isUnreadable) throw error;
      // What is in it is not known.
      return;
    }
  }
  checkTaskNames(tasks, known);
}

/** Null = every project. */
async function sessionOf(
  disk: Disk,
  scope: ParamsInput<"event.list">["scope"],
): Promise<string | null> {
  if (scope?.config === undefined) return scope?.session ?? null;
  using project = await openProjectFiles(disk, scope.config);
  return project.identity.projectId;
}

/** A time as users write it, in milliseconds. */
export function timeOf(text: string): number {
  return timeAt(text, systemClock.now());
}
