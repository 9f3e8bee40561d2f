/**
 * Operations on the history of events.
 *
 * @module
 */

import { z } from "zod";
import { call, scope, stream } from "../operation.ts";

/** An event. Extra keys belong to its type. */
export const eventRecord = z.looseObject({
  seq: z.number(),
  ts: z.string(),
  event: z.string(),
  session: z.string().nullable(),
  task: z.string().optional(),
});

/** See the module. */
export const event = {
  "event.list": call({
    summary: "List lifecycle events, oldest first",
    permission: "read",
    effect: "none",
    params: z.strictObject({
      /** Absent = every project. */
      scope: scope.optional(),
      task: z.string().nullable().default(null),
      types: z.array(z.string()).default([]),
      since: z.string().nullable().default(null),
      /** Newest events kept; 0 = all. */
      limit: z.number().int().min(0).default(50),
      cursor: z.string().nullable().default(null),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      events: z.array(eventRecord),
      count: z.number(),
      cursor: z.string(),
    }),
    errors: ["E500"],
    since: "0.1.0",
  }),
  "event.follow": stream({
    summary: "Follow lifecycle events as they happen",
    permission: "read",
    effect: "none",
    params: z.strictObject({
      scope: scope.optional(),
      task: z.string().nullable().default(null),
      types: z.array(z.string()).default([]),
      cursor: z.string().nullable().default(null),
    }),
    /** `{gap:N}` stands for N events that this subscriber was too slow for. */
    result: z.union([eventRecord, z.strictObject({ gap: z.number() })]),
    errors: ["E500"],
    since: "0.1.0",
  }),
};
