/**
 * Handlers of the operations on named cursors: places in the logs of a project that the daemon remembers for a caller.
 *
 * A place moves when the caller confirms what it got, not when it is sent: whoever is killed in between is sent the same
 * again.
 *
 * @module
 */

import { mergeCursors } from "../../logs/merge_cursors.ts";
import type { CursorKey } from "../../store/cursor_table.ts";
import type { CallContext, Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";

/** See the module. */
export function logCursorHandlers(
  services: Services,
): Pick<Handlers, "log.cursor" | "log.seen"> {
  const { store, projects, host } = services;
  return {
    "log.cursor": async ({ scope, cursor_name }, context) => {
      await using looked = await projects.look(scope);
      const { projectId } = looked.supervisor;
      const cursor = store.cursors.get(keyOf(projectId, cursor_name, context));
      return { ok: true, cursor_name, cursor };
    },
    "log.seen": async ({ scope, cursor_name, cursor }, context) => {
      await using looked = await projects.look(scope);
      const { projectId, runners } = looked.supervisor;
      const key = keyOf(projectId, cursor_name, context);
      const merged = mergeCursors(
        store.cursors.get(key),
        cursor,
        runners.map(({ name }) => name),
      );
      store.cursors.set(key, merged, host.clock);
      return { ok: true, cursor_name, cursor: merged };
    },
  };
}

/** The key of a cursor. */
export function keyOf(
  session: string,
  name: string,
  { caller }: Pick<CallContext, "caller">,
): CursorKey {
  return { caller: caller ?? "", session, name };
}
