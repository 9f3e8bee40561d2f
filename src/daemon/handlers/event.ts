/**
 * Handlers of the operations on events.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import { parseTime } from "../../kit/duration.ts";
import type { Scope } from "../../contract/operation.ts";
import type { Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";

/** See the module. */
export function eventHandlers(
  services: Services,
): Pick<Handlers, "event.list" | "event.follow"> {
  const { store, bus, host } = services;
  return {
    "event.list": async (params) => {
      const session = await sessionOf(services, params.scope);
      const page = store.events.list({
        ...(session === null ? {} : { session }),
        ...(params.task === null ? {} : { task: params.task }),
        ...(params.types.length === 0 ? {} : { types: params.types }),
        ...(params.since === null
          ? {}
          : { sinceMs: timeOf(params.since, host.clock.now()) }),
        ...(params.cursor === null
          ? {}
          : { afterSeq: cursorOf(params.cursor) }),
        limit: params.limit,
      });
      return {
        ok: true,
        events: page.events.map((event) => ({ ...event })),
        count: page.events.length,
        cursor: String(page.cursor),
      };
    },
    "event.follow": async function* (params, { signal }) {
      const session = await sessionOf(services, params.scope);
      const { task, types, cursor } = params;
      // Listening begins before the look back, so nothing falls between; what is seen twice is told once.
      const live = bus.subscribe({ session, task, types }, signal);
      let seen = 0;
      if (cursor !== null) {
        const { events } = store.events.list({
          ...(session === null ? {} : { session }),
          ...(task === null ? {} : { task }),
          ...(types.length === 0 ? {} : { types }),
          afterSeq: cursorOf(cursor),
          limit: 0,
        });
        for (const event of events) {
          seen = event.seq;
          yield { ...event };
        }
      }
      for await (const event of live) {
        if ("gap" in event) yield { gap: Number(event.gap) };
        else if (event.seq > seen) yield { ...event };
      }
    },
  };
}

async function sessionOf(
  services: Services,
  scope: Scope | undefined,
): Promise<string | null> {
  if (scope === undefined) return null;
  if (scope.session !== undefined) return scope.session;
  await using looked = await services.projects.look(scope);
  return looked.supervisor.projectId;
}

/** A time as users write it, in milliseconds. */
export function timeOf(text: string, now: number): number {
  const time = parseTime(text, now);
  if (time !== null) return time;
  throw new TaskmuxError("E500", `Cannot read time "${text}"`, {
    hint: "Use a duration such as 5m or 1h30m, or 2026-11-20T14:00",
  });
}

function cursorOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new TaskmuxError("E500", `Cannot read cursor "${text}"`, {
    hint: "Use the cursor of an earlier answer",
  });
}
