/**
 * What a daemon that is gone has noted of a caller.
 *
 * @module
 */

import type { Paths } from "../config/paths.ts";
import type { EventRecord } from "../domain/event.ts";
import { markOf, OWN_EVENTS } from "../store/caller_table.ts";
import { Store } from "../store/store.ts";

/**
 * Whether an event counts as told to the caller, so that no later answer tells it again.
 *
 * @throws {TaskmuxError} E601, E900 if the state cannot be read.
 */
export function wasTold(
  paths: Paths,
  caller: string,
  { seq, session, task }: Pick<EventRecord, "seq" | "session" | "task">,
): boolean {
  using store = Store.openReadOnly(paths);
  const marks = store?.callers.get(caller) ?? null;
  return marks !== null &&
    markOf(marks, session ?? OWN_EVENTS, task ?? null) >= seq;
}
