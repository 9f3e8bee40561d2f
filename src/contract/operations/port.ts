/**
 * Operations on the TCP ports of the machine, whichever project they are about.
 *
 * @module
 */

import { z } from "zod";
import { call } from "../operation.ts";

/** Who listens on a port. */
export const portHolder = z.looseObject({
  /** Null if it cannot be seen: another user's process, or one in a container. */
  pid: z.number().nullable(),
  command: z.string().nullable(),
  /** Addresses it listens on, as in a URL. */
  addresses: z.array(z.string()),
  /** Of the user whose process cannot be seen; else null. */
  uid: z.number().nullable(),
  /** Whether it belongs to a task, or is the daemon itself; then `task` is null. */
  ours: z.boolean(),
  session: z.string().nullable(),
  task: z.string().nullable(),
  run_id: z.string().nullable(),
});

/** Which task gets a port when it starts. */
export const portLease = z.looseObject({
  session: z.string(),
  task: z.string(),
  /** Whether its definition says so; null if that cannot be read. */
  fixed: z.boolean().nullable(),
});

/** See the module. */
export const port = {
  "port.who": call({
    summary: "Tell who listens on a TCP port, and which task it belongs to",
    permission: "read",
    effect: "none",
    params: z.strictObject({ port: z.int().min(1).max(65_535) }),
    result: z.looseObject({
      ok: z.literal(true),
      port: z.number(),
      /** Null if it cannot be told. */
      listening: z.boolean().nullable(),
      /** Null if they cannot be told; `reason` says why. */
      holders: z.array(portHolder).nullable(),
      reason: z.string().optional(),
      lease: portLease.nullable(),
    }),
    errors: ["E500"],
    since: "0.1.0",
  }),
};
