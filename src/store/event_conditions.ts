/**
 * Which rows of the history are meant, in SQL.
 *
 * @module
 */

import type { CallerMarks } from "./caller_table.ts";
import type { Value } from "./database.ts";
import type { EventFilter } from "./event_table.ts";

/** A filter of rows in SQL. */
export interface Conditions {
  readonly where: string;
  readonly params: readonly Value[];
}

/** Of a filter. @param filter `owner`: a project, null = taskmux itself, absent = all. */
export function conditions(
  filter: Omit<EventFilter, "session" | "limit"> & {
    readonly owner: string | null | undefined;
  },
): Conditions {
  const { owner, tasks = [], types = [], sinceMs, untilMs, afterSeq } = filter;
  const parts: [sql: string, param: Value][] = [];
  // "is" compares null with null.
  if (owner !== undefined) parts.push(["session is ?", owner]);
  if (tasks.length === 1) parts.push(["task = ?", tasks[0]!]);
  if (tasks.length > 1) parts.push([ONE_OF("task"), JSON.stringify(tasks)]);
  if (types.length > 0) parts.push([ONE_OF("event"), JSON.stringify(types)]);
  if (sinceMs !== undefined) parts.push(["at >= ?", sinceMs]);
  if (untilMs !== undefined) parts.push(["at <= ?", untilMs]);
  if (afterSeq !== undefined) parts.push(["seq > ?", afterSeq]);
  return {
    where: parts.length === 0
      ? ""
      : `where ${parts.map(([sql]) => sql).join(" and ")}`,
    params: parts.map(([, param]) => param),
  };
}

const ONE_OF = (column: "task" | "event"): string =>
  `${column} in (select value from json_each(?))`;

/** Of all projects, each after its own mark. */
export function conditionsAfter({ seq, sessions }: CallerMarks): Conditions {
  return {
    where: `where seq > ? and seq > coalesce(
      (select value from json_each(?) where key = coalesce(session, '')), 0)`,
    params: [seq, JSON.stringify(sessions)],
  };
}
