/**
 * One log of a question: its part of the answer, piece by piece, oldest first.
 *
 * @module
 */

import {
  endOfGroup,
  type Group,
  GroupMaker,
  NOTHING_PENDING,
  type Pending,
} from "./log_excerpt.ts";
import type { LogBlock } from "./log_block.ts";
import type { LogPosition } from "./log_position.ts";
import type { LogPlan, LogSource } from "./log_query.ts";
import { type FoundLine, type ScannedPart, scanParts } from "./log_scan.ts";
import { seekSince, seekUntil } from "./log_seek.ts";
import { LogView } from "./log_view.ts";

/** Later than every time in a log. */
const NEVER = "~";

/** Where reading goes on in one log. */
export interface ResumePoint {
  readonly position: LogPosition;
  /** Lines that may still come after the last match. */
  readonly pending: Pending;
}

/** The log. Dispose it to close its files; it still knows positions then. */
export class SourceReader implements Disposable {
  readonly source: LogSource;
  readonly view: LogView;
  readonly from: number;
  readonly to: number;
  /** Bytes after the given position that are gone. */
  readonly dropped: number;
  readonly #plan: LogPlan;
  readonly #position: LogPosition | undefined;
  #parts: AsyncGenerator<ScannedPart, void, void>;
  #maker: GroupMaker;
  #queue: readonly Group[] = [];
  #head = 0;
  #block: string | null = null;
  /** Looked through up to here. */
  #upTo: number;
  #time = "";
  #isDone = false;
  #last: Group | undefined;

  private constructor(
    source: LogSource,
    plan: LogPlan,
    range: {
      readonly view: LogView;
      readonly from: number;
      readonly to: number;
      readonly dropped: number;
    },
  ) {
    this.source = source;
    this.view = range.view;
    this.from = range.from;
    this.to = range.to;
    this.dropped = range.dropped;
    this.#plan = plan;
    this.#position = plan.positions?.get(source.task);
    this.#upTo = range.from;
    this.#parts = scanParts(this.view, { ...plan, ...range });
    this.#maker = this.#makerFrom(range.from);
  }

  /** Opens a log and finds the range that is asked for. A few reads. */
  static async open(source: LogSource, plan: LogPlan): Promise<SourceReader> {
    const view = LogView.open(source.path);
    try {
      const { since, until, signal } = plan;
      const position = plan.positions?.get(source.task);
      const start = position === undefined
        ? { at: 0, dropped: 0 }
        : view.locate(position);
      const from = since === null ? start.at : Math.max(
        start.at,
        await seekSince(view, since, signal),
      );
      const to = until === null ? view.end : Math.max(
        from,
        await seekUntil(view, until, signal),
      );
      const { dropped } = start;
      return new SourceReader(source, plan, { view, from, to, dropped });
    } catch (error) {
      view[Symbol.dispose]();
      throw error;
    }
  }

  /** The next group; undefined if none is known yet, see {@linkcode advance}. */
  get next(): Group | undefined {
    return this.#queue[this.#head];
  }

  /** No line that is still to come is older than this, as far as times grow. */
  get frontier(): string {
    const { next } = this;
    if (next !== undefined) return next.match.time;
    return this.#isDone ? NEVER : this.#time;
  }

  /** Whether all was looked through, and all of it taken. */
  get isDone(): boolean {
    return this.#isDone && this.next === undefined;
  }

  /** Bytes of its range that were looked through. */
  get readBytes(): number {
    return this.#upTo - this.from;
  }

  /** Begins at a match instead of at the start of the range. Before anything was read. */
  startAt(at: number): void {
    const { from, to } = { from: at, to: this.to };
    this.#parts = scanParts(this.view, { ...this.#plan, from, to });
    this.#maker = this.#makerFrom(at);
  }

  /** As {@linkcode startAt}, where the matches from there on are known. */
  startWith(lines: readonly FoundLine[]): void {
    this.#parts = onePart(lines, this.to);
    this.#maker = this.#makerFrom(lines[0]?.start ?? this.to);
  }

  /** Takes the next group. There must be one. */
  take(): Group {
    const group = this.#queue[this.#head]!;
    this.#head++;
    this.#last = group;
    return group;
  }

  /** What the last {@linkcode advance} found in place of groups; null if that was none, or it was taken. */
  takeBlock(): LogBlock | null {
    const text = this.#block;
    this.#block = null;
    return text === null ? null : { task: this.source.task, text };
  }

  /** Looks through the next piece. */
  async advance(): Promise<void> {
    const { value: part } = await this.#parts.next();
    this.#queue = [];
    this.#head = 0;
    if (part === undefined) {
      this.#isDone = true;
      this.#upTo = this.to;
      return;
    }
    this.#upTo = part.to;
    this.#block = part.block ?? null;
    if (part.time !== null && part.time > this.#time) this.#time = part.time;
    const lines = part.lines.filter(({ time }) => this.#isWanted(time));
    if (lines.length === 0) return;
    this.#queue = await this.#maker.openGroups(lines);
  }

  /** Where this log goes on after what was taken. */
  resume(): ResumePoint {
    if (this.view.hasNoFile && this.#position !== undefined) {
      // Between two files, or after all were deleted: the position still tells what was read.
      return { position: this.#position, pending: NOTHING_PENDING };
    }
    if (!this.#plan.isForward || this.isDone) {
      return {
        position: this.view.position(this.to),
        pending: this.#last?.pending ?? NOTHING_PENDING,
      };
    }
    return {
      position: this.view.position(this.#takenTo()),
      pending: NOTHING_PENDING,
    };
  }

  [Symbol.dispose](): void {
    this.view[Symbol.dispose]();
  }

  #takenTo(): number {
    const told = this.#last === undefined ? this.from : endOfGroup(this.#last);
    // What was looked through in vain need not be again, unless it can be the context of what follows.
    return this.next === undefined && this.#plan.context === 0
      ? Math.max(told, this.#upTo)
      : told;
  }

  /** A clock that was set back puts lines of other times into the range. */
  #isWanted(time: string): boolean {
    const { since, until } = this.#plan;
    return (since === null || time >= since) &&
      (until === null || time <= until);
  }

  #makerFrom(from: number): GroupMaker {
    const { matcher, context, signal } = this.#plan;
    return new GroupMaker(this.view, {
      from,
      contextFrom: this.from,
      to: this.to,
      matcher,
      context,
      limit: Infinity,
      signal,
    });
  }
}

async function* onePart(
  lines: readonly FoundLine[],
  to: number,
): AsyncGenerator<ScannedPart, void, void> {
  const from = lines[0]?.start ?? to;
  yield await Promise.resolve({ lines, from, to, time: null });
}
