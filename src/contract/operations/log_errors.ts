/**
 * The operation that digests what went wrong.
 *
 * @module
 */

import { z } from "zod";
import { call, scope } from "../operation.ts";

/** Occurrences of one error in one task. */
const errorGroup = z.looseObject({
  /** The same error has the same one, whatever its ids and times. */
  fingerprint: z.string(),
  /** The runtime or tool that printed it, or `log` for a line that calls itself an error. */
  kind: z.string(),
  task: z.string(),
  message: z.string(),
  count: z.number(),
  first: z.string(),
  last: z.string(),
  /** The innermost place in the project's own source; `file` is relative to the project. */
  frame: z.looseObject({
    file: z.string(),
    line: z.number().nullable(),
    column: z.number().nullable(),
    function: z.string().nullable(),
  }).nullable(),
  /** The lines that tell most. */
  sample: z.array(z.string()),
});

/** See the module. */
export const logErrors = {
  "log.errors": call({
    summary:
      "Digest what went wrong: errors and stack traces in the logs, each once",
    permission: "read",
    effect: "none",
    params: z.strictObject({
      scope,
      /** Empty = every task. */
      tasks: z.array(z.string()).default([]),
      /** Duration such as `5m`, or an ISO time (local unless zoned). */
      since: z.string().nullable().default(null),
      until: z.string().nullable().default(null),
      /** Where an earlier answer ended. */
      cursor: z.string().nullable().default(null),
      /** Most groups, the newest ones. */
      groups: z.number().int().min(0).max(1000).default(20),
      /** Most bytes of the answer as JSON with its newline; null = no limit. */
      max_bytes: z.number().int().min(1).nullable().default(null),
      /** Rather nothing than the newest part of a long range: then `groups` is empty and everything is `skipped_bytes`. */
      wholly: z.boolean().default(false),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      /** Newest `last` first. */
      groups: z.array(errorGroup),
      /** Groups beyond `groups`, `max_bytes` or what the daemon keeps. */
      omitted_groups: z.number(),
      cursor: z.string(),
      dropped: z.number(),
      scanned: z.looseObject({
        lines: z.number(),
        bytes: z.number(),
        /** The older part of the range, which was too long. */
        skipped_bytes: z.number(),
        /** Time of the oldest line that was read. */
        since: z.string().nullable(),
      }),
    }),
    errors: ["E200", "E500"],
    since: "0.1.0",
  }),
};
