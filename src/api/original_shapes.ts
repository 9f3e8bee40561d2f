/**
 * Answers of operations in the shapes that scripts of the Python original know. Keys of ours stand beside theirs.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import type { Json, JsonObject } from "../kit/json.ts";

type Status = Result<"task.status">;

/** One project in `list_projects`, `status_all` and `proxy_routes`. */
export type ProjectRow = Result<"project.list">["projects"][number];

/** A time that Python's `datetime.fromisoformat` reads, in every version. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "+00:00");
}

/** `data` of `status`, and a loaded project in `status_all`. */
export function projectStatus(status: Status, now: number): JsonObject {
  const tasks = Object.fromEntries(
    status.tasks.map((task) => [task.name, {
      ...task,
      last_check: task.last_health === null
        ? isoTime(now)
        : isoTime(task.last_health.at * 1000),
    }]),
  );
  return asJson({
    session_name: status.session,
    session_exists: status.running,
    tasks,
    config_path: status.config_path,
    timestamp: isoTime(now),
    active_tasks: status.active_tasks,
    config_error: status.config_error,
    warnings: status.warnings,
  });
}

/** A project in `status_all`; one that is not loaded has no more than its place. */
export function projectOfAll(
  row: ProjectRow,
  status: Status | null,
  now: number,
): JsonObject {
  const { session, state, config_path } = row;
  return {
    session,
    state,
    config_path,
    ...status === null ? {} : projectStatus(status, now),
  };
}

/** `data` of `list_tasks`. */
export function taskList({ daemon_pid: _, ...status }: Status): JsonObject {
  return asJson(status);
}

/** `result` of `health`. */
export function taskHealth(
  task: string,
  { tasks: [row] }: Result<"task.health">,
  now: number,
): JsonObject {
  return asJson({
    ...row,
    ok: row?.healthy === true,
    task,
    method: row?.method ?? "none",
    reason: row?.reason ?? null,
    at: isoTime(now),
  });
}

/** Host → port of every task of a project that can be reached. */
export function routesOf({ tasks }: Status): JsonObject {
  return Object.fromEntries(
    tasks.flatMap(({ host, port, running }) =>
      host === null || port === null || !running ? [] : [[host, port]]
    ),
  );
}

/** What handlers answer is JSON; types of the contract only leave further keys open. */
export function asJson(answer: object): JsonObject {
  return answer as Readonly<Record<string, Json>>;
}
