/**
 * Operations on the daemon itself.
 *
 * @module
 */

import { z } from "zod";
import { call } from "../operation.ts";

/** See the module. */
export const daemon = {
  "daemon.ping": call({
    summary: "Tell that the daemon answers",
    permission: "read",
    effect: "none",
    params: z.strictObject({}),
    result: z.looseObject({
      ok: z.literal(true),
      pid: z.number(),
      version: z.string(),
      /** Whether a service manager started it, and starts the next one. */
      managed: z.boolean().optional(),
      /** Whether it holds ports that only a next one that starts as root could bind. */
      needs_root: z.boolean().optional(),
    }),
    errors: [],
    since: "0.1.0",
  }),
  "daemon.status": call({
    summary: "Tell how the daemon and its parts are",
    permission: "read",
    effect: "none",
    params: z.strictObject({}),
    result: z.looseObject({
      ok: z.literal(true),
      running: z.boolean(),
      pid: z.number().nullable(),
      version: z.string(),
      /** Seconds since the epoch. */
      started_at: z.number().nullable(),
      api_port: z.number().nullable(),
      registered_projects: z.number(),
      running_tasks: z.number(),
      /** Those that can be reached from outside this machine. */
      public_tasks: z.number(),
      keeper: z.looseObject({
        pid: z.number().nullable(),
        /** Older than the daemon's after an upgrade, for as long as a task lives that it holds. */
        version: z.string().optional(),
        protocol: z.number().optional(),
      }),
      /** Whether the daemon and its tasks have the rights of root. */
      is_root: z.boolean().optional(),
      /** Whether a service manager started this daemon, and which of its files there are. */
      service: z.looseObject({
        managed: z.boolean(),
        units: z.array(
          z.looseObject({
            scope: z.enum(["user", "system"]),
            path: z.string(),
          }),
        ),
      }),
      proxy: z.looseObject({ enabled: z.boolean() }),
      dns: z.looseObject({ resolver: z.string(), active: z.boolean() }),
      warnings: z.array(z.string()),
    }),
    errors: [],
    since: "0.1.0",
  }),
  "daemon.examine": call({
    summary: "Check what only the daemon can see of the machine",
    permission: "read",
    effect: "none",
    params: z.strictObject({}),
    result: z.looseObject({
      ok: z.literal(true),
      checks: z.array(z.object({
        name: z.string(),
        status: z.enum(["ok", "warn", "fail"]),
        detail: z.string(),
        /** A command to type. */
        fix: z.string().nullable(),
      })),
    }),
    errors: [],
    since: "0.2.0",
  }),
  "daemon.stop": call({
    summary:
      "Stop the daemon; tasks are taken down first unless they are to be kept",
    permission: "admin",
    effect: "destructive",
    params: z.strictObject({
      /** Leave tasks running under the keeper for the next daemon. */
      keep_tasks: z.boolean().default(false),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      pid: z.number(),
      stopped: z.array(z.string()),
    }),
    errors: [],
    since: "0.1.0",
  }),
};
