/**
 * Finding where the last lines of several logs begin: from the end, no further than need be.
 *
 * @module
 */

import type { LogPlan } from "./log_query.ts";
import {
  type FoundLine,
  type ScannedPart,
  scanPartsBackward,
} from "./log_scan.ts";
import type { SourceReader } from "./source_reader.ts";

/** Lines that are found going backwards are kept up to so many bytes; more are looked for again going forwards. */
const KEPT_BYTES = 1024 * 1024;

/** Later than every time in a log. */
const NEVER = "~";

/** What bounds the lines. */
export interface TailLimit {
  /** Most matches. */
  readonly lines: number;
  /** Most bytes of matches. */
  readonly bytes: number;
  /** Told after each piece how many bytes it had. */
  readonly onRead: (bytes: number) => void;
}

/** Lets each reader begin at its share of the last matches of all. */
export async function startAtTail(
  readers: readonly SourceReader[],
  plan: LogPlan,
  limit: TailLimit,
): Promise<void> {
  let missing = limit.lines;
  let bytes = 0;
  const tails = readers.map((reader) => new Tail(reader, plan, () => missing));
  while (missing > 0 && bytes < limit.bytes) {
    const tail = latest(tails);
    if (tail === null) break;
    if (tail.isEmpty) {
      limit.onRead(await tail.advance());
      continue;
    }
    bytes += tail.take(bytes <= KEPT_BYTES);
    missing--;
  }
  for (const tail of tails) tail.start(bytes <= KEPT_BYTES);
}

/** The one whose next line is the last of all; at equal times that of the last task. Null if all are read. */
function latest(tails: readonly Tail[]): Tail | null {
  let best: Tail | null = null;
  for (const tail of tails) {
    if (tail.isDone) continue;
    if (best === null || tail.frontier >= best.frontier) best = tail;
  }
  return best;
}

/** One log, read backwards. */
class Tail {
  readonly #reader: SourceReader;
  readonly #parts: AsyncGenerator<ScannedPart, void, void>;
  readonly #isWanted: (time: string) => boolean;
  #queue: FoundLine[] = [];
  /** For each of them the latest time up to it: where a clock was set back, a line is as old as those before it. */
  #times: string[] = [];
  #taken: FoundLine[] = [];
  #start: number;
  #time = NEVER;
  #isRead = false;

  constructor(reader: SourceReader, plan: LogPlan, wanted: () => number) {
    const { from, to } = reader;
    const { since, until } = plan;
    this.#reader = reader;
    this.#start = to;
    this.#parts = scanPartsBackward(reader.view, {
      ...plan,
      from,
      to,
      // Where times are asked for, some of the last lines may be of another one.
      ...since === null && until === null ? { wanted } : {},
    });
    this.#isWanted = (time) =>
      (since === null || time >= since) && (until === null || time <= until);
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  get isDone(): boolean {
    return this.#isRead && this.isEmpty;
  }

  /** No line that is still to come is younger than this, as far as times grow. */
  get frontier(): string {
    return this.#times.at(-1) ?? this.#time;
  }

  /** Looks through the next piece. @returns Its bytes. */
  async advance(): Promise<number> {
    const { value: part } = await this.#parts.next();
    if (part === undefined) {
      this.#isRead = true;
      return 0;
    }
    if (part.time !== null && part.time < this.#time) this.#time = part.time;
    this.#queue = part.lines.filter(({ time }) => this.#isWanted(time));
    let latest = "";
    this.#times = this.#queue.map(({ time }) => {
      if (time > latest) latest = time;
      return latest;
    });
    return part.to - part.from;
  }

  /** Takes the last line that is left. @returns Its bytes. */
  take(isKept: boolean): number {
    const line = this.#queue.pop()!;
    this.#times.pop();
    this.#start = line.start;
    if (isKept) this.#taken.push(line);
    else this.#taken = [];
    return line.end - line.start;
  }

  start(isKept: boolean): void {
    if (isKept) this.#reader.startWith(this.#taken.reverse());
    else this.#reader.startAt(this.#start);
    this.#taken = [];
  }
}
