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
import { type FollowedBatch, FollowedLog } from "./followed_log.ts";
import { encodeCursor } from "./log_cursor.ts";
import { timestampText } from "./log_line.ts";
import { compileFilter } from "./log_filter.ts";
import {
  type LogQuery,
  type LogRecord,
  type PageWithResume,
  positionsOf,
  readPage,
} from "./log_reader.ts";
import { LogWatch } from "./log_watch.ts";

/** How long a change may go unnoticed where the file system gives no signs. */
export const POLL_MS = 250;

/** Lines of history that are read at a time when all of it is wanted. */
const HISTORY_BATCH = 1000;

/** Shortest time between two looks at a log that changes all the time. Bounds the cost of following a flood. */
const MIN_PAUSE_MS = 20;

/** A line, and how many bytes were lost before it because the reader was too slow; absent = none. */
export interface FollowedRecord extends LogRecord {
  readonly dropped?: number;
}

/** What is followed. */
export interface FollowQuery extends LogQuery {
  readonly clock?: Clock;
}

/**
 * The last lines of some logs, merged by time, then new lines in the order in which they arrive. Null for `lines` means
 * everything from the beginning; a cursor means everything after it.
 *
 * Whole lines only. Waits for the consumer and holds at most some hundred lines; a log that is rotated away meanwhile
 * loses lines, which `dropped` tells. Ends, without an error, when the signal aborts, or at the first line after
 * `untilMs`.
 *
 * @throws {TaskmuxError} E500 as `readLogs`.
 */
export async function* followLogs(
  query: FollowQuery,
  signal: AbortSignal,
): AsyncGenerator<FollowedRecord, void, void> {
  const end = `${timestampText(query.untilMs ?? Infinity)}Z`;
  let dropped = 0;
  try {
    for await (const batch of batches(query, signal)) {
      dropped += batch.dropped;
      for (const record of batch.records) {
        if (record.ts > end) return;
        yield dropped === 0 ? record : { ...record, dropped };
        dropped = 0;
        if (signal.aborted) return;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Lines that belong together in time, and the bytes lost before them. */
type Batch = Pick<FollowedBatch, "records" | "dropped">;

async function* batches(
  query: FollowQuery,
  signal: AbortSignal,
): AsyncGenerator<Batch, void, void> {
  const resume = yield* readHistory({ ...query, signal });
  const matcher = compileFilter(query);
  using cleanup = new DisposableStack();
  const logs = new Map<string, FollowedLog>();
  for (const source of query.sources) {
    const start = resume.get(source.task);
    if (start === undefined) continue;
    const { context } = query;
    const log = new FollowedLog(source, start, { matcher, context });
    logs.set(source.path, cleanup.use(log));
  }
  yield* newLines(logs, query.clock ?? systemClock, signal);
}

/** The lines that are there already. Returns where they end. */
async function* readHistory(
  query: LogQuery,
): AsyncGenerator<Batch, PageWithResume["resume"], void> {
  const isTail = query.lines !== null && query.cursor === null;
  // An empty cursor is the beginning of every log.
  let cursor = query.cursor ?? (isTail ? null : encodeCursor(new Map()));
  const lines = isTail ? query.lines : HISTORY_BATCH;
  while (true) {
    const page = await readPage({ ...query, lines, cursor });
    yield page;
    if (!page.hasMore) return page.resume;
    cursor = encodeCursor(positionsOf(page));
  }
}

async function* newLines(
  logs: ReadonlyMap<string, FollowedLog>,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Batch, void, void> {
  const wakeUp = new WakeUp(clock);
  await using watch = new LogWatch([...logs.keys()], (path) => {
    logs.get(path)?.touch();
    wakeUp.wake();
  });
  let polledAt = -Infinity;
  while (!signal.aborted) {
    if (clock.monotonic() - polledAt >= POLL_MS) {
      watch.refresh();
      for (const log of logs.values()) log.poll();
      polledAt = clock.monotonic();
    }
    let isBusy = false;
    for (const log of logs.values()) {
      if (!log.isTouched) continue;
      const batch = await log.read(signal);
      isBusy ||= batch.hasMore;
      yield batch;
    }
    if (isBusy) continue;
    await clock.sleep(MIN_PAUSE_MS, signal);
    await wakeUp.wait(POLL_MS - MIN_PAUSE_MS, signal);
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
