/**
 * One log that is followed: what of it has been told, and the next lines of it.
 *
 * @module
 */

import {
  endOfGroup,
  firstGroups,
  linesAfter,
  linesOfGroup,
  NOTHING_PENDING,
  type Pending,
} from "./log_excerpt.ts";
import type { LogMatcher } from "./log_matcher.ts";
import type { LogPosition } from "./log_position.ts";
import { type LogRecord, type LogSource, toRecord } from "./log_query.ts";
import type { FoundLine } from "./log_scan.ts";
import type { HeldFile } from "./log_segments.ts";
import { LogView } from "./log_view.ts";
import type { ResumePoint } from "./source_reader.ts";

/** Most matching lines in one batch. Bounds what a slow consumer makes us hold, at 64 KiB a line. */
const BATCH_LINES = 512;

/** Which lines are told. */
export interface FollowFilter {
  readonly matcher: LogMatcher | null;
  readonly context: number;
}

/** Lines that have come. */
export interface FollowedBatch {
  readonly records: readonly LogRecord[];
  /** As in `LogPage`. */
  readonly dropped: number;
  /** Whether there is more already. */
  readonly hasMore: boolean;
}

/** The log. Holds one file open. */
export class FollowedLog implements Disposable {
  readonly #source: LogSource;
  readonly #filter: FollowFilter;
  /** Read up to here. */
  #position: LogPosition;
  /** Told up to here; what lies between can still become context. */
  #toldUpTo: LogPosition;
  #pending: Pending;
  #held: HeldFile | null = null;
  /** What the current file looked like before it was last read. */
  #look: string | null = null;
  #isTouched = true;

  constructor(source: LogSource, start: ResumePoint, filter: FollowFilter) {
    this.#source = source;
    this.#filter = filter;
    this.#position = start.position;
    this.#toldUpTo = start.position;
    this.#pending = start.pending;
  }

  /** Whether {@linkcode read} may find something. */
  get isTouched(): boolean {
    return this.#isTouched;
  }

  /** Up to where it was read; whoever begins there misses nothing and gets nothing twice. */
  get position(): LogPosition {
    return this.#position;
  }

  /** The task whose log it is. */
  get task(): string {
    return this.#source.task;
  }

  /** Notes that the log may have changed. */
  touch(): void {
    this.#isTouched = true;
  }

  /** Looks whether the current file has changed. One system call. */
  poll(): void {
    if (lookAt(this.#source.path) !== this.#look) this.#isTouched = true;
  }

  /** The next lines. */
  async read(signal: AbortSignal): Promise<FollowedBatch> {
    this.#isTouched = false;
    // Before opening, so that a change in between is seen at the next look.
    this.#look = lookAt(this.#source.path);
    const held = this.#held ?? undefined;
    this.#held = null;
    using view = LogView.open(this.#source.path, held);
    const batch = await this.#readFrom(view, signal);
    this.#held = view.hold(view.locate(this.#position).at);
    return batch;
  }

  [Symbol.dispose](): void {
    this.#held?.[Symbol.dispose]();
    this.#held = null;
  }

  async #readFrom(view: LogView, signal: AbortSignal): Promise<FollowedBatch> {
    // The position still tells what was read.
    if (view.hasNoFile) return { records: [], dropped: 0, hasMore: false };
    const start = view.locate(this.#position);
    const hole = view.holeAfter(start.at);
    const isAtHole = hole === start.at && hole < view.end;
    const dropped = isAtHole ? Math.max(1, start.dropped) : start.dropped;
    // Up to a hole first, so that the loss is told where it is.
    const to = hole === null || isAtHole ? view.end : hole;
    const told = view.locate(this.#toldUpTo);
    const contextFrom = told.dropped > 0 ? start.at : told.at;
    const range = {
      ...this.#filter,
      from: start.at,
      to,
      contextFrom: Math.min(contextFrom, start.at),
      limit: BATCH_LINES,
      signal,
    };
    const { pending, groups, ...found } = await this.#find(view, range);
    const hasMore = found.hasMore || to < view.end;
    const last = groups.at(-1);
    const lastPending = pending.at(-1);
    if (last !== undefined) this.#toldUpTo = view.position(endOfGroup(last));
    else if (lastPending !== undefined) {
      this.#toldUpTo = view.position(lastPending.end);
    }
    this.#position = view.position(
      found.hasMore && last !== undefined ? endOfGroup(last) : to,
    );
    this.#isTouched ||= hasMore;
    const { task } = this.#source;
    const records = [
      ...pending.map((line) => toRecord(line, { task, isContext: true })),
      ...groups.flatMap((group) =>
        linesOfGroup(group).map((line, index) =>
          toRecord(line, {
            task,
            isContext: line !== group.match,
            isApart: group.isApart && index === 0,
          })
        )
      ),
    ];
    return { records, dropped, hasMore };
  }

  /** The matches of a range, and before them the lines that an earlier match still waits for. */
  async #find(
    view: LogView,
    range: Parameters<typeof firstGroups>[1],
  ): Promise<
    { pending: FoundLine[] } & Awaited<ReturnType<typeof firstGroups>>
  > {
    const { matcher } = this.#filter;
    const { continuation, context } = this.#pending;
    if (matcher === null || continuation + context === 0) {
      const found = await firstGroups(view, range);
      this.#expect(found.groups, range.to);
      return { pending: [], ...found };
    }
    const { lines, pending } = await linesAfter(view.aside(), {
      ...range,
      matcher,
      stopsAtMatch: true,
      pending: this.#pending,
    });
    this.#pending = pending;
    const contextFrom = lines.at(-1)?.end ?? range.contextFrom;
    const found = await firstGroups(view, { ...range, contextFrom });
    this.#expect(found.groups, range.to);
    return { pending: lines, ...found };
  }

  /** Notes what the last match still waits for. */
  #expect(
    groups: Awaited<ReturnType<typeof firstGroups>>["groups"],
    end: number,
  ): void {
    const last = groups.at(-1);
    if (last === undefined) return;
    this.#pending = endOfGroup(last) === end ? last.pending : NOTHING_PENDING;
  }
}

/** What tells one state of a file from another without reading it; empty if there is no file. */
function lookAt(path: string): string {
  try {
    const { ino, size, mtime } = Deno.statSync(path);
    return `${ino} ${size} ${mtime?.getTime() ?? 0}`;
  } catch (error) {
    // Whatever it is, reading will tell; here it is no change.
    if (error instanceof Error && "code" in error) return "";
    throw error;
  }
}
