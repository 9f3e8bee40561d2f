/**
 * Operations on the history of events.
 *
 * @module
 */

import { z } from "zod";
import { SEVERITIES } from "../../domain/event_catalog.ts";
import { call, scope, stream } from "../operation.ts";

/** An event. Extra keys belong to its type; `docs/events.md` has them all. */
export const eventRecord = z.looseObject({
  seq: z.number(),
  ts: z.string(),
  event: z.string(),
  severity: z.enum(SEVERITIES),
  session: z.string().nullable(),
  task: z.string().optional(),
});

const selection = {
  /** Events of this project and of taskmux itself. Absent = of every project. */
  scope: scope.optional(),
  /** Empty = all, those of no task too. */
  tasks: z.array(z.string()).default([]),
  /** Empty = all. */
  types: z.array(z.string()).default([]),
  /** The least severity. */
  level: z.enum(SEVERITIES).nullable().default(null),
  since: z.string().nullable().default(null),
  /** Only what came after the answer of which this is the cursor. */
  cursor: z.string().nullable().default(null),
};

/** See the module. */
export const event = {
  "event.list": call({
    summary: "List lifecycle events, oldest first",
    permission: "read",
    effect: "none",
    params: z.strictObject({
      ...selection,
      until: z.string().nullable().default(null),
      /** Most events: the newest, with a cursor the oldest. 0 and anything above 2 000 are 2 000. */
      limit: z.number().int().min(0).default(50),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      events: z.array(eventRecord),
      count: z.number(),
      cursor: z.string(),
      /** Whether the limit has cut off events after these. Only with a cursor. */
      has_more: z.boolean(),
      /** Tasks of another project that the one asked about shares: their events are among these. */
      shared: z.object({
        session: z.string(),
        tasks: z.array(z.string()).readonly(),
      })
        .optional(),
      /** Events after the cursor, of any kind, that are not in the history any more. Only with a cursor. */
      forgotten: z.number().optional(),
    }),
    errors: ["E200", "E500"],
    since: "0.1.0",
  }),
  "event.follow": stream({
    summary: "Follow lifecycle events as they happen",
    permission: "read",
    effect: "none",
    params: z.strictObject(selection),
    /** `{gap:N}` stands for N events that this subscriber was too slow for. */
    result: z.union([eventRecord, z.strictObject({ gap: z.number() })]),
    errors: ["E200", "E500"],
    since: "0.1.0",
  }),
};
