/**
 * What events tell of the state that a lost database had: wishes, port leases, projects, and how the last daemon ended.
 *
 * Pure. What no event tells is lost: records of earlier runs, and definitions of ad-hoc tasks that do not run.
 *
 * @module
 */

import type { Alias } from "../domain/alias.ts";
import type { TaskEvent } from "../domain/event.ts";
import type { Desired } from "../domain/task_state.ts";

/** A run that may still live. */
export interface RecalledRun {
  readonly runId: string;
  readonly pid: number;
}

/** How a run ended. */
export interface RecalledEnd {
  readonly runId: string;
  readonly code: number | null;
  readonly signal: string | null;
  /** Wall time in milliseconds. */
  readonly at: number;
}

/** What was wanted of a task, and how it came to rest. */
export interface RecalledTask {
  readonly session: string;
  readonly task: string;
  readonly desired: Desired;
  readonly manual: boolean;
  /** Null = it ran or was on its way. */
  readonly outcome: "stopped" | "failed" | "completed" | null;
  /** The port of its last run that had one. */
  readonly port: number | null;
  /** The run whose end no event tells. */
  readonly run: RecalledRun | null;
  /** Wall time in milliseconds of the last of its events that count. */
  readonly at: number;
}

/** A project that was registered. */
export interface RecalledProject {
  readonly id: string;
  readonly configPath: string;
  readonly name: string;
  readonly worktreeId: string | null;
  /** ISO 8601, UTC. */
  readonly registeredAt: string;
}

/** What the last of its events says of an alias. */
export interface RecalledAlias {
  readonly session: string;
  readonly name: string;
  /** Null = it was removed. */
  readonly alias: Alias | null;
}

/** See the module. */
export interface RecalledState {
  readonly tasks: readonly RecalledTask[];
  readonly projects: readonly RecalledProject[];
  readonly aliases: readonly RecalledAlias[];
  readonly ends: readonly RecalledEnd[];
  /** How the last daemon ended; null = it did not say. */
  readonly shutdown: "clean" | "keep" | null;
}

/** Reads events in their order. O(events). */
export function recallState(events: readonly TaskEvent[]): RecalledState {
  const tasks = new Map<string, RecalledTask>();
  const projects = new Map<string, RecalledProject>();
  const aliases = new Map<string, RecalledAlias>();
  let shutdown: RecalledState["shutdown"] = null;
  for (const event of events) {
    shutdown = shutdownAfter(event, shutdown);
    const { session, task } = event;
    if (session === null) continue;
    if (task === undefined) {
      noteProject(event, session, { projects, tasks });
      noteAlias(event, session, aliases);
    } else {
      const key = `${session}/${task}`;
      const known = tasks.get(key) ?? newTask(session, task);
      tasks.set(key, taskAfter(event, known));
    }
  }
  return {
    tasks: [...tasks.values()].filter(({ at }) => at > 0),
    projects: [...projects.values()],
    aliases: [...aliases.values()],
    ends: events.flatMap(endOf),
    shutdown,
  };
}

function newTask(session: string, task: string): RecalledTask {
  const rest = { desired: "down", manual: false, outcome: "stopped" } as const;
  return { session, task, ...rest, port: null, run: null, at: 0 };
}

function taskAfter(event: TaskEvent, before: RecalledTask): RecalledTask {
  const at = Date.parse(event.ts);
  switch (event.event) {
    case "task_started":
    case "task_restarted":
    case "auto_restart":
      return {
        ...before,
        at,
        desired: "up",
        manual: false,
        outcome: null,
        port: portOf(event) ?? before.port,
        run: runOf(event) ?? before.run,
      };
    case "task_exited":
      return { ...before, run: null };
    case "task_killed":
      return {
        ...before,
        at,
        desired: "down",
        manual: true,
        outcome: "stopped",
      };
    case "task_stopped":
      // A daemon that ends changes nothing about what is wanted.
      return event["reason"] === "shutdown"
        ? { ...before, at, outcome: "stopped" }
        : { ...before, at, desired: "down", manual: true, outcome: "stopped" };
    case "task_failed":
    case "max_restarts_reached":
      return { ...before, at, outcome: "failed" };
    case "task_completed":
      return { ...before, at, outcome: "completed" };
    default:
      return before;
  }
}

function noteProject(
  event: TaskEvent,
  id: string,
  { projects, tasks }: {
    readonly projects: Map<string, RecalledProject>;
    readonly tasks: Map<string, RecalledTask>;
  },
): void {
  const { config_path: path, name, worktree_id: worktreeId } = event;
  if (event.event === "project_registered" && typeof path === "string") {
    projects.set(id, {
      id,
      configPath: path,
      name: typeof name === "string" ? name : id,
      worktreeId: typeof worktreeId === "string" ? worktreeId : null,
      registeredAt: event.ts,
    });
  } else if (event.event === "project_unregistered") {
    projects.delete(id);
    for (const [key, { session }] of tasks) {
      if (session === id) tasks.delete(key);
    }
  }
}

function noteAlias(
  event: TaskEvent,
  session: string,
  aliases: Map<string, RecalledAlias>,
): void {
  const { alias: name, host, port } = event;
  const isOver = event.event === "project_unregistered" ||
    // Its id may have been taken from another folder.
    event.event === "project_registered";
  if (isOver) {
    for (const [key, known] of aliases) {
      if (known.session === session) {
        aliases.set(key, { ...known, alias: null });
      }
    }
  }
  if (typeof name !== "string") return;
  const key = `${session}/${name}`;
  if (event.event === "alias_removed") {
    aliases.set(key, { session, name, alias: null });
  }
  const isAlias = event.event === "alias_added" && typeof host === "string" &&
    Number.isInteger(port);
  if (!isAlias) return;
  const alias = { name, host, port: port as number };
  aliases.set(key, { session, name, alias });
}

function shutdownAfter(
  event: TaskEvent,
  before: RecalledState["shutdown"],
): RecalledState["shutdown"] {
  if (event.event === "daemon_started") return null;
  if (event.event !== "daemon_stopped") return before;
  return event["kept_tasks"] === true ? "keep" : "clean";
}

function runOf(event: TaskEvent): RecalledRun | null {
  const { run_id: runId, pid } = event;
  const isRun = typeof runId === "string" && /^[0-9a-f]{12}$/.test(runId) &&
    Number.isInteger(pid);
  return isRun ? { runId, pid: pid as number } : null;
}

function endOf(event: TaskEvent): RecalledEnd[] {
  if (event.event !== "task_exited") return [];
  const { run_id: runId, exit_code: code, signal, ended_at: at } = event;
  const isEnd = typeof runId === "string" && typeof code === "number" &&
    typeof at === "number";
  if (!isEnd) return [];
  const end = { runId, at: Math.round(at * 1000) };
  return typeof signal === "string"
    ? [{ ...end, code: null, signal }]
    : [{ ...end, code, signal: null }];
}

function portOf(event: TaskEvent): number | null {
  const { port } = event;
  return Number.isInteger(port) ? port as number : null;
}
