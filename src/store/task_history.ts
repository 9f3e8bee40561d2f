/**
 * What the store remembers of a task that tells why it is as it is.
 *
 * @module
 */

import type { EventType, TaskEvent } from "../domain/event.ts";
import type { EndedRun, WhyHistory } from "../domain/why_facts.ts";
import type { RunRow } from "./run_table.ts";
import type { Store } from "./store.ts";

/** What somebody asked for. */
const WISHES: readonly EventType[] = [
  "task_started",
  "task_stopped",
  "task_killed",
];

/** What changed a task. */
const CHANGES: readonly EventType[] = [
  ...WISHES,
  "task_restarted",
  "task_exited",
  "task_healthy",
  "task_unhealthy",
  "task_failed",
  "task_completed",
  "auto_restart",
  "auto_restart_failed",
  "max_restarts_reached",
  "port_changed",
];

/** Changes that are read. */
const CHANGES_READ = 12;

/** Reads what happened to a task. Each of three questions costs microseconds, 50 ms where the history has no answer. */
export function taskHistory(
  { events }: Store,
  session: string,
  task: string,
): WhyHistory {
  const last = (types: readonly EventType[]): TaskEvent | null =>
    events.list({ session, tasks: [task], types, limit: 1 }).events[0] ?? null;
  // Hooks of the project are nobody's in particular.
  const hookFailure = events.list({
    session,
    types: ["hook_failed"],
    limit: CHANGES_READ,
  }).events.findLast((event) =>
    event.task === undefined || event.task === task
  );
  return {
    wish: last(WISHES),
    recent: events.list({
      session,
      tasks: [task],
      types: CHANGES,
      limit: CHANGES_READ,
    })
      .events,
    hookFailure: hookFailure ?? null,
  };
}

/** The newest run that is over. @param runs Of one task, the newest first. */
export function lastEndOf(
  runs: readonly RunRow[],
): (RunRow & EndedRun) | null {
  for (const run of runs) {
    if (run.exit !== null) return { ...run, exit: run.exit };
  }
  return null;
}

/** The time in which a run printed, in wall milliseconds. @param runs Of its task, the newest first. */
export function timeOfRun(
  runs: readonly RunRow[],
  run: Pick<RunRow, "startedAt">,
): { readonly sinceMs: number; readonly untilMs: number | null } {
  // Its last lines may bear a later time than its end, but none after the start of the next run.
  const next = runs.findLast(({ startedAt }) => startedAt > run.startedAt);
  return { sinceMs: run.startedAt, untilMs: next?.startedAt ?? null };
}
