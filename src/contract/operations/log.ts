/**
 * Operations on the output of tasks.
 *
 * @module
 */

import { z } from "zod";
import { call, scope, stream } from "../operation.ts";

const query = {
  scope,
  /** Empty = every task. */
  tasks: z.array(z.string()).default([]),
  /** Last lines; 0 = none, null = no limit. */
  lines: z.number().int().min(0).nullable().default(100),
  /** Regular expression; case-insensitive unless it holds an upper-case letter. */
  grep: z.string().nullable().default(null),
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
    bulky: true,
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
