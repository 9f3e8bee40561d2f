/**
 * The last words of a task that failed or is late, as evidence beside its error.
 *
 * @module
 */

import type { ErrorShape } from "../domain/error.ts";
import { safeCut } from "../domain/safe_cut.ts";
import { errorLines, lastLines } from "../logs/last_words.ts";
import { timeOfRun } from "../store/task_history.ts";
import { logTarget } from "./launch_run.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";
import type { TaskRunner } from "./task_runner.ts";

/** Lines of output that an error carries. */
const TAIL_LINES = 10;

/** Lines that speak of errors and lie before those. */
const ERROR_LINES = 4;

/** Longest line of them, in UTF-16 units. */
const LINE_LENGTH_MAX = 500;

/** What the newest run of a task printed last. */
export interface LastWords {
  readonly tail: readonly string[];
  /** Lines before the tail that speak of errors. */
  readonly errors: readonly string[];
}

/** What the newest run of a task printed last. Unknown tasks said nothing. One read from the end of the log. */
export async function lastWordsOf(
  project: ProjectSupervisor,
  task: string,
  count = TAIL_LINES,
): Promise<LastWords> {
  const { host, projectId } = project.homeOf(task);
  const runner = project.find(task);
  const runs = host.store.runs.history(projectId, task, 1);
  const [run] = runs;
  if (runner === null || run === undefined || !isItsRun(runner)) {
    return { tail: [], errors: [] };
  }
  const printed = await lastLines({
    task,
    path: logTarget(runner.spec, host.logFile(projectId, task)).path,
    ...timeOfRun(runs, run),
  });
  // Programs that clear the screen print nothing else for many lines.
  const lines = printed.filter((line) => line.trim() !== "");
  const redactor = host.secrets.redactorOf(projectId);
  const cut = (line: string): string =>
    safeCut(line, { length: LINE_LENGTH_MAX, redactor });
  const before = lines.slice(0, Math.max(0, lines.length - count));
  return {
    tail: lines.slice(-count).map(cut),
    errors: errorLines(before, ERROR_LINES).map(cut),
  };
}

/** Whether the newest run has to do with how the task is: it was begun under this daemon, or is what failed. */
function isItsRun({ lastStartedAt, machine }: TaskRunner): boolean {
  return lastStartedAt !== null ||
    typeof machine.error?.details?.["exit_code"] === "number";
}

/**
 * The error with `output_tail` in its details: the last lines that the task's last run printed, and `error_lines`, if
 * there are such lines before. Unchanged if it is neither E403 nor E602, or the task has printed nothing.
 */
export async function withOutputTail(
  project: ProjectSupervisor,
  task: string,
  error: ErrorShape,
): Promise<ErrorShape> {
  const { error_code: code } = error;
  if (code !== "E403" && code !== "E602") return error;
  const { tail, errors } = await lastWordsOf(project, task);
  if (tail.length === 0) return error;
  return {
    ...error,
    details: {
      ...error.details,
      output_tail: tail.join("\n"),
      ...errors.length === 0 ? {} : { error_lines: [...errors] },
    },
  };
}
