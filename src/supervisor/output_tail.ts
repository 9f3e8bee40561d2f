/**
 * The last words of a task that failed, as evidence beside its error.
 *
 * @module
 */

import type { ErrorShape } from "../domain/error.ts";
import { readLogs } from "../logs/log_reader.ts";
import { logTarget } from "./launch_run.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";

/** Lines of output that an error carries. */
const TAIL_LINES = 10;

/** Longest line of them, in UTF-16 units. */
const TAIL_LINE_LENGTH_MAX = 500;

/**
 * The error with `output_tail` in its details: the last lines that the task's last run printed. Unchanged if it is no
 * E403, or the task has not run since this daemon began, or it printed nothing. One read from the end of the log.
 */
export async function withOutputTail(
  project: ProjectSupervisor,
  task: string,
  error: ErrorShape,
): Promise<ErrorShape> {
  const runner = project.find(task);
  const startedAt = runner?.lastStartedAt ?? null;
  if (error.error_code !== "E403" || runner === null || startedAt === null) {
    return error;
  }
  const { host, projectId } = project;
  const path = logTarget(runner.spec, host.logFile(projectId, task)).path;
  const { records } = await readLogs({
    sources: [{ task, path }],
    lines: TAIL_LINES,
    grep: null,
    context: 0,
    sinceMs: startedAt,
    untilMs: null,
    cursor: null,
  });
  if (records.length === 0) return error;
  const tail = records.map(({ text }) => text.slice(0, TAIL_LINE_LENGTH_MAX));
  return {
    ...error,
    details: { ...error.details, output_tail: tail.join("\n") },
  };
}
