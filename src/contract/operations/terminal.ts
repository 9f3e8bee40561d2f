/**
 * Operations on the terminal of a task: looking at it and typing into it.
 *
 * @module
 */

import { z } from "zod";
import { call, scope, stream } from "../operation.ts";

/** Most characters typed at once. */
const MAX_INPUT_LENGTH = 64 * 1024;

/** The kernel counts columns and rows in 16 bits. */
const side = z.number().int().min(1).max(65_535);

const size = z.strictObject({ cols: side, rows: side });

const run = { scope, task: z.string(), run_id: z.string() };

/** See the module. */
export const terminal = {
  "terminal.attach": stream({
    summary: "Follow the raw output of a running task until its run is over",
    permission: "control",
    effect: "none",
    params: z.strictObject({
      scope,
      task: z.string(),
      /** Only this run; null = the one that runs now. */
      run_id: z.string().nullable().default(null),
      /** Position to go on from, the `next` of the last item; 0 = all that is kept, at most 64 KiB. */
      from: z.number().int().min(0).default(0),
      /** Size of the terminal while the caller looks at it; null leaves it. */
      size: size.nullable().default(null),
    }),
    /** First the run, then output with the position behind it, at last how the run ended. */
    result: z.union([
      z.strictObject({ run_id: z.string(), pid: z.number() }),
      z.strictObject({
        data: z.string(),
        next: z.number(),
        /** Bytes that came too fast for the caller. */
        dropped: z.number(),
      }),
      z.strictObject({
        /** Negative = minus the signal number; null = not known. */
        exit_code: z.number().nullable(),
      }),
    ]),
    errors: ["E200", "E202"],
    since: "0.1.0",
    // The terminal itself: what is cut anywhere is no text that could be searched.
    redacted: false,
  }),
  "terminal.write": call({
    summary: "Type into a running task",
    permission: "control",
    effect: "destructive",
    params: z.strictObject({
      ...run,
      data: z.string().max(MAX_INPUT_LENGTH),
    }),
    result: z.looseObject({ ok: z.literal(true) }),
    errors: ["E200", "E202"],
    since: "0.1.0",
  }),
  "terminal.resize": call({
    summary: "Change the size of a running task's terminal",
    permission: "control",
    effect: "idempotent",
    params: z.strictObject({ ...run, ...size.shape }),
    result: z.looseObject({ ok: z.literal(true) }),
    errors: ["E200", "E202"],
    since: "0.1.0",
  }),
};
