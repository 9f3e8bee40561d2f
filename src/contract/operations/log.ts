/**
 * Operations on the output of tasks.
 *
 * @module
 */

import { z } from "zod";
import { LOG_LEVELS } from "../../domain/log_levels.ts";
import { call, scope, stream } from "../operation.ts";

/** Most fields that a question may name. */
const MAX_FIELDS = 32;

const query = {
  scope,
  /** Empty = every task. */
  tasks: z.array(z.string()).default([]),
  /** Last lines; 0 = none, null = no limit. */
  lines: z.number().int().min(0).nullable().default(100),
  /** Regular expression; case-insensitive unless it holds an upper-case letter. */
  grep: z.string().nullable().default(null),
  /** Only lines of this level or a worse one, and what continues them. */
  level: z.enum(LOG_LEVELS).nullable().default(null),
  /** Only structured lines with all of these, `KEY=VALUE` each; a key with dots reaches into objects. */
  fields: z.array(z.string()).max(MAX_FIELDS).default([]),
  /** Lines of context around a match. */
  context: z.number().int().min(0).default(0),
  /** Duration such as `5m`, or an ISO time (local unless zoned). */
  since: z.string().nullable().default(null),
  until: z.string().nullable().default(null),
};

/** One line with its task. */
export const logRecord = z.looseObject({
  ts: z.string(),
  task: z.string(),
  text: z.string(),
});

/** Occurrences of one error in one task. */
export const errorGroup = z.looseObject({
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
export const log = {
  "log.read": call({
    summary: "Read the logs of a task or of all tasks, rotated files included",
    permission: "read",
    effect: "none",
    params: z.strictObject({
      ...query,
      cursor: z.string().nullable().default(null),
    }),
    /** One task named: `lines` are the strings of its file. Several or all: `{ts,task,text}`, merged by time. */
    result: z.looseObject({
      ok: z.literal(true),
      task: z.string().optional(),
      lines: z.array(z.union([z.string(), logRecord])),
      cursor: z.string(),
      dropped: z.number(),
      has_more: z.boolean(),
    }),
    errors: ["E200", "E500"],
    since: "0.1.0",
  }),
  "log.follow": stream({
    summary:
      "Follow the logs of a task or of all tasks across rotation and restart",
    permission: "read",
    effect: "none",
    params: z.strictObject({
      ...query,
      lines: z.number().int().min(0).nullable().default(10),
    }),
    result: logRecord,
    errors: ["E200", "E500"],
    since: "0.1.0",
  }),
  "log.errors": call({
    summary:
      "Digest what went wrong: errors and stack traces in the logs, each once",
    permission: "read",
    effect: "none",
    params: z.strictObject({
      scope,
      /** Empty = every task. */
      tasks: z.array(z.string()).default([]),
      since: query.since,
      until: query.until,
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
  "log.clean": call({
    summary:
      "Delete the log files of a task or of all tasks; running tasks go on in a new file",
    permission: "control",
    effect: "destructive",
    params: z.strictObject({
      scope,
      /** Empty = every task. */
      tasks: z.array(z.string()).default([]),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      /** The one task that was named; null = several, or all. */
      task: z.string().nullable(),
      deleted: z.number(),
    }),
    errors: ["E200"],
    since: "0.1.0",
  }),
};
