/**
 * Following logs: the last lines first, then each new one.
 *
 * Goes through rotation, deletion, truncation and recreation, and picks up logs that begin later. Creates nothing.
 * Each log is read on from a position, like a question with a cursor; its newest file stays open in between, so that
 * lines of a file that is deleted are not lost.
 *
 * @module
 */

import { type Clock, systemClock } from "../kit/clock.ts";
import { FollowedLog, type FollowFilter } from "./followed_log.ts";
import { compileFilter } from "./log_filter.ts";
import { timestampText } from "./log_line.ts";
import { encodeCursor } from "./log_cursor.ts";
import type { LogQuery, LogRecord, LogSource } from "./log_query.ts";
import { cursorOf, readLogs } from "./log_reader.ts";
import { type LogBatch, streamRecords } from "./log_stream.ts";
import { LogWatch } from "./log_watch.ts";
import type { ResumePoint } from "./source_reader.ts";

/** How long a change may go unnoticed where the file system gives no signs. */
export const POLL_MS = 250;

/** Shortest time between two looks at a log that changes all the time. Bounds the cost of following a flood. */
const MIN_PAUSE_MS = 20;

/** How long the logs of tasks that are no more are followed. Longer than tasks usually take to end. */
export const GONE_MS = 15_000;

/** A line, and how many bytes were lost before it because the reader was too slow; absent = none. */
export interface FollowedRecord extends LogRecord {
  readonly dropped?: number;
}

/** Lines read at a time while a cursor far back is caught up with. */
const PAGE_LINES = 512;

/** Lines that came together. */
export interface FollowedLines extends Pick<LogBatch, "records" | "dropped"> {
  /** Leads to what comes after them; null = only what comes after the next ones can be told. */
  readonly cursor: string | null;
}

/** What is followed. */
export interface FollowQuery extends LogQuery {
  readonly clock?: Clock;
  /**
   * What is to be followed by now, asked every {@linkcode POLL_MS}; null = as before. A log that is new is told from the
   * last asking on. One that is gone is read on, because its task may still speak.
   */
  readonly currentSources?: () => Promise<readonly LogSource[] | null>;
}

/**
 * The last lines of some logs, merged by time, then new lines in the order in which they arrive. Null for `lines` means
 * everything from the beginning; a cursor means everything after it.
 *
 * Whole lines only. Waits for the consumer and holds at most some hundred lines; a log that is rotated away meanwhile
 * loses lines, which `dropped` tells. Ends, without an error, when the signal aborts, at the first line after
 * `untilMs`, or when there is nothing left to follow and has been silent for {@linkcode GONE_MS}.
 *
 * @throws {TaskmuxError} E500 as `readLogs`.
 */
export async function* followLogs(
  query: FollowQuery,
  signal: AbortSignal,
): AsyncGenerator<FollowedRecord, void, void> {
  const end = `${timestampText(query.untilMs ?? Infinity)}Z`;
  let dropped = 0;
  let lastTask: string | null = null;
  try {
    for await (const batch of batches(query, signal)) {
      dropped += batch.dropped;
      for (const record of batch.records) {
        if (record.ts > end) return;
        const isApart = record.isApart === true ||
          (query.context > 0 && record.task !== lastTask);
        lastTask = record.task;
        yield {
          ...record,
          ...dropped === 0 ? {} : { dropped },
          ...isApart ? { isApart: true as const } : {},
        };
        dropped = 0;
        if (signal.aborted) return;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/**
 * The same with the places from which somebody else can go on, whatever becomes of this reader: nothing is lost then, and
 * nothing comes twice. A last line is told after each piece; `untilMs` does not end it.
 *
 * @throws {TaskmuxError} E500 as `readLogs`.
 */
export async function* followWithCursors(
  query: FollowQuery,
  signal: AbortSignal,
): AsyncGenerator<FollowedLines, void, void> {
  // Everything is what comes after a cursor that names no task.
  let cursor = query.cursor ??
    (query.lines === null ? encodeCursor(new Map()) : null);
  try {
    while (cursor !== null) {
      const page = await readLogs({
        ...query,
        lines: PAGE_LINES,
        cursor,
        signal,
      });
      yield page;
      cursor = page.cursor;
      if (!page.hasMore) break;
    }
    for await (const batch of batches({ ...query, cursor }, signal)) {
      yield { ...batch, cursor: batch.cursor?.() ?? null };
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Lines, and what tells the place behind them where it is known. */
interface PlacedBatch extends LogBatch {
  readonly cursor?: () => string;
}

async function* batches(
  query: FollowQuery,
  signal: AbortSignal,
): AsyncGenerator<PlacedBatch, void, void> {
  const clock = query.clock ?? systemClock;
  const beganAt = clock.now();
  const isTail = query.lines !== null && query.cursor === null;
  const { resume } = yield* streamRecords({
    ...query,
    lines: isTail ? query.lines : null,
    signal,
  });
  await using following = new Following(query, clock);
  for (const source of query.sources) {
    const start = resume.get(source.task);
    if (start !== undefined) following.add(source, start);
  }
  yield { records: [], dropped: 0, cursor: () => cursorOf(resume) };
  yield* newLines(following, { query, clock, beganAt }, signal);
}

interface Surroundings {
  readonly query: FollowQuery;
  readonly clock: Clock;
  /** Wall time before the first line was read. */
  readonly beganAt: number;
}

async function* newLines(
  following: Following,
  { query, clock, beganAt }: Surroundings,
  signal: AbortSignal,
): AsyncGenerator<PlacedBatch, void, void> {
  let polledAt = -Infinity;
  let askedAt = beganAt;
  let goneAt: number | null = null;
  while (!signal.aborted) {
    if (clock.monotonic() - polledAt >= POLL_MS) {
      polledAt = clock.monotonic();
      const now = clock.now();
      const sources = await query.currentSources?.() ?? null;
      if (sources !== null) {
        goneAt = sources.length > 0 ? null : goneAt ?? polledAt;
        for (const source of sources.filter((each) => !following.has(each))) {
          const { resume } = yield* streamRecords({
            ...query,
            sources: [source],
            lines: null,
            cursor: null,
            sinceMs: Math.min(
              Math.max(askedAt, query.sinceMs ?? 0),
              query.untilMs ?? Infinity,
            ),
            signal,
          });
          following.add(source, resume.get(source.task)!);
          yield { records: [], dropped: 0, cursor: () => following.cursor() };
        }
      }
      askedAt = now;
      following.poll();
    }
    let isBusy = false;
    for (const log of following.touched()) {
      const batch = await log.read(signal);
      isBusy ||= batch.hasMore;
      if (batch.records.length > 0 && goneAt !== null) goneAt = polledAt;
      yield { ...batch, cursor: () => following.cursor() };
    }
    if (isBusy) continue;
    if (goneAt !== null && clock.monotonic() - goneAt >= GONE_MS) return;
    await clock.sleep(MIN_PAUSE_MS, signal);
    await following.wakeUp.wait(POLL_MS - MIN_PAUSE_MS, signal);
  }
}

/** The logs that are followed, and what tells that one has changed. */
class Following implements AsyncDisposable {
  readonly wakeUp: WakeUp;
  readonly #filter: FollowFilter;
  readonly #logs = new Map<string, FollowedLog>();
  readonly #watch = new LogWatch((path) => {
    this.#logs.get(path)?.touch();
    this.wakeUp.wake();
  });

  constructor(query: FollowQuery, clock: Clock) {
    this.wakeUp = new WakeUp(clock);
    this.#filter = { matcher: compileFilter(query), context: query.context };
  }

  has({ path }: LogSource): boolean {
    return this.#logs.has(path);
  }

  add(source: LogSource, start: ResumePoint): void {
    this.#logs.get(source.path)?.[Symbol.dispose]();
    this.#logs.set(
      source.path,
      new FollowedLog(source, start, this.#filter),
    );
    this.#watch.add(source.path);
  }

  /** Looks at every log. */
  poll(): void {
    this.#watch.refresh();
    for (const log of this.#logs.values()) log.poll();
  }

  /** Leads to what comes after all that was read. */
  cursor(): string {
    return encodeCursor(
      new Map([...this.#logs.values()].map((log) => [log.task, log.position])),
    );
  }

  /** The logs that may have something new. */
  touched(): FollowedLog[] {
    return [...this.#logs.values()].filter((log) => log.isTouched);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const log of this.#logs.values()) log[Symbol.dispose]();
    this.#logs.clear();
    await this.#watch[Symbol.asyncDispose]();
  }
}

/** A pause that ends early when something happens, also if it happened before the pause began. */
class WakeUp {
  readonly #clock: Clock;
  #pause = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the pause, or makes the next one end at once. */
  wake(): void {
    this.#pause.abort();
  }

  /** Resolves after `ms`, at {@linkcode wake}, or when the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    const ends = AbortSignal.any([this.#pause.signal, signal]);
    try {
      await this.#clock.sleep(ms, ends);
    } catch (error) {
      if (!ends.aborted) throw error;
    }
    if (this.#pause.signal.aborted) this.#pause = new AbortController();
  }
}
