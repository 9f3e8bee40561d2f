/**
 * Logs from their files. Also with a daemon: a long answer need not pass through it, and following goes on whatever
 * becomes of it.
 *
 * @module
 */

import type { ParamsInput, Result } from "../contract/mod.ts";
import { followLogs } from "../logs/log_follow.ts";
import { type LogPage, type LogRecord, readLogs } from "../logs/log_reader.ts";
import { timeOf } from "./events.ts";
import {
  type Disk,
  logPath,
  openProjectFiles,
  requireTask,
} from "./project_files.ts";

/** A question to the logs of the project in a file. */
export type LogParams =
  & Required<
    Pick<
      ParamsInput<"log.read">,
      "tasks" | "lines" | "grep" | "context" | "since" | "until"
    >
  >
  & Pick<ParamsInput<"log.read">, "level" | "fields">
  & { readonly config: string };

/**
 * The lines of a task, or of all tasks merged by time.
 *
 * @throws {TaskmuxError} E200 for an unknown task, E500 for a pattern that is none; what is wrong with the project's file.
 */
export async function readLogFiles(
  disk: Disk,
  params: LogParams,
): Promise<LogPage> {
  return await readLogs(await queryOf(disk, params));
}

/** The last lines, then new ones as they come, until the signal aborts. Errors as {@linkcode readLogFiles}. */
export async function* followLogFiles(
  disk: Disk,
  params: LogParams,
  signal: AbortSignal,
): AsyncGenerator<LogRecord, void, void> {
  yield* followLogs(await queryOf(disk, params), signal);
}

/** A page in the shape of the daemon's answer: no colours, whole lines for one named task, records for several or all. */
export function logAnswer(
  page: LogPage,
  tasks: readonly string[],
): Result<"log.read"> {
  const task = tasks.length === 1 ? tasks[0]! : null;
  const lines = page.records.map(({ ts, task: owner, text, raw, styled }) =>
    task === null
      ? { ts, task: owner, text }
      : raw.slice(0, raw.length - styled.length) + text
  );
  return {
    ok: true,
    ...task === null ? {} : { task },
    lines,
    cursor: page.cursor,
    dropped: page.dropped,
    has_more: page.hasMore,
  };
}

async function queryOf(disk: Disk, params: LogParams) {
  using project = await openProjectFiles(disk, params.config, {
    tolerant: true,
  });
  const { tasks, identity: { projectId } } = project;
  const { lines, grep, level, fields, context, since, until } = params;
  const named = new Set(params.tasks);
  const specs = named.size === 0
    ? [...tasks.values()]
    : [...named].map((task) => requireTask(tasks, task));
  return {
    sources: specs.map((spec) => ({
      task: spec.name,
      path: logPath(disk.paths, projectId, spec),
    })),
    lines: lines ?? null,
    grep: grep ?? null,
    level: level ?? null,
    fields: fields ?? [],
    context: context ?? 0,
    sinceMs: typeof since === "string" ? timeOf(since) : null,
    untilMs: typeof until === "string" ? timeOf(until) : null,
    cursor: null,
  };
}
