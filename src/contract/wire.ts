/**
 * The frames between a client and the daemon over `run/daemon.sock`: newline-delimited JSON, the daemon speaks first.
 * No zod here: the CLI loads this file.
 *
 * @module
 */

import type { JsonObject } from "../kit/json.ts";
import type { ErrorShape } from "../domain/error.ts";

/** Version of the frames. Clients and daemons with different numbers cannot talk (E601). */
export const WIRE_PROTOCOL = 1;

/** Version of taskmux; equal to the one in `deno.json`, which a test checks. */
export const VERSION = "0.1.0";

/** Most events in one answer, so that it fits a frame. */
export const MAX_EVENTS_PER_ANSWER = 2_000;

/**
 * The daemon's first frame.
 *
 * Frozen, for every version there will ever be: the daemon speaks first, in one line of JSON with these four fields; and
 * it takes, as a line, `{"id":1,"op":"daemon.stop","params":{"keep_tasks":true}}` (or `false`) with exactly this one
 * parameter, ends, and lets go of `run/daemon.lock`. So any taskmux can replace or stop any other. An answer may come
 * before the end; no field of it is promised.
 */
export interface Hello {
  readonly taskmux: "daemon";
  readonly protocol: number;
  readonly version: string;
  readonly pid: number;
}

/**
 * Asks an operation, or withdraws an earlier request, or confirms that the `recent_events` of an answer have arrived.
 * Without that they come again with a later answer, so a client tells nobody of them before the confirmation is taken.
 */
export type ClientFrame =
  | RequestFrame
  | { readonly cancel: number }
  | { readonly seen: number };

/** A question, and how it is asked. */
export interface RequestFrame extends Manner {
  readonly id: number;
  readonly op: string;
  readonly params: unknown;
}

/** What holds for any question, whatever is asked. */
export interface Manner {
  /**
   * Who asks, by a name of its own choice: 1 to 128 visible ASCII characters. The answer of a call then carries
   * `recent_events`, the events since this caller's last call.
   */
  readonly caller?: string;
  /** Secrets are shown. Otherwise they are replaced by `***`. */
  readonly reveal?: true;
  /** For whom this is asked, such as `mcp claude-code 2.1.0`: what it changes is written into the daemon's log. */
  readonly label?: string;
  /** The project whose events are news to the caller, by its id; absent = the one that the question is about. */
  readonly news_of?: string;
}

/**
 * What comes back for one request: any number of `progress` and `item`, then exactly one `result`, `error` or `end`.
 * `seen` answers a confirmation: false = it came too late, and the events will come again.
 */
export type ServerFrame =
  | { readonly id: number; readonly progress: Progress }
  | { readonly id: number; readonly item: JsonObject }
  | { readonly id: number; readonly result: JsonObject }
  | { readonly id: number; readonly error: ErrorShape }
  | { readonly id: number; readonly end: true }
  | { readonly id: number; readonly seen: boolean };

/** What a long action tells while it works: the tasks that changed, and whom each waits for. */
export interface Progress {
  readonly task: string;
  readonly state: string;
  readonly waiting_for?: readonly {
    readonly task: string;
    readonly condition: string;
  }[];
  readonly message?: string;
}
