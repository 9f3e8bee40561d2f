/**
 * Operations on aliases: names of a project for ports that are not those of its tasks.
 *
 * @module
 */

import { z } from "zod";
import { call, scope } from "../operation.ts";

/** One alias. */
export const aliasRow = z.looseObject({
  name: z.string(),
  host: z.string(),
  port: z.number(),
  /** Null when a task has its host or name. */
  url: z.string().nullable(),
});

/** See the module. */
export const alias = {
  "alias.add": call({
    summary: "Give a port that no task listens on a name; live at once",
    permission: "control",
    effect: "idempotent",
    params: z.strictObject({
      scope,
      name: z.string(),
      port: z.number(),
      /** The name's label; by default the name. */
      host: z.string().optional(),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      alias: z.string(),
      host: z.string(),
      port: z.number(),
      url: z.string(),
      action: z.enum(["added", "replaced", "unchanged"]),
      warnings: z.array(z.string()),
    }),
    errors: ["E100", "E101", "E102", "E103", "E104", "E305", "E500", "E702"],
    since: "0.2.0",
  }),
  "alias.list": call({
    summary: "List the aliases of a project",
    permission: "read",
    effect: "none",
    params: z.strictObject({ scope }),
    result: z.looseObject({
      ok: z.literal(true),
      /** By name. */
      aliases: z.array(aliasRow),
      count: z.number(),
      warnings: z.array(z.string()),
    }),
    errors: [],
    since: "0.2.0",
  }),
  "alias.remove": call({
    summary: "Take the name of a foreign port away",
    permission: "control",
    effect: "destructive",
    params: z.strictObject({ scope, name: z.string() }),
    result: z.looseObject({
      ok: z.literal(true),
      alias: z.string(),
      action: z.literal("removed"),
    }),
    errors: ["E703"],
    since: "0.2.0",
  }),
};
