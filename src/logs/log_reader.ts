/**
 * Questions to the logs of tasks: the last lines, the lines of a time, the lines that match, the lines since a cursor.
 *
 * Reads the files directly, so it answers with and without a daemon. Rotated files are part of a log. Logs are read one
 * after the other; memory holds the answer, one more answer while merging, and one block of at most 1 MiB.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { decodeCursor, encodeCursor } from "./log_cursor.ts";
import {
  endOfGroup,
  firstGroups,
  type Group,
  lastGroups,
  linesOfGroup,
} from "./log_excerpt.ts";
import { textStart, timestampText } from "./log_line.ts";
import { compileFilter } from "./log_filter.ts";
import type { LogMatcher } from "./log_matcher.ts";
import type { LogPosition } from "./log_position.ts";
import type { FoundLine } from "./log_scan.ts";
import { seekTime } from "./log_seek.ts";
import { LogView } from "./log_view.ts";
import { mergeByTime } from "./merge_by_time.ts";
import { plainText } from "./plain_text.ts";

/** Most matching lines in one answer. */
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
   * Most matching lines, at most {@linkcode MAX_RECORDS}; context is not counted. Null = as many as an answer holds, {@linkcode MAX_RECORDS}.
   * Without a cursor a number means the last lines; null and a cursor mean the first ones, from which the answer's
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
  /** Wall time in milliseconds, inclusive; null = no bound. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** Where an earlier answer ended. A task it does not name is read from its beginning. */
  readonly cursor: string | null;
  readonly signal?: AbortSignal;
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
  /** It is here because of a match beside it. */
  readonly isContext: boolean;
}

/** An answer. */
export interface LogPage {
  /** Merged by time; in file order within a task. */
  readonly records: readonly LogRecord[];
  /** Leads to what comes after this answer, through rotation and restarts. */
  readonly cursor: string;
  /** Bytes after the given cursor that rotation took away: 0 is exact, more is an estimate. */
  readonly dropped: number;
  /** Whether the cursor leads to more that exists now. */
  readonly hasMore: boolean;
}

/** Where reading goes on in one log. */
export interface ResumePoint {
  readonly position: LogPosition;
  /** Lines that may still come as context of the last match. */
  readonly pendingContext: number;
}

/** An answer with what following needs. */
export interface PageWithResume extends Omit<LogPage, "cursor"> {
  readonly resume: ReadonlyMap<string, ResumePoint>;
}

/**
 * Reads logs. A log without files is an empty log; nothing is created.
 *
 * Time: the last lines of a log take a few reads; a search reads at most the range between `since` and `until`, at
 * about 1 GB/s and more for patterns of literals, classes and alternatives.
 *
 * @throws {TaskmuxError} E500 if the pattern is no regular expression, the cursor is not one, or lines or context are too many.
 * @throws The reason of the signal when it aborts, before the next block.
 */
export async function readLogs(query: LogQuery): Promise<LogPage> {
  const page = await readPage(query);
  const { records, dropped, hasMore } = page;
  return { records, cursor: encodeCursor(positionsOf(page)), dropped, hasMore };
}

/** {@linkcode readLogs} with all that following needs. */
export async function readPage(query: LogQuery): Promise<PageWithResume> {
  const plan = toPlan(query);
  const parts: SourcePart[] = [];
  let kept: TaggedGroup[] = [];
  for (const source of query.sources) {
    query.signal?.throwIfAborted();
    const part = await readSource(source, plan);
    const groups = part.groups.map((group) => ({ part, group }));
    parts.push(part);
    kept = cut(mergeByTime(kept, groups, timeOfGroup), plan);
  }
  const lastKept = new Map(kept.map(({ part, group }) => [part, group]));
  const resume = new Map(
    parts.map((part) => [
      part.source.task,
      resumePoint(part, lastKept.get(part), plan),
    ]),
  );
  return {
    records: toRecords(parts, kept),
    dropped: parts.reduce((sum, part) => sum + part.dropped, 0),
    hasMore: parts.some((part) => !isReadWhole(part, lastKept.get(part), plan)),
    resume,
  };
}

/** Where each log goes on after an answer. */
export function positionsOf(page: PageWithResume): Map<string, LogPosition> {
  return new Map(
    [...page.resume].map(([task, { position }]) => [task, position]),
  );
}

/** A line as the answer shows it. */
export function toRecord(
  found: FoundLine,
  place: { readonly task: string; readonly isContext: boolean },
): LogRecord {
  const styled = found.line.slice(textStart(found.line, 0));
  return {
    ts: found.time === "" ? "" : `${found.time}Z`,
    task: place.task,
    text: plainText(styled),
    styled,
    raw: found.line,
    isContext: place.isContext,
  };
}

/** A query, understood. */
interface Plan {
  readonly isForward: boolean;
  readonly limit: number;
  readonly matcher: LogMatcher | null;
  readonly context: number;
  readonly since: string | null;
  readonly until: string | null;
  readonly positions: ReadonlyMap<string, LogPosition> | null;
  readonly signal: AbortSignal | undefined;
}

/** What one log gives to the answer. The view is closed; it still knows positions. */
interface SourcePart {
  readonly source: LogSource;
  readonly view: LogView;
  /** Where an earlier answer ended. */
  readonly position: LogPosition | undefined;
  readonly groups: readonly Group[];
  readonly from: number;
  readonly to: number;
  readonly hasMore: boolean;
  readonly dropped: number;
}

interface TaggedGroup {
  readonly part: SourcePart;
  readonly group: Group;
}

function toPlan(query: LogQuery): Plan {
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
      `Cannot show ${query.lines} lines: the limit is ${MAX_RECORDS}`,
      { hint: `-n ${MAX_RECORDS}` },
    );
  }
  return {
    isForward: query.lines === null || query.cursor !== null,
    limit: query.lines ?? MAX_RECORDS,
    matcher: compileFilter(query),
    context: query.context,
    since: query.sinceMs === null ? null : timestampText(query.sinceMs),
    until: query.untilMs === null ? null : timestampText(query.untilMs),
    positions: query.cursor === null ? null : decodeCursor(query.cursor),
    signal: query.signal,
  };
}

async function readSource(
  source: LogSource,
  plan: Plan,
): Promise<SourcePart> {
  using view = LogView.open(source.path);
  const { since, until, signal } = plan;
  const position = plan.positions?.get(source.task);
  const start = position === undefined
    ? { at: 0, dropped: 0 }
    : view.locate(position);
  const from = since === null ? start.at : Math.max(
    start.at,
    await seekTime(view, (time) => time < since, signal),
  );
  const to = until === null ? view.end : Math.max(
    from,
    await seekTime(view, (time) => time <= until, signal),
  );
  const excerpt = { ...plan, from, to, contextFrom: from };
  const { groups, hasMore } = plan.isForward
    ? await firstGroups(view, excerpt)
    : { groups: await lastGroups(view, excerpt), hasMore: false };
  return {
    source,
    view,
    position,
    groups,
    from,
    to,
    hasMore,
    dropped: start.dropped,
  };
}

function cut(groups: TaggedGroup[], plan: Plan): TaggedGroup[] {
  if (groups.length <= plan.limit) return groups;
  return plan.isForward
    ? groups.slice(0, plan.limit)
    : groups.slice(groups.length - plan.limit);
}

/** Whether the answer holds everything of a log up to its end. */
function isReadWhole(
  part: SourcePart,
  lastKept: Group | undefined,
  plan: Plan,
): boolean {
  return !plan.isForward ||
    (!part.hasMore && lastKept === part.groups.at(-1));
}

function resumePoint(
  part: SourcePart,
  lastKept: Group | undefined,
  plan: Plan,
): ResumePoint {
  if (part.view.hasNoFile && part.position !== undefined) {
    // Between two files, or after all were deleted: the position still tells what was read.
    return { position: part.position, pendingContext: 0 };
  }
  if (!isReadWhole(part, lastKept, plan)) {
    const at = lastKept === undefined ? part.from : endOfGroup(lastKept);
    return { position: part.view.position(at), pendingContext: 0 };
  }
  return {
    position: part.view.position(part.to),
    pendingContext: lastKept === undefined || plan.matcher === null
      ? 0
      : plan.context - lastKept.after.length,
  };
}

function toRecords(
  parts: readonly SourcePart[],
  kept: readonly TaggedGroup[],
): LogRecord[] {
  const recordsOf = ({ part, group }: TaggedGroup) =>
    linesOfGroup(group).map((line) =>
      toRecord(line, {
        task: part.source.task,
        isContext: line !== group.match,
      })
    );
  const hasContext = kept.some(({ group }) =>
    group.before.length + group.after.length > 0
  );
  if (!hasContext) return kept.flatMap(recordsOf);
  // Groups of different tasks may overlap in time.
  return parts.reduce<LogRecord[]>(
    (merged, part) =>
      mergeByTime(
        merged,
        kept.filter((tagged) => tagged.part === part).flatMap(recordsOf),
        (record) => record.ts,
      ),
    [],
  );
}

function timeOfGroup({ group }: TaggedGroup): string {
  return group.match.time;
}
