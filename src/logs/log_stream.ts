/**
 * The lines of several logs, merged by time, while they are read: the answer may be longer than memory.
 *
 * Each log gives its lines in their order. The one that is furthest behind in time is read on, so that a line comes as
 * soon as no other log can have an older one.
 *
 * @module
 */

import type { LogBlock } from "./log_block.ts";
import { type Group, linesOfGroup } from "./log_excerpt.ts";
import {
  type LogPlan,
  type LogQuery,
  type LogRecord,
  planOf,
  toRecord,
} from "./log_query.ts";
import { startAtTail } from "./log_tail.ts";
import { type ResumePoint, SourceReader } from "./source_reader.ts";

/** Most lines in one batch, context not counted. */
const BATCH_LINES = 1000;

/** How a stream is bounded and watched. */
export interface StreamOptions {
  /** Most matching lines where the query gives no number; absent = no limit. */
  readonly mostLines?: number;
  /** Most bytes of matching lines; absent = no limit. */
  readonly mostBytes?: number;
  /** Told after each piece how much of what is to be looked through has been, in bytes. */
  readonly onProgress?: (progress: SearchProgress) => void;
  /** Whether lines of a single log may come as blocks where all are wanted; absent = every line is a record. */
  readonly blocks?: boolean;
}

/** How far a search is. */
export interface SearchProgress {
  readonly readBytes: number;
  readonly totalBytes: number;
}

/** Lines that come next. */
export interface LogBatch {
  readonly records: readonly LogRecord[];
  /** Bytes lost before them; see `LogPage`. */
  readonly dropped: number;
  /** More lines, with no records beside them. */
  readonly block?: LogBlock;
}

/** How a stream ended. */
export interface StreamEnd {
  /** Bytes lost in all. */
  readonly dropped: number;
  /** Whether a limit left lines out that come after those that were given. */
  readonly hasMore: boolean;
  /** Where each log goes on. */
  readonly resume: ReadonlyMap<string, ResumePoint>;
}

/**
 * Reads logs. Memory holds about a megabyte per log, and up to one of last lines, however much is read.
 *
 * @throws {TaskmuxError} E500 as `readLogs`.
 * @throws The reason of the signal when it aborts, before the next piece.
 */
export async function* streamRecords(
  query: LogQuery,
  options: StreamOptions = {},
): AsyncGenerator<LogBatch, StreamEnd, void> {
  const { mostBytes = Infinity, onProgress } = options;
  const asked = planOf(query, options.mostLines ?? Infinity);
  // Nothing to merge with, to count or to look for.
  const blocks = options.blocks === true && query.sources.length === 1 &&
    asked.isForward && asked.matcher === null &&
    asked.limit === Infinity && mostBytes === Infinity;
  const plan = { ...asked, blocks };
  using stack = new DisposableStack();
  const readers: SourceReader[] = [];
  for (const source of query.sources) {
    query.signal?.throwIfAborted();
    readers.push(stack.use(await SourceReader.open(source, plan)));
  }
  const sum = (of: (reader: SourceReader) => number): number =>
    readers.reduce((total, reader) => total + of(reader), 0);
  const totalBytes = sum(({ from, to }) => to - from);
  const dropped = sum((reader) => reader.dropped);
  if (dropped > 0) yield { records: [], dropped };
  let readBytes = 0;
  if (!plan.isForward) {
    await startAtTail(readers, plan, {
      lines: plan.limit,
      bytes: mostBytes,
      onRead: (bytes) => {
        readBytes += bytes;
        onProgress?.({ readBytes, totalBytes });
      },
    });
  }
  const merge = new Merge(readers, plan, mostBytes);
  while (true) {
    const groups = await merge.next();
    if (plan.isForward) {
      readBytes = sum((reader) => reader.readBytes);
      onProgress?.({ readBytes, totalBytes });
    }
    const block = readers[0]?.takeBlock() ?? null;
    if (block !== null) yield { records: [], dropped: 0, block };
    if (groups === null) break;
    if (groups.length > 0) yield { records: recordsOf(groups), dropped: 0 };
  }
  return {
    dropped,
    hasMore: await merge.hasMore(),
    resume: new Map(
      readers.map((reader) => [reader.source.task, reader.resume()]),
    ),
  };
}

interface TaggedGroup {
  readonly task: string;
  readonly group: Group;
  /** It does not go on where the one before it ended. */
  readonly isApart: boolean;
}

/** The merging of several readers. */
class Merge {
  readonly #readers: readonly SourceReader[];
  readonly #plan: LogPlan;
  #left: number;
  #bytesLeft: number;
  #lastReader: SourceReader | null = null;

  constructor(
    readers: readonly SourceReader[],
    plan: LogPlan,
    mostBytes: number,
  ) {
    this.#readers = readers;
    this.#plan = plan;
    this.#left = plan.limit;
    // The last lines are bounded where they begin.
    this.#bytesLeft = plan.isForward ? mostBytes : Infinity;
  }

  /** The next groups, none after a piece without any; null at the end or the limit. */
  async next(): Promise<TaggedGroup[] | null> {
    const groups: TaggedGroup[] = [];
    while (this.#left > 0 && this.#bytesLeft > 0) {
      const [first, second] = this.#firstTwo();
      if (first === null) break;
      if (first.next === undefined) {
        // What is there goes out before reading on, which may take long.
        if (groups.length > 0) return groups;
        await first.advance();
        return [];
      }
      this.#takeRun(first, second, groups);
      if (groups.length >= BATCH_LINES) return groups;
    }
    return groups.length > 0 ? groups : null;
  }

  /** Whether there is a match that was not taken. */
  async hasMore(): Promise<boolean> {
    if (!this.#plan.isForward) return false;
    for (const reader of this.#readers) {
      while (reader.next === undefined && !reader.isDone) {
        await reader.advance();
      }
      if (reader.next !== undefined) return true;
    }
    return false;
  }

  /** Takes from one reader as long as no other one is before it. */
  #takeRun(
    reader: SourceReader,
    second: SourceReader | null,
    groups: TaggedGroup[],
  ): void {
    const isBefore = second === null ||
      this.#readers.indexOf(reader) < this.#readers.indexOf(second);
    const limit = second?.frontier ?? "";
    const { task } = reader.source;
    for (let next = reader.next; next !== undefined; next = reader.next) {
      const { time } = next.match;
      const isTurn = second === null || time < limit ||
        (isBefore && time === limit);
      if (!isTurn || this.#left <= 0 || this.#bytesLeft <= 0) return;
      if (groups.length >= BATCH_LINES) return;
      const isApart = this.#plan.context > 0 &&
        (next.isApart || this.#lastReader !== reader);
      this.#lastReader = reader;
      groups.push({ task, group: reader.take(), isApart });
      this.#left--;
      this.#bytesLeft -= next.match.end - next.match.start;
    }
  }

  /** The reader that is furthest behind, and the next one; at equal times in the order of the question. */
  #firstTwo(): [SourceReader | null, SourceReader | null] {
    let first: SourceReader | null = null;
    let second: SourceReader | null = null;
    for (const reader of this.#readers) {
      if (reader.isDone) continue;
      if (first === null || reader.frontier < first.frontier) {
        second = first;
        first = reader;
      } else if (second === null || reader.frontier < second.frontier) {
        second = reader;
      }
    }
    return [first, second];
  }
}

function recordsOf(groups: readonly TaggedGroup[]): LogRecord[] {
  const records: LogRecord[] = [];
  for (const { task, group, isApart } of groups) {
    if (group.before.length + group.after.length === 0) {
      records.push(toRecord(group.match, { task, isContext: false, isApart }));
      continue;
    }
    for (const [index, line] of linesOfGroup(group).entries()) {
      records.push(toRecord(line, {
        task,
        isContext: line !== group.match,
        isApart: isApart && index === 0,
      }));
    }
  }
  return records;
}
