/**
 * `events` without a daemon.
 *
 * @module
 */

import type { ParamsInput, Result } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import { parseTime } from "../kit/duration.ts";
import { Store } from "../store/store.ts";
import { type Disk, openProjectFiles } from "./project_files.ts";

/** Events told without a limit of the caller's own, as the daemon does. */
const DEFAULT_LIMIT = 50;

/**
 * The answer of `event.list`.
 *
 * @throws {TaskmuxError} E500 for a time or cursor that is none; what is wrong with the project's file.
 */
export async function readEvents(
  disk: Disk,
  params: ParamsInput<"event.list">,
): Promise<Result<"event.list">> {
  const session = await sessionOf(disk, params.scope);
  const { task, types = [], since, limit = DEFAULT_LIMIT, cursor } = params;
  using store = Store.openReadOnly(disk.paths);
  const page = store?.events.list({
    ...session === null ? {} : { session },
    ...typeof task === "string" ? { task } : {},
    ...types.length === 0 ? {} : { types },
    ...typeof since === "string" ? { sinceMs: timeOf(since) } : {},
    ...typeof cursor === "string" ? { afterSeq: cursorOf(cursor) } : {},
    limit,
  });
  const events = page?.events ?? [];
  return {
    ok: true,
    events: events.map((event) => ({ ...event })),
    count: events.length,
    cursor: String(page?.cursor ?? 0),
  };
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
  const time = parseTime(text, systemClock.now());
  if (time !== null) return time;
  throw new TaskmuxError("E500", `Cannot read time "${text}"`, {
    hint: "Use a duration such as 5m or 1h30m, or 2026-11-20T14:00",
  });
}

function cursorOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new TaskmuxError("E500", `Cannot read cursor "${text}"`, {
    hint: "Use the cursor of an earlier answer",
  });
}
