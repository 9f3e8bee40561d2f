/**
 * A question to logs, and the lines of its answer.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { decodeCursor } from "./log_cursor.ts";
import { compileFilter } from "./log_filter.ts";
import type { LogBlock } from "./log_block.ts";
import { textStart, TIMESTAMP_LENGTH, timestampText } from "./log_line.ts";
import type { LogMatcher } from "./log_matcher.ts";
import type { LogPosition } from "./log_position.ts";
import type { FoundLine } from "./log_scan.ts";
import { plainText } from "./plain_text.ts";

/** Most matching lines in one answer that is held as a whole. */
export const MAX_RECORDS = 100_000;

/** Most lines of context on each side of a match. */
export const MAX_CONTEXT = 1000;

/** The log of a task. */
export interface LogSource {
  readonly task: string;
  /** Absolute path of its current file. */
  readonly path: string;
}

/** What is asked. */
export interface LogQuery {
  /** At equal times lines come in this order of tasks. */
  readonly sources: readonly LogSource[];
  /**
   * Most matching lines, at most {@linkcode MAX_RECORDS}; context is not counted. Null = all of them, or as many as an answer
   * holds. Without a cursor a number means the last lines; null and a cursor mean the first ones, from which the answer's
   * cursor leads on.
   */
  readonly lines: number | null;
  /** Regular expression on the text; null = every line. Case counts only if it holds an upper-case letter. */
  readonly grep: string | null;
  /** Name of the least serious level that is wanted; null or absent = every line. Lines that continue one come with it. */
  readonly level?: string | null;
  /** `KEY=VALUE` that a structured line must all have; absent = none. */
  readonly fields?: readonly string[];
  /** Lines around a match, at most {@linkcode MAX_CONTEXT}. */
  readonly context: number;
  /** Wall time in milliseconds, inclusive; null = no bound. What a clock that was wrong stamped otherwise is left out. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** Where an earlier answer ended. A task it does not name is read from its beginning. */
  readonly cursor: string | null;
  readonly signal?: AbortSignal | undefined;
}

/** A line of a log. */
export interface LogRecord {
  /** ISO 8601, UTC, milliseconds. Of the last line before it, if the line has none; empty if none has. */
  readonly ts: string;
  readonly task: string;
  /** The text after the time, without terminal control sequences. What `grep` sees. */
  readonly text: string;
  /** The text after the time as it was printed. */
  readonly styled: string;
  /** The line of the file. */
  readonly raw: string;
  /** It is here because of a match beside it, or because it continues one. */
  readonly isContext: boolean;
  /** Context was asked for, and this line does not follow the one before it in the answer; absent = no. */
  readonly isApart?: true;
}

/** A query, understood. */
export interface LogPlan {
  readonly isForward: boolean;
  readonly limit: number;
  /** Null = every line. */
  readonly matcher: LogMatcher | null;
  readonly context: number;
  /** Times as they stand in files, inclusive. */
  readonly since: string | null;
  readonly until: string | null;
  readonly positions: ReadonlyMap<string, LogPosition> | null;
  readonly signal: AbortSignal | undefined;
  /** Whether lines of the time that is asked for may come as blocks; absent = no. */
  readonly blocks?: boolean;
}

/**
 * Understands a query.
 *
 * @param most Most lines where the query gives no number.
 * @throws {TaskmuxError} E500 for what a query cannot ask.
 */
export function planOf(query: LogQuery, most: number): LogPlan {
  if (query.context > MAX_CONTEXT) {
    throw new TaskmuxError(
      "E500",
      `Cannot show ${query.context} lines of context: the limit is ${MAX_CONTEXT}`,
      { hint: `-C ${MAX_CONTEXT}` },
    );
  }
  if (query.lines !== null && query.lines > MAX_RECORDS) {
    throw new TaskmuxError(
      "E500",
      `Cannot show the last ${query.lines} lines: the limit is ${MAX_RECORDS}`,
      { hint: `-n ${MAX_RECORDS}, or -n all` },
    );
  }
  const { sinceMs, untilMs } = query;
  if (sinceMs !== null && untilMs !== null && sinceMs > untilMs) {
    throw new TaskmuxError(
      "E500",
      `Cannot show what came since ${timestampText(sinceMs)}Z until ${
        timestampText(untilMs)
      }Z: that ends before it begins`,
      { hint: "--since is the earlier time, --until the later one" },
    );
  }
  return {
    isForward: query.lines === null || query.cursor !== null,
    limit: query.lines ?? most,
    matcher: compileFilter(query),
    context: query.context,
    since: sinceMs === null ? null : timestampText(sinceMs),
    until: untilMs === null ? null : timestampText(untilMs),
    positions: query.cursor === null ? null : decodeCursor(query.cursor),
    signal: query.signal,
  };
}

/** A line as the answer shows it. */
export function toRecord(
  found: FoundLine,
  place: {
    readonly task: string;
    readonly isContext: boolean;
    readonly isApart?: boolean;
  },
): LogRecord {
  const { line } = found;
  const styled = line.slice(textStart(line, 0));
  return {
    ts: found.time === "" ? "" : `${found.time}Z`,
    task: place.task,
    text: plainText(styled),
    styled,
    raw: line,
    isContext: place.isContext,
    ...place.isApart === true ? { isApart: true } : {},
  };
}

/** The lines of a block one by one. */
export function recordsOfBlock({ task, text }: LogBlock): LogRecord[] {
  const records: LogRecord[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at);
    const raw = text.slice(at, end);
    const styled = raw.slice(TIMESTAMP_LENGTH + 1);
    records.push({
      ts: `${raw.slice(0, TIMESTAMP_LENGTH)}Z`,
      task,
      text: styled,
      styled,
      raw,
      isContext: false,
    });
    at = end + 1;
  }
  return records;
}
