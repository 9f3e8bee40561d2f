/**
 * Operations on projects as a whole.
 *
 * @module
 */

import { z } from "zod";
import { call, scope } from "../operation.ts";

/** A registered project. */
export const projectRow = z.looseObject({
  session: z.string(),
  config_path: z.string(),
  registered_at: z.string(),
  state: z.enum(["ok", "config_missing", "error", "unmanaged"]),
  session_exists: z.boolean(),
  task_count: z.number().nullable(),
  running_count: z.number().nullable(),
  /** Tasks that others can reach; absent = none. */
  public_count: z.number().optional(),
});

/** What a clean-up of one kind did, or would do. */
export const cleanReport = z.strictObject({
  deleted: z.array(z.string()),
  skipped: z.array(z.string()),
  unregistered: z.array(z.string()),
});

/** See the module. */
export const project = {
  "project.list": call({
    summary: "List every registered project",
    permission: "read",
    effect: "none",
    params: z.strictObject({}),
    result: z.looseObject({
      ok: z.literal(true),
      projects: z.array(projectRow),
      count: z.number(),
      daemon_pid: z.number().nullable(),
      /** Without a daemon: what is wrong with the registry. */
      warnings: z.array(z.string()).optional(),
    }),
    errors: [],
    since: "0.1.0",
  }),
  "project.register": call({
    summary: "Register a project so that the daemon manages it",
    permission: "control",
    effect: "idempotent",
    params: z.strictObject({
      config: z.string().startsWith("/"),
      force: z.boolean().default(false),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      action: z.literal("registered"),
      entry: z.looseObject({
        session: z.string(),
        config_path: z.string(),
        registered_at: z.string(),
      }),
    }),
    errors: ["E100", "E101", "E102", "E103", "E104", "E305"],
    since: "0.1.0",
  }),
  "project.unregister": call({
    summary: "Stop a project's tasks and forget it",
    permission: "control",
    effect: "destructive",
    params: z.strictObject({ session: z.string() }),
    result: z.looseObject({
      ok: z.literal(true),
      action: z.literal("unregistered"),
      session: z.string(),
      stopped: z.array(z.string()),
    }),
    errors: ["E303"],
    since: "0.1.0",
  }),
  "project.env": call({
    summary: "Tell the environment variables that a project's tasks see",
    permission: "read",
    effect: "none",
    params: z.strictObject({
      scope,
      prefix: z.string().default("TASKMUX_"),
      urls: z.boolean().default(true),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      env: z.record(z.string(), z.string()),
    }),
    errors: ["E500"],
    since: "0.1.0",
    // For shells. Names, addresses and ids of a project, and nothing else.
    redacted: false,
  }),
  "project.secrets": call({
    summary:
      "Tell the secrets that are taken out of answers about a project; only to a caller that may see them",
    permission: "admin",
    effect: "none",
    params: z.strictObject({ scope }),
    result: z.looseObject({
      ok: z.literal(true),
      values: z.array(z.string()),
    }),
    errors: ["E303", "E500"],
    since: "0.2.0",
    redacted: false,
  }),
  "project.resync": call({
    summary: "Read the registry and the files of projects again, now",
    permission: "control",
    effect: "idempotent",
    params: z.strictObject({
      /** Only this project; absent = all. */
      session: z.string().optional(),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      /** Registered projects. */
      count: z.number(),
      /** Hosts that have got an address by it. */
      added: z.array(z.string()),
      /** Hosts that have lost theirs. */
      dropped: z.array(z.string()),
    }),
    errors: ["E303"],
    since: "0.4.0",
  }),
  "project.add_task": call({
    summary:
      "Add a task to a project's file, or replace it there; comments and order stay",
    permission: "control",
    effect: "idempotent",
    params: z.strictObject({
      scope,
      task: z.string().min(1),
      /** Shell text. */
      command: z.string().min(1),
      /** Relative to the file. */
      cwd: z.string().optional(),
      host: z.string().optional(),
      port: z.number().int().min(1).max(65_535).optional(),
      health_check: z.string().optional(),
      health_url: z.string().optional(),
      depends_on: z.array(z.string()).optional(),
      auto_start: z.boolean().optional(),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      task: z.string(),
      command: z.string(),
      action: z.enum(["added", "replaced"]),
      config: z.string(),
      /** Whose block for agents was rendered again. */
      agent_files_rewritten: z.array(z.string()),
      warnings: z.array(z.string()),
    }),
    errors: ["E100", "E101", "E102", "E103", "E104", "E210", "E211", "E212"],
    since: "0.4.0",
  }),
  "project.remove_task": call({
    summary: "End a task that is about to leave the file, if it may leave it",
    permission: "control",
    effect: "destructive",
    params: z.strictObject({
      scope,
      task: z.string(),
      /** Take it out of the file as well. */
      edit: z.boolean().default(false),
    }),
    result: z.looseObject({ ok: z.literal(true), stopped: z.boolean() }),
    errors: ["E100", "E101", "E200", "E210"],
    since: "0.1.0",
  }),
  "project.clean": call({
    summary:
      "Delete logs, events or state; refused while tasks run unless forced",
    permission: "admin",
    effect: "destructive",
    params: z.strictObject({
      scope: scope.optional(),
      what: z.array(z.enum(["project", "logs", "events", "certs", "all"])).min(
        1,
      ),
      dry_run: z.boolean().default(false),
      force: z.boolean().default(false),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      dry_run: z.boolean(),
      reports: z.record(z.string(), cleanReport),
    }),
    errors: ["E301"],
    since: "0.1.0",
  }),
  "project.prune": call({
    summary:
      "Find what earlier crashes left behind, and with apply remove what is provably ours",
    permission: "admin",
    effect: "destructive",
    params: z.strictObject({ apply: z.boolean().default(false) }),
    result: z.looseObject({
      ok: z.literal(true),
      applied: z.boolean(),
      report: z.looseObject({
        stale_registry: z.array(
          z.looseObject({
            session: z.string(),
            config_path: z.string(),
            reason: z.string(),
          }),
        ),
        leaked_processes: z.array(
          z.looseObject({
            session: z.string(),
            task: z.string(),
            pid: z.number(),
            reason: z.string(),
          }),
        ),
        stale_leases: z.array(
          z.looseObject({
            session: z.string(),
            task: z.string(),
            port: z.number(),
          }),
        ),
        orphan_log_dirs: z.array(z.string()),
      }),
      actions: z.looseObject({}).optional(),
    }),
    errors: [],
    since: "0.1.0",
  }),
};
