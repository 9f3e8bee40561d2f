/**
 * A question about events, as it comes in, turned into a filter. The same with and without a daemon.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { Severity } from "../domain/event.ts";
import { selectedTypes } from "../domain/event_selection.ts";
import { parseTime } from "../kit/duration.ts";
import type { EventFilter } from "./event_conditions.ts";

/** What may be asked. Times are as users write them. */
export interface EventQuestion {
  readonly tasks?: readonly string[] | undefined;
  readonly types?: readonly string[] | undefined;
  readonly level?: Severity | null | undefined;
  readonly since?: string | null | undefined;
  readonly until?: string | null | undefined;
  readonly cursor?: string | null | undefined;
}

/**
 * The filter of a question, but for whose events are meant.
 *
 * @param now Wall time in milliseconds.
 * @throws {TaskmuxError} E500 for a time, cursor or type that is none.
 */
export function eventFilter(
  { tasks, types, level, since, until, cursor }: EventQuestion,
  { now }: { readonly now: number },
): Omit<EventFilter, "limit" | "session" | "shared"> {
  return {
    tasks: tasks ?? [],
    types: selectedTypes(types ?? [], level ?? null),
    ...typeof since === "string" ? { sinceMs: timeOf(since, now) } : {},
    ...typeof until === "string" ? { untilMs: timeOf(until, now) } : {},
    ...typeof cursor === "string" ? { afterSeq: cursorOf(cursor) } : {},
  };
}

/**
 * A time as users write it, in milliseconds.
 *
 * @throws {TaskmuxError} E500 if it is none.
 */
export function timeOf(text: string, now: number): number {
  const time = parseTime(text, now);
  if (time !== null) return time;
  throw new TaskmuxError("E500", `Cannot read time "${text}"`, {
    hint: "Use a duration such as 5m or 1h30m, or 2026-11-20T14:00",
  });
}

/** The cursor of an answer. */
export function cursorText(seq: number): string {
  return String(seq);
}

function cursorOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new TaskmuxError("E500", `Cannot read cursor "${text}"`, {
    hint: "Use the cursor of an earlier answer",
  });
}
