/**
 * `errors` from the log files: without a daemon, and for ranges that are too long for it.
 *
 * @module
 */

import type { ErrorAnswer } from "../domain/error_answer.ts";
import type { RecordRedactor } from "../domain/record_redactor.ts";
import { systemClock } from "../kit/clock.ts";
import { answerErrors } from "../logs/digest/answer_errors.ts";
import {
  DEFAULT_SCAN_BYTES,
  type DigestQuery,
} from "../logs/digest/digest_logs.ts";
import {
  type Disk,
  logPath,
  openProjectFiles,
  requireTask,
} from "./project_files.ts";
import { timeOf } from "./events.ts";

/** A question to the logs of the project in a file. */
export interface ErrorParams {
  readonly config: string;
  /** Empty = every task. */
  readonly tasks: readonly string[];
  readonly since: string | null;
  readonly until: string | null;
  readonly cursor: string | null;
  /** Most groups. */
  readonly groups: number;
  /** Most bytes of the answer as JSON with its newline; null = no limit. */
  readonly max_bytes: number | null;
  /** Takes secrets out; null = they are shown. */
  readonly secrets: RecordRedactor | null;
  /** Told now and then how far the reading is. */
  readonly onProgress?: DigestQuery["onProgress"];
  readonly signal?: AbortSignal;
}

/**
 * The answer of `log.errors`. A range that has a beginning is read wholly, else the newest
 * {@linkcode DEFAULT_SCAN_BYTES}.
 *
 * @throws {TaskmuxError} E200 for an unknown task, E500 for a time or cursor that is none, or too few bytes; what is
 * wrong with the project's file.
 */
export async function readErrors(
  disk: Disk,
  params: ErrorParams,
): Promise<ErrorAnswer> {
  using project = await openProjectFiles(disk, params.config, {
    tolerant: true,
  });
  const { spec: { root }, tasks } = project;
  const named = new Set(params.tasks);
  const specs = named.size === 0
    ? [...tasks.values()]
    : [...named].map((task) => requireTask(tasks, task));
  const { since, until, cursor } = params;
  return await answerErrors({
    sources: specs.map((spec) => ({
      task: spec.name,
      path: logPath(disk.paths, project, spec),
      folder: spec.cwd,
    })),
    root,
    sinceMs: since === null ? null : timeOf(since),
    untilMs: until === null ? null : timeOf(until),
    cursor,
    secrets: params.secrets,
    onProgress: params.onProgress,
    signal: params.signal,
    nowMs: systemClock.now(),
    maxBytes: since === null && cursor === null
      ? DEFAULT_SCAN_BYTES
      : Number.MAX_SAFE_INTEGER,
  }, { ...params, wholly: false });
}
