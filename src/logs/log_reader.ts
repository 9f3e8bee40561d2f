/**
 * Questions to the logs of tasks: the last lines, the lines of a time, the lines that match, the lines since a cursor.
 *
 * Reads the files directly, so it answers with and without a daemon. Rotated files are part of a log. Here an answer is
 * held as a whole; `log_stream.ts` gives it piece by piece.
 *
 * @module
 */

import { encodeCursor } from "./log_cursor.ts";
import type { LogPosition } from "./log_position.ts";
import { type LogQuery, type LogRecord, MAX_RECORDS } from "./log_query.ts";
import { MAX_FOUND_BYTES } from "./log_scan.ts";
import { type StreamEnd, streamRecords } from "./log_stream.ts";

/** An answer. */
export interface LogPage {
  /** Merged by time; in file order within a task, and context together with its match. */
  readonly records: readonly LogRecord[];
  /** Leads to what comes after this answer, through rotation and restarts. */
  readonly cursor: string;
  /** Bytes after the given cursor that rotation took away: 0 is exact, more is an estimate. */
  readonly dropped: number;
  /** Whether the cursor leads to more that exists now. */
  readonly hasMore: boolean;
}

/** An answer with what following needs. */
export type PageWithResume =
  & Omit<LogPage, "cursor">
  & Pick<StreamEnd, "resume">;

/**
 * Reads logs. A log without files is an empty log; nothing is created.
 *
 * Time: the last lines of a log take a few reads; a search reads at most the range between `since` and `until`, at
 * about 1 GB/s and more for patterns of literals, classes and alternatives. Memory: the answer, at most 64 MiB of lines.
 *
 * @throws {TaskmuxError} E500 if the pattern is no regular expression, the level is none, a field is not `KEY=VALUE`, the
 * cursor is not one, or lines or context are too many.
 * @throws The reason of the signal when it aborts, before the next block.
 */
export async function readLogs(query: LogQuery): Promise<LogPage> {
  const { records, dropped, hasMore, resume } = await readPage(query);
  return { records, cursor: cursorOf(resume), dropped, hasMore };
}

/** {@linkcode readLogs} with all that following needs. */
export async function readPage(query: LogQuery): Promise<PageWithResume> {
  const stream = streamRecords(query, {
    mostLines: MAX_RECORDS,
    mostBytes: MAX_FOUND_BYTES,
  });
  const records: LogRecord[] = [];
  while (true) {
    const { value, done } = await stream.next();
    if (done) return { ...value, records };
    for (const record of value.records) records.push(record);
  }
}

/** The cursor that leads on from where each log was read to. */
export function cursorOf(resume: StreamEnd["resume"]): string {
  const positions = new Map<string, LogPosition>();
  for (const [task, { position }] of resume) positions.set(task, position);
  return encodeCursor(positions);
}
