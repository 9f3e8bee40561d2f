/**
 * What is new to a caller, for people: one line.
 *
 * @module
 */

import type { RecentEvents } from "../../domain/recent_events.ts";

/** Events named; the others are counted. */
const NAMED_MAX = 5;

/** The note, such as `3 events since your last call: task_exited api, …`. */
export function newsLines(
  { recent_events: events, recent_events_omitted: omitted = 0 }: RecentEvents,
): string[] {
  const all = events.length + omitted;
  const named = events.slice(-NAMED_MAX).map(({ event, task }) =>
    task === undefined ? event : `${event} ${task}`
  );
  const lead = all > named.length ? "…, " : "";
  return [
    `(${all} ${all === 1 ? "event" : "events"} since your last call: ${lead}${
      named.join(", ")
    })`,
  ];
}
