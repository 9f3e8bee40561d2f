/**
 * Operations on the tasks of one project.
 *
 * @module
 */

import { z } from "zod";
import { MAX_WAIT_S } from "../../kit/duration.ts";
import { aliasRow } from "./alias.ts";
import { tunnelView } from "./tunnel.ts";
import { call, scope } from "../operation.ts";

const state = z.enum([
  "stopped",
  "waiting",
  "starting",
  "running",
  "healthy",
  "unhealthy",
  "stopping",
  "backoff",
  "failed",
  "completed",
]);

/** The last probe of a task. */
export const lastHealth = z.strictObject({
  ok: z.boolean(),
  method: z.string(),
  reason: z.string().nullable(),
  /** Seconds since the epoch. */
  at: z.number(),
}).nullable();

/** The last probe of a task as `inspect` tells it. */
const lastProbe = z.strictObject({
  ...lastHealth.unwrap().shape,
  /** What a failed one got to see: the beginning of the answer, the end of what the command printed. */
  output: z.string().optional(),
}).nullable();

/** A task as `status` tells it. */
export const taskStatus = z.looseObject({
  name: z.string(),
  running: z.boolean(),
  healthy: z.boolean(),
  state,
  command: z.string(),
  auto_start: z.boolean(),
  /** Whether the first request for its host starts it; `auto_start` is false then. */
  start_on_request: z.boolean(),
  pid: z.number().nullable(),
  port: z.number().nullable(),
  host: z.string().nullable(),
  url: z.string().nullable(),
  public_url: z.string().nullable(),
  /** Null = it has none, and the file names none. */
  tunnel: tunnelView.nullable(),
  restart_policy: z.enum(["no", "on-failure", "always"]),
  restart_count: z.number(),
  cwd: z.string(),
  depends_on: z.array(z.string()),
  /** Seconds since the epoch. */
  started_at: z.number().nullable(),
  /** Negative = minus the signal number. */
  exit_code: z.number().nullable(),
  last_health: lastHealth,
  events: z.record(z.string(), z.number()),
  /** Why the state is what it is, when that is not plain; for people. */
  reason: z.string().nullable(),
  /** Dependencies still waited for, while `waiting`. */
  waiting_for: z.array(
    z.strictObject({ task: z.string(), condition: z.string(), state }),
  ),
  manual: z.boolean(),
  config_changed: z.boolean(),
  /** Seconds until the next automatic restart, while in `backoff`. */
  restart_in: z.number().nullable(),
  scope: z.enum(["project", "repo"]),
  /** The session in which a task with scope `repo` runs, if that is another one. */
  shared_from: z.string().nullable(),
  /** It is the program of a tunnel; it counts neither as active nor as healthy. Absent = a task of the user's. */
  role: z.literal("tunnel").optional(),
});

/** A configuration problem that keeps an old configuration in force. */
export const configError = z.strictObject({
  error_code: z.string(),
  error: z.string(),
  line: z.number().nullable(),
  column: z.number().nullable(),
});

/** The answer of `status`. */
export const statusResult = z.looseObject({
  ok: z.literal(true),
  session: z.string(),
  project_id: z.string(),
  config_path: z.string(),
  running: z.boolean(),
  active_tasks: z.number(),
  tasks: z.array(taskStatus),
  /** By name. */
  aliases: z.array(aliasRow),
  proxy: z.strictObject({
    enabled: z.boolean(),
    bound: z.boolean(),
    port: z.number().nullable(),
    reason: z.string().nullable(),
  }),
  config_error: configError.nullable(),
  warnings: z.array(z.string()),
  daemon_pid: z.number().nullable(),
});

const taskName = z.string().min(1);

/** The result for one task of an action. */
export const taskAction = z.looseObject({
  ok: z.boolean(),
  task: z.string(),
  action: z.enum(["started", "noop", "stopped", "restarted", "killed"])
    .optional(),
  state: state.optional(),
  pid: z.number().nullable().optional(),
  port: z.number().nullable().optional(),
  url: z.string().nullable().optional(),
  error_code: z.string().optional(),
  error: z.string().optional(),
  hint: z.string().optional(),
  details: z.looseObject({}).optional(),
});

/**
 * The answer of an action: the flat form of {@linkcode taskAction} for one named task, `results` for several, `session`
 * with `tasks` for all.
 */
export const actionResult = z.looseObject({
  ok: z.boolean(),
  task: z.string().optional(),
  session: z.string().optional(),
  action: z.string().optional(),
  tasks: z.array(z.string()).optional(),
  /** In the order in which it was done. */
  results: z.array(taskAction).optional(),
  warnings: z.array(z.string()).optional(),
});

/** What `ensure` found or did for one task. */
const ensured = taskAction.extend({
  /** `noop`: it ran, was on its way or had done its work. */
  action: z.enum(["started", "noop"]),
  state,
  pid: z.number().nullable(),
  port: z.number().nullable(),
  url: z.string().nullable(),
  /** Seconds since its process was started. */
  age: z.number().nullable(),
  /** The line that matched, for `log:`. */
  line: z.string().optional(),
});

/**
 * Environment of the shell that asked; the base of the task's own. Absent = no shell asks: each task keeps the one it had
 * last, one that never had any gets that of the project's last start, and without that the daemon's.
 */
const environment = z.record(z.string(), z.string()).optional();

const start = {
  scope,
  /** Empty = every auto_start task. */
  tasks: z.array(taskName).default([]),
  env: environment,
  /** Seconds; 0 = no limit. Tasks go on when it is over. */
  timeout: z.number().min(0).max(MAX_WAIT_S).default(120),
  /** Return only when each task is healthy or completed. */
  wait: z.boolean().default(false),
};

/** See the module. */
export const task = {
  "task.status": call({
    summary:
      "Show every task of a project with its state and the evidence for it",
    permission: "read",
    effect: "none",
    params: z.strictObject({ scope }),
    result: statusResult,
    errors: ["E100", "E101", "E102", "E103", "E104", "E303"],
    since: "0.1.0",
  }),
  "task.start": call({
    summary: "Start tasks and what they depend on, in dependency order",
    permission: "control",
    effect: "idempotent",
    params: z.strictObject({
      ...start,
      /** A running task is no error. */
      if_stopped: z.boolean().default(false),
      /** Start dependencies that are down. */
      deps: z.boolean().default(true),
    }),
    result: actionResult,
    errors: [
      "E200",
      "E201",
      "E213",
      "E214",
      "E301",
      "E305",
      "E400",
      "E401",
      "E402",
      "E403",
      "E602",
    ],
    since: "0.1.0",
  }),
  "task.stop": call({
    summary:
      "Stop tasks gracefully, dependents first, until no process of them is left",
    permission: "control",
    effect: "destructive",
    params: z.strictObject({ scope, tasks: z.array(taskName).default([]) }),
    result: actionResult,
    errors: ["E200", "E202", "E300", "E400", "E401"],
    since: "0.1.0",
  }),
  "task.restart": call({
    summary: "Stop tasks that run and start them again",
    permission: "control",
    effect: "destructive",
    params: z.strictObject(start),
    result: actionResult,
    errors: [
      "E200",
      "E213",
      "E214",
      "E305",
      "E400",
      "E401",
      "E402",
      "E403",
      "E602",
    ],
    since: "0.1.0",
  }),
  "task.kill": call({
    summary: "End tasks at once with SIGKILL, without hooks",
    permission: "control",
    effect: "destructive",
    params: z.strictObject({ scope, tasks: z.array(taskName).min(1) }),
    result: actionResult,
    errors: ["E200", "E202"],
    since: "0.1.0",
  }),
  "task.health": call({
    summary: "Probe tasks now and tell which are healthy and why not",
    permission: "read",
    effect: "none",
    params: z.strictObject({ scope, tasks: z.array(taskName).default([]) }),
    result: z.looseObject({
      ok: z.literal(true),
      healthy_count: z.number(),
      /** Tasks that could be healthy. */
      total_count: z.number(),
      completed_count: z.number(),
      tasks: z.array(z.looseObject({
        name: z.string(),
        /** Null = completed: it has done its work, and is neither; it does not count in `total_count`. */
        healthy: z.boolean().nullable(),
        method: z.string(),
        reason: z.string().nullable(),
      })),
    }),
    errors: ["E200"],
    since: "0.1.0",
  }),
  "task.inspect": call({
    summary: "Show everything known about one task",
    permission: "read",
    effect: "none",
    params: z.strictObject({ scope, task: taskName }),
    result: taskStatus.extend({ ok: z.literal(true), last_health: lastProbe }),
    errors: ["E200"],
    since: "0.1.0",
  }),
  "task.why": call({
    summary:
      "Explain why a task is in its state: the evidence, and what comes next",
    permission: "read",
    effect: "none",
    params: z.strictObject({ scope, task: taskName }),
    result: z.looseObject({
      ok: z.literal(true),
      task: z.string(),
      state,
      /** As in `status`; a daemon of 0.1 does not tell. */
      url: z.string().nullable().optional(),
      /** One sentence. */
      summary: z.string(),
      /** The most decisive first; beside these keys each has the facts of its kind. */
      chain: z.array(z.looseObject({
        kind: z.string(),
        text: z.string(),
        /** Seconds since the epoch; absent = now. */
        at: z.number().optional(),
        age_s: z.number().optional(),
      })),
      next: z.strictObject({
        /** What taskmux does by itself, and when. */
        taskmux: z.string(),
        /** The command to type; null = there is nothing to do. */
        you: z.string().nullable(),
      }),
    }),
    errors: ["E200"],
    since: "0.1.0",
  }),
  "task.run": call({
    summary: "Run a command as an ad-hoc task under the daemon",
    permission: "control",
    effect: "idempotent",
    params: z.strictObject({
      scope,
      task: taskName,
      /** Shell text. */
      command: z.string().min(1),
      cwd: z.string().startsWith("/"),
      env: environment,
    }),
    result: actionResult,
    errors: ["E102", "E201", "E213", "E403", "E500"],
    since: "0.1.0",
  }),
  "task.ensure": call({
    summary:
      "Have tasks up: start what does not run, wait until it is healthy, tell where it is",
    permission: "control",
    effect: "idempotent",
    params: z.strictObject({
      scope,
      tasks: z.array(taskName).min(1),
      /** `healthy`, `running`, `started`, `completed`, `port` or `log:/re/`. A completed task counts as healthy. */
      for: z.string().default("healthy"),
      env: environment,
      /** Seconds; what was begun goes on when it is over. */
      timeout: z.number().positive().max(MAX_WAIT_S).default(60),
      /** Seconds of them that went by before, with another daemon. */
      waited: z.number().min(0).default(0),
    }),
    /** Flat for one task, `results` for several. */
    result: ensured.partial().extend({
      ok: z.boolean(),
      /** In the order of the names. */
      results: z.array(ensured).optional(),
      warnings: z.array(z.string()).optional(),
    }),
    errors: [
      "E200",
      "E202",
      "E213",
      "E214",
      "E305",
      "E400",
      "E401",
      "E402",
      "E403",
      "E500",
      "E602",
    ],
    since: "0.1.0",
  }),
  "task.wait": call({
    summary:
      "Wait until tasks reach a condition, or it has become impossible, or the time is over",
    permission: "read",
    effect: "none",
    params: z.strictObject({
      scope,
      /** Empty = any `event:` of the project. */
      tasks: z.array(taskName),
      /** `healthy`, `running`, `started`, `completed`, `stopped`, `port`, `log:/re/` or `event:TYPE`. */
      for: z.string().default("healthy"),
      /** One task is enough. */
      any: z.boolean().default(false),
      /** Seconds. */
      timeout: z.number().positive().max(MAX_WAIT_S).default(60),
      /** Seconds of them that went by before, with another daemon. */
      waited: z.number().min(0).default(0),
      /** `seq` of an event: those to wait for come after it; null = after this call. */
      after: z.number().int().min(0).nullable().default(null),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      for: z.string(),
      /** Seconds it took. */
      waited: z.number(),
      /** The tasks that meet the condition; with `any` one is enough. */
      met: z.array(z.string()),
      tasks: z.array(
        z.looseObject({
          task: z.string(),
          state,
          met: z.boolean(),
          pid: z.number().nullable(),
          port: z.number().nullable(),
          /** The line that matched, for `log:`. */
          line: z.string().optional(),
          /** The event, for `event:`. */
          event: z.looseObject({}).optional(),
        }),
      ),
      /** The event of the project, where no task was named. */
      event: z.looseObject({}).optional(),
    }),
    errors: ["E200", "E202", "E402", "E403", "E500", "E602"],
    since: "0.1.0",
  }),
};
