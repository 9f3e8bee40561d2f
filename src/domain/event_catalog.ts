/**
 * What every type of event means, how bad it is, and which facts it carries. The one source of `docs/events.md`.
 *
 * @module
 */

import { TUNNEL_EVENTS } from "./_tunnel_events.ts";
import type { EventType, Severity } from "./event.ts";

/** How much an event asks for attention, from least to most. */
export const SEVERITIES = [
  "info",
  "warning",
  "error",
] as const satisfies readonly Severity[];

/** What an event is about; decides whether `session` and `task` are there. */
export type Subject = "task" | "project" | "project or task" | "taskmux";

/** One fact of an event. */
export interface EventFact {
  /** Type of the JSON value, such as `integer` or `string or null`. */
  readonly type: string;
  /** What it is, with its unit. */
  readonly meaning: string;
  /** Not in every event of the type. */
  readonly isOptional?: true;
}

/** A type of event. */
export interface EventKind {
  readonly severity: Severity;
  readonly subject: Subject;
  /** When it is told, as a sentence. */
  readonly when: string;
  /** By key, beside `seq ts event severity session task`. */
  readonly facts: Readonly<Record<string, EventFact>>;
}

const RUN_ID: EventFact = {
  type: "string",
  meaning: "the run; `TASKMUX_RUN_ID` in its environment",
};

const STARTED: EventKind["facts"] = {
  pid: { type: "integer", meaning: "the leader of the run" },
  run_id: RUN_ID,
  port: {
    type: "integer",
    meaning: "`$PORT` of the run",
    isOptional: true,
  },
};

const METHOD: EventFact = {
  type: "string",
  meaning: "how it was asked: `http`, `shell`, `log`, `tcp`, `proc`, `none`",
};

const PROBE_REASON: EventFact = {
  type: "string or null",
  meaning: "what the probe met with",
};

const ERROR_CODE: EventFact = {
  type: "string",
  meaning: "such as `E403`",
};

const NAMES: EventFact = { type: "array of strings", meaning: "tasks" };

const ALIAS: EventFact = { type: "string", meaning: "its name" };

const CONFIG_PATH: EventFact = {
  type: "string",
  meaning: "the `taskmux.toml`",
};

const FOLDER: EventFact = { type: "string", meaning: "the state folder" };

/** Every type of event. */
export const EVENT_CATALOG: Readonly<Record<EventType, EventKind>> = {
  task_started: {
    severity: "info",
    subject: "task",
    when: "A run has begun because somebody asked for it, or its project is up",
    facts: STARTED,
  },
  task_restarted: {
    severity: "info",
    subject: "task",
    when:
      "A run has begun in place of an earlier one: by `restart`, or by the restart policy",
    facts: STARTED,
  },
  task_stopped: {
    severity: "info",
    subject: "task",
    when: "A task was taken down and nothing of it lives",
    facts: {
      reason: {
        type: "string",
        meaning: "`manual`, or `shutdown` when the daemon ended",
      },
    },
  },
  task_killed: {
    severity: "info",
    subject: "task",
    when: "`kill` took a task down",
    facts: {},
  },
  task_exited: {
    severity: "info",
    subject: "task",
    when:
      "A run is over, however it came to that; what follows from it is told by the next event of the task",
    facts: {
      exit_code: {
        type: "integer",
        meaning: "the status; -N when signal N ended it",
      },
      signal: {
        type: "string",
        meaning: "the signal that ended it, such as `SIGKILL`",
        isOptional: true,
      },
      run_id: RUN_ID,
      ended_at: { type: "number", meaning: "Unix time in seconds" },
      expected: {
        type: "boolean",
        meaning:
          "whether it was asked for, or the status counts as success; false = a crash",
        isOptional: true,
      },
    },
  },
  task_healthy: {
    severity: "info",
    subject: "task",
    when: "A probe held for the first time in this run, or again",
    facts: { method: METHOD },
  },
  task_unhealthy: {
    severity: "error",
    subject: "task",
    when: "`health_retries` probes in a row have failed",
    facts: { method: METHOD, reason: PROBE_REASON },
  },
  task_failed: {
    severity: "error",
    subject: "task",
    when:
      "A task is down by a failure and is not restarted: it could not start, or its policy says so",
    facts: {
      error_code: { ...ERROR_CODE, isOptional: true },
      reason: { type: "string", meaning: "what failed" },
    },
  },
  task_completed: {
    severity: "info",
    subject: "task",
    when: "A run ended with success and is not restarted",
    facts: {},
  },
  health_check_failed: {
    severity: "warning",
    subject: "task",
    when: "A probe failed on a task that was healthy, or is past `boot_grace`",
    facts: {
      attempt: { type: "integer", meaning: "failures in a row" },
      method: METHOD,
      reason: PROBE_REASON,
    },
  },
  auto_restart: {
    severity: "warning",
    subject: "task",
    when:
      "A restart nobody asked for begins, or is due after `delay`: by the policy, or because a watched file changed",
    facts: {
      reason: {
        type: "string",
        meaning:
          "`process_exited`, `health_retries_exceeded`, `start_failed` or `file_changed`",
      },
      attempt: {
        type: "integer",
        meaning: "number of the restart in its series",
        isOptional: true,
      },
      delay: {
        type: "number",
        meaning: "seconds until it begins",
        isOptional: true,
      },
      files: {
        type: "array of strings",
        meaning: "the first files that changed",
        isOptional: true,
      },
    },
  },
  auto_restart_failed: {
    severity: "error",
    subject: "task",
    when: "An automatic restart could not begin a run",
    facts: {
      error_code: ERROR_CODE,
      reason: { type: "string", meaning: "what failed" },
    },
  },
  max_restarts_reached: {
    severity: "error",
    subject: "task",
    when: "The series of restarts is used up; only `start` or `restart` helps",
    facts: { count: { type: "integer", meaning: "restarts of the series" } },
  },
  hook_failed: {
    severity: "error",
    subject: "project or task",
    when: "A hook ended with a status that is not 0, or took too long",
    facts: {
      hook: { type: "string", meaning: "such as `before_start`" },
      reason: { type: "string", meaning: "how, with the end of its output" },
      output_tail: {
        type: "string",
        meaning: "the end of what a hook of the project printed",
        isOptional: true,
      },
    },
  },
  orphan_reaped: {
    severity: "warning",
    subject: "task",
    when:
      "What was left of a run that nobody supervised any more has been ended",
    facts: {
      run_id: RUN_ID,
      pid: {
        type: "integer",
        meaning: "the leader, if it was that",
        isOptional: true,
      },
      pids: {
        type: "array of integers",
        meaning: "processes, if the keeper had died",
        isOptional: true,
      },
    },
  },
  port_changed: {
    severity: "warning",
    subject: "task",
    when: "The port of a task was in use, and it gets another one",
    facts: {
      from: { type: "integer", meaning: "the port it had" },
      to: { type: "integer", meaning: "the port it gets" },
      holder: {
        type: "object or null",
        meaning: "`pid` and `command` of who has the old one, if it is known",
      },
    },
  },
  environment_lost: {
    severity: "warning",
    subject: "task",
    when:
      "A run has begun with the daemon's environment, because that of your shell is not known any more",
    facts: { run_id: RUN_ID },
  },
  session_started: {
    severity: "info",
    subject: "project",
    when: "`start` or `restart` without a task has brought the project up",
    facts: {},
  },
  session_stopped: {
    severity: "info",
    subject: "project",
    when: "`stop` without a task has taken the project down",
    facts: {},
  },
  config_reloaded: {
    severity: "info",
    subject: "project",
    when: "A saved `taskmux.toml` is in force",
    facts: { added: NAMES, removed: NAMES, changed: NAMES },
  },
  config_error: {
    severity: "error",
    subject: "project",
    when: "A saved `taskmux.toml` cannot be used; the one before stays",
    facts: {
      error_code: ERROR_CODE,
      reason: { type: "string", meaning: "what is wrong with it" },
    },
  },
  config_missing: {
    severity: "error",
    subject: "project",
    when: "The `taskmux.toml` is gone for good, so its tasks are taken down",
    facts: { config_path: CONFIG_PATH, tasks: NAMES },
  },
  project_registered: {
    severity: "info",
    subject: "project",
    when: "A project is managed from now on",
    facts: {
      config_path: CONFIG_PATH,
      name: { type: "string", meaning: "`name` of the file" },
      worktree_id: {
        type: "string or null",
        meaning: "suffix of a linked git worktree",
      },
    },
  },
  project_unregistered: {
    severity: "info",
    subject: "project",
    when: "A project is not managed any more",
    facts: {},
  },
  alias_added: {
    severity: "info",
    subject: "project",
    when: "A foreign port has got a name, or another one under the same name",
    facts: {
      alias: ALIAS,
      host: { type: "string", meaning: "before the project's name" },
      port: { type: "integer", meaning: "where it leads, on this machine" },
    },
  },
  alias_removed: {
    severity: "info",
    subject: "project",
    when: "A foreign port has lost its name",
    facts: { alias: ALIAS },
  },
  ...TUNNEL_EVENTS,
  worktree_removed: {
    severity: "info",
    subject: "project",
    when:
      "A git worktree is gone: what ran there was ended, and its id, names and ports are free; `project_unregistered` follows",
    facts: {
      worktree_path: {
        type: "string or null",
        meaning: "the folder of the worktree",
      },
      config_path: CONFIG_PATH,
      tasks: { ...NAMES, meaning: "tasks that were ended" },
    },
  },
  log_error: {
    severity: "error",
    subject: "task",
    when:
      "A log file cannot be written, or, with `reason` null, can be written again",
    facts: {
      reason: { type: "string or null", meaning: "what prevents it" },
      dropped_bytes: {
        type: "integer",
        meaning: "bytes of output lost in this run so far",
      },
    },
  },
  disk_error: {
    severity: "error",
    subject: "taskmux",
    when: "The state folder cannot be written; events wait in memory",
    facts: {
      reason: { type: "string", meaning: "what the disk says" },
      path: FOLDER,
    },
  },
  disk_recovered: {
    severity: "info",
    subject: "taskmux",
    when: "The state folder can be written again",
    facts: {
      path: FOLDER,
      seconds: { type: "integer", meaning: "how long it could not, in s" },
      lost: {
        type: "integer",
        meaning: "events and changes that did not fit into memory",
      },
    },
  },
  keeper_lost: {
    severity: "error",
    subject: "taskmux",
    when:
      "The keeper has died, and with it every terminal; tasks are restarted by their policy",
    facts: {
      pid: { type: "integer or null", meaning: "of the keeper, if known" },
      tasks: {
        type: "array of strings",
        meaning: "what ran, as `project/task`",
      },
    },
  },
  state_damaged: {
    severity: "error",
    subject: "taskmux",
    when:
      "A file of the state folder could not be used as it was; what could be restored has been",
    facts: {
      file: { type: "string", meaning: "its name" },
      aside: {
        type: "string or null",
        meaning: "where the damaged one was moved to",
      },
      message: { type: "string", meaning: "what was found and done" },
    },
  },
  daemon_started: {
    severity: "info",
    subject: "taskmux",
    when: "A daemon answers from now on",
    facts: {
      pid: { type: "integer", meaning: "of the daemon" },
      version: { type: "string", meaning: "of taskmux" },
    },
  },
  daemon_stopped: {
    severity: "info",
    subject: "taskmux",
    when:
      "The daemon ends because it was told to; one that is killed says no word",
    facts: {
      pid: { type: "integer", meaning: "of the daemon" },
      kept_tasks: {
        type: "boolean",
        meaning: "whether tasks run on for the next one",
      },
      left: {
        type: "array of strings",
        meaning: "tasks of which something may still run, as `project/task`",
        isOptional: true,
      },
    },
  },
};

/** Whether a word is a type of event of this version. */
export function isEventType(type: string): type is EventType {
  return Object.hasOwn(EVENT_CATALOG, type);
}

/** How bad a type of event is; one of another version counts as `info`. */
export function severityOf(type: string): Severity {
  return isEventType(type) ? EVENT_CATALOG[type].severity : "info";
}

/** The types of at least that severity. */
export function typesFrom(least: Severity): EventType[] {
  const rank = SEVERITIES.indexOf(least);
  return Object.keys(EVENT_CATALOG).filter(isEventType).filter((type) =>
    SEVERITIES.indexOf(EVENT_CATALOG[type].severity) >= rank
  );
}
