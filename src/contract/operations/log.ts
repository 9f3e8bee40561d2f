/**
 * Operations on the output of tasks.
 *
 * @module
 */

import { z } from "zod";
import {
  CURSOR_NAME_REGEXP,
  CURSOR_NAME_RULE,
} from "../../domain/cursor_name.ts";
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

const extent = z.strictObject({ lines: z.number(), bytes: z.number() });

/** What stands for lines in an answer with a budget. */
const logMark = z.strictObject({
  /** Lines that are left out here. */
  omitted: extent.optional(),
  /** Lines that said the same as the one before this. */
  repeated: z.number().optional(),
  /** They differed from it in numbers, times or spinners. */
  similar: z.literal(true).optional(),
  /** Lines that a terminal shows no more, because the next one was drawn over them. */
  redrawn: z.number().optional(),
});

/** The name of a cursor that the daemon remembers. */
const cursorName = z.string().regex(CURSOR_NAME_REGEXP, CURSOR_NAME_RULE);

/** See the module. */
export const log = {
  "log.read": call({
    summary: "Read the logs of a task or of all tasks, rotated files included",
    permission: "read",
    effect: "none",
    params: z.strictObject({
      ...query,
      /**
       * Last lines, after a cursor first ones; 0 = none, null = no limit. By default 100; with `max_bytes` 1000, or, if there
       * is a pattern, a time or a cursor, no limit.
       */
      lines: z.number().int().min(0).nullable().optional(),
      /** Where an earlier answer ended: all that came after, or the first `lines` of it. Tasks it does not name begin anew. */
      cursor: z.string().nullable().default(null),
      /** In place of `cursor`: what {@linkcode log}`["log.seen"]` last confirmed under this name for this caller. */
      cursor_name: cursorName.nullable().default(null),
      /** Most bytes of the answer as JSON with a newline. `lines` then holds marks, too, and `omitted` is in the answer. */
      max_bytes: z.number().int().min(1).nullable().default(null),
    }),
    /** One task named: `lines` are the strings of its file. Several or all: `{ts,task,text}`, merged by time. */
    result: z.looseObject({
      ok: z.literal(true),
      task: z.string().optional(),
      lines: z.array(z.union([z.string(), logRecord, logMark])),
      cursor: z.string(),
      dropped: z.number(),
      has_more: z.boolean(),
      /** With a budget: what is left out, and the files that have it. */
      omitted: extent.optional(),
      files: z.array(z.string()).optional(),
    }),
    errors: ["E200", "E500"],
    since: "0.1.0",
    bulky: true,
  }),
  "log.cursor": call({
    summary: "Tell where a named cursor of the caller stands",
    permission: "read",
    effect: "none",
    params: z.strictObject({ scope, cursor_name: cursorName }),
    result: z.looseObject({
      ok: z.literal(true),
      cursor_name: z.string(),
      /** Null = nothing was confirmed yet. */
      cursor: z.string().nullable(),
    }),
    errors: ["E500"],
    since: "0.1.0",
  }),
  "log.seen": call({
    summary: "Confirm what was read, so that a named cursor moves there",
    permission: "read",
    effect: "idempotent",
    params: z.strictObject({
      scope,
      cursor_name: cursorName,
      /** Of the answer that was read. Tasks it does not name stay where they were. */
      cursor: z.string(),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      cursor_name: z.string(),
      cursor: z.string(),
    }),
    errors: ["E500"],
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
  "log.feed": stream({
    summary:
      "Follow logs in pieces, each with the cursor from which somebody else could go on",
    permission: "read",
    effect: "none",
    params: z.strictObject({
      ...query,
      lines: z.number().int().min(0).nullable().default(10),
      until: z.null().default(null),
      /** In place of `lines`: all that came after the answer or the piece of which this is the cursor. */
      cursor: z.string().nullable().default(null),
    }),
    result: z.strictObject({
      lines: z.array(logRecord),
      /** Bytes that rotation took away before these lines. */
      dropped: z.number(),
      /** Leads to what comes after; null = only that of a later piece does. The first one comes at once. */
      cursor: z.string().nullable(),
    }),
    errors: ["E200", "E500"],
    since: "0.4.0",
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
