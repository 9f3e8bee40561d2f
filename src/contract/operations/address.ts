/**
 * Operations on addresses: where tasks and aliases can be reached.
 *
 * @module
 */

import { z } from "zod";
import { call, scope } from "../operation.ts";

/** Whether `warnings` are to tell what keeps people from visiting; that costs a look at the stores of browsers. */
const tips = z.boolean().default(false);

const warnings = z.array(z.string()).optional();

/** Whether the public address is meant, E743 if there is none. */
const isPublic = z.boolean().default(false);

/** The address of one task or alias. */
export const address = {
  "address.get": call({
    summary:
      "Tell the address of a task or alias, whether or not something answers there now",
    permission: "read",
    effect: "none",
    params: z.strictObject({
      scope,
      name: z.string(),
      public: isPublic,
      tips,
    }),
    result: z.looseObject({
      ok: z.literal(true),
      /** The task or alias. */
      task: z.string(),
      url: z.string(),
      /** Where others reach it now; null = nowhere. */
      public_url: z.string().nullable(),
      warnings,
    }),
    errors: ["E200", "E700", "E702", "E743"],
    since: "0.2.0",
    // For scripts, as `project.env`: an address that is not whole is of no use.
    redacted: false,
  }),
  "address.list": call({
    summary: "Tell the address of every task and alias that has one",
    permission: "read",
    effect: "none",
    params: z.strictObject({ scope, tips }),
    result: z.looseObject({
      ok: z.literal(true),
      project_id: z.string(),
      urls: z.array(z.looseObject({
        task: z.string(),
        host: z.string().nullable(),
        url: z.string(),
        public_url: z.string().nullable(),
      })),
      warnings,
    }),
    errors: [],
    since: "0.2.0",
    redacted: false,
  }),
  "address.open": call({
    summary: "Open the address of a task or alias in the caller's browser",
    permission: "control",
    effect: "idempotent",
    params: z.strictObject({
      scope,
      name: z.string(),
      public: isPublic,
      /** The environment of the caller's shell: its display, its browser. */
      env: z.record(z.string(), z.string()),
    }),
    /** `ok` is whether a browser took it. If not, there are `error_code`, `error` and `hint`. */
    result: z.looseObject({
      ok: z.boolean(),
      task: z.string(),
      url: z.string(),
      error_code: z.string().optional(),
      error: z.string().optional(),
      hint: z.string().optional(),
      warnings,
    }),
    errors: ["E200", "E700", "E701", "E702", "E704", "E743"],
    since: "0.2.0",
    redacted: false,
  }),
};
