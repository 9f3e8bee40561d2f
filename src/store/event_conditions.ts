/**
 * Which rows of the history are meant, in SQL.
 *
 * @module
 */

import type { EventSelection } from "../domain/event_selection.ts";
import { type CallerMarks, markOf, OWN_EVENTS } from "./caller_table.ts";
import type { Value } from "./database.ts";

/** Which events. All conditions hold together. */
export interface EventFilter extends EventSelection {
  /** Wall time in milliseconds; events at that time or later. */
  readonly sinceMs?: number;
  /** Wall time in milliseconds; events at that time or earlier. */
  readonly untilMs?: number;
  /** Events after this number, the oldest of them first. */
  readonly afterSeq?: number;
  /** Most events in the answer; 0 = all. */
  readonly limit: number;
}

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

/** Whose events are meant: a project's, and those of what it shares with another one. */
export type EventsAbout = Required<
  Pick<EventSelection, "session" | "shared">
>;

/** Of all projects, each after its own mark. */
export function conditionsAfter({ seq, sessions }: CallerMarks): Conditions {
  const marks = JSON.stringify(sessions);
  return {
    where: `where seq > ? and seq > coalesce(${
      MARK_OF("coalesce(session, '')")
    }, 0)
      and seq > coalesce(${MARK_OF(TASK_KEY)}, 0)`,
    params: [seq, marks, marks],
  };
}

/** Of one project, of what it shares, and of taskmux itself, each after its mark. They have no event in common. */
export function conditionsAfterOf(
  marks: CallerMarks,
  { session, shared }: EventsAbout,
): Conditions[] {
  const sessions = JSON.stringify(marks.sessions);
  const parts = [
    { owner: session, tasks: [] },
    { owner: null, tasks: [] },
    ...shared === null ? [] : [{ owner: shared.session, tasks: shared.tasks }],
  ];
  return parts.map(({ owner, tasks }) => {
    const afterSeq = markOf(marks, owner ?? OWN_EVENTS);
    const { where, params } = conditions({ owner, tasks, afterSeq });
    return owner === null ? { where, params } : {
      where: `${where} and seq > coalesce(${MARK_OF(TASK_KEY)}, 0)`,
      params: [...params, sessions],
    };
  });
}

/** As `taskMark` of the marks has it; null for what is no task's. */
const TASK_KEY = "session || '/' || task";

const MARK_OF = (key: string): string =>
  `(select value from json_each(?) where key = ${key})`;
