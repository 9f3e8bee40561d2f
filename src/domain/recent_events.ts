/**
 * What is new to a caller: part of every answer to it, also of a refusal.
 *
 * @module
 */

import type { EventRecord } from "./event.ts";

/** Most events in one answer; the newest. */
export const MAX_RECENT_EVENTS = 20;

/** The events since the caller's last call. */
export interface RecentEvents {
  /** Oldest first, at most {@linkcode MAX_RECENT_EVENTS}. */
  readonly recent_events: readonly EventRecord[];
  /** How many older ones were left out, if any were. */
  readonly recent_events_omitted?: number;
}

/**
 * Told once what became of an answer with events in it: it has arrived, or was lost.
 *
 * @returns Whether its events now count as told. False also when it took so long that they were told elsewhere.
 */
export type Settle = (hasArrived: boolean) => boolean;

/** The newest of several answers as one. */
export function joinRecent(
  one: RecentEvents | null,
  other: RecentEvents,
): RecentEvents {
  const events = [...one?.recent_events ?? [], ...other.recent_events];
  const surplus = Math.max(0, events.length - MAX_RECENT_EVENTS);
  const omitted = surplus + (one?.recent_events_omitted ?? 0) +
    (other.recent_events_omitted ?? 0);
  return {
    recent_events: events.slice(surplus),
    ...omitted === 0 ? {} : { recent_events_omitted: omitted },
  };
}
