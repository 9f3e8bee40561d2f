/**
 * Lifecycle events: what happened, in an order that no clock can disturb.
 *
 * @module
 */

import type { JsonObject } from "../kit/json.ts";

/** Every type of event. A reader ignores types it does not know. */
export type EventType =
  | "task_started"
  | "task_stopped"
  | "task_restarted"
  | "task_killed"
  | "task_exited"
  | "task_healthy"
  | "task_unhealthy"
  | "task_failed"
  | "task_completed"
  | "health_check_failed"
  | "auto_restart"
  | "auto_restart_failed"
  | "max_restarts_reached"
  | "hook_failed"
  | "orphan_reaped"
  | "port_changed"
  | "environment_lost"
  | "session_started"
  | "session_stopped"
  | "config_reloaded"
  | "config_error"
  | "config_missing"
  | "project_registered"
  | "project_unregistered"
  | "alias_added"
  | "alias_removed"
  | "tunnel_opened"
  | "tunnel_failed"
  | "tunnel_recovered"
  | "tunnel_closed"
  | "worktree_removed"
  | "log_error"
  | "disk_error"
  | "disk_recovered"
  | "keeper_lost"
  | "state_damaged"
  | "daemon_started"
  | "daemon_stopped";

/** `info`: as it should be. `warning`: something went wrong and is dealt with. `error`: it is not, or something is lost. */
export type Severity = "info" | "warning" | "error";

/** An event before it has a place in the order. */
export interface NewEvent {
  readonly event: EventType;
  /** Project id; null for the daemon's own events. */
  readonly session: string | null;
  readonly task?: string;
  /** Wall time in milliseconds. */
  readonly at: number;
  /** Facts of this type of event. Must not use the names `seq ts event session task`. */
  readonly data?: JsonObject;
}

/** An event as it is stored and sent. Extra keys are the event's data. */
export interface TaskEvent {
  /** Grows by at least one with every event, over the life of the state folder. */
  readonly seq: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly ts: string;
  readonly event: EventType;
  readonly session: string | null;
  readonly task?: string;
  readonly [key: string]: unknown;
}

/** An event as it is answered: with its severity. */
export interface EventRecord extends TaskEvent {
  readonly severity: Severity;
}
