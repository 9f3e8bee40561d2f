/**
 * Finding a time in a log: a few samples, then a binary search between two of them.
 *
 * Times usually grow. Where samples show that a clock was set back, what lies between them is read instead of trusted.
 * A clock that went back and caught up again between two samples goes unseen; then the search ends at one of the places
 * where the time passes, at most a sixty-fourth of the log away from the other.
 *
 * @module
 */

import { timestampAt } from "./log_line.ts";
import type { LogView } from "./log_view.ts";

/** Most samples of one log. */
const MAX_SAMPLES = 64;

/** A log is sampled no denser than this. */
const SAMPLE_BYTES = 16 * 1024;

/** A look at one line. */
const LOOK_BYTES = 4096;

/** A line with a time, or the end of the log with the time before it. */
interface TimedLine {
  readonly at: number;
  readonly time: string;
}

/** Where to look, and until when. */
interface Search {
  readonly view: LogView;
  readonly signal: AbortSignal | undefined;
}

/**
 * The offset of the first line that is not before a time, or the end of the stream. Lines without a time belong to the
 * line before them. Some hundred reads of 4 KiB for 1 GB; more where a clock was set back.
 */
export async function seekSince(
  view: LogView,
  since: string,
  signal?: AbortSignal,
): Promise<number> {
  const search = { view, signal };
  const isWanted = (time: string): boolean => time >= since;
  const samples = await sample(search);
  for (const [index, low] of samples.entries()) {
    const high = samples[index + 1];
    if (isWanted(low.time)) return low.at;
    if (high === undefined) break;
    const found = high.time < low.time
      ? (await scanTimes(search, [low.at, high.at], isWanted)).first
      : isWanted(high.time)
      ? await bisect(search, [low.at, high.at], isWanted)
      : null;
    if (found !== null) return found;
  }
  return view.end;
}

/** The offset of the first line from which on all are after a time, or the end of the stream. Cost as {@linkcode seekSince}. */
export async function seekUntil(
  view: LogView,
  until: string,
  signal?: AbortSignal,
): Promise<number> {
  const search = { view, signal };
  const isAfter = (time: string): boolean => time > until;
  const samples = await sample(search);
  for (let index = samples.length - 1; index > 0; index--) {
    const high = samples[index]!;
    const low = samples[index - 1]!;
    if (!isAfter(high.time)) return high.at;
    if (high.time < low.time) {
      const isBefore = (time: string): boolean => !isAfter(time);
      const range = [low.at, high.at] as const;
      const { afterLast } = await scanTimes(search, range, isBefore);
      if (afterLast !== null) return afterLast;
    } else if (!isAfter(low.time)) {
      return await bisect(search, [low.at, high.at], isAfter) ?? high.at;
    }
  }
  return samples[0]?.at ?? view.end;
}

/** Lines at even distances, the first one with a time, and the end. */
async function sample({ view, signal }: Search): Promise<TimedLine[]> {
  const count = Math.min(MAX_SAMPLES, Math.ceil(view.end / SAMPLE_BYTES));
  const samples: TimedLine[] = [];
  for (let index = 0; index < count; index++) {
    signal?.throwIfAborted();
    const from = Math.floor(view.end * index / count);
    if (from < (samples.at(-1)?.at ?? 0)) continue;
    const line = await firstTimedLine(view, from, view.end);
    if (line === null) break;
    if (line.at !== samples.at(-1)?.at) samples.push(line);
  }
  const last = samples.at(-1);
  if (last === undefined) return [];
  const time = await view.timeBefore(view.end) ?? last.time;
  return [...samples, { at: view.end, time }];
}

/** The first line of a range, in which times grow, that is wanted; null if none is. */
async function bisect(
  { view, signal }: Search,
  [from, to]: readonly [from: number, to: number],
  isWanted: (time: string) => boolean,
): Promise<number | null> {
  let low = from;
  let high = to;
  let found: number | null = null;
  while (low < high) {
    signal?.throwIfAborted();
    const middle = low + Math.floor((high - low) / 2);
    const line = await firstTimedLine(view, middle, high);
    if (line === null) high = middle;
    else if (isWanted(line.time)) {
      found = line.at;
      high = middle;
    } else low = line.at + 1;
  }
  return found;
}

/** The first line of a range that is wanted, and the first one after the last that is; null if none is. Reads it all. */
async function scanTimes(
  { view, signal }: Search,
  [from, to]: readonly [from: number, to: number],
  isWanted: (time: string) => boolean,
): Promise<{ first: number | null; afterLast: number | null }> {
  let first: number | null = null;
  let afterLast: number | null = null;
  let isAfterWanted = false;
  for await (const { at: start, bytes } of view.forward(from, to)) {
    signal?.throwIfAborted();
    const text = new TextDecoder("latin1").decode(bytes);
    for (let at = 0; at < text.length; at = lineAfter(text, at)) {
      const time = timestampAt(text, at);
      if (time === null) continue;
      const isMatch = isWanted(time);
      if (isMatch) first ??= start + at;
      else if (isAfterWanted) afterLast = start + at;
      isAfterWanted = isMatch;
    }
  }
  return { first, afterLast: isAfterWanted ? to : afterLast };
}

/** The first line with a time that starts at `from` or later, but before `limit`. */
async function firstTimedLine(
  view: LogView,
  from: number,
  limit: number,
): Promise<TimedLine | null> {
  // One byte to the left, to see whether a line starts exactly here.
  let isLineStart = from === 0;
  for await (
    const chunk of view.forward(
      Math.max(0, from - 1),
      view.end,
      LOOK_BYTES,
    )
  ) {
    // One character per byte: a time is ASCII.
    const text = new TextDecoder("latin1").decode(chunk.bytes);
    let at = isLineStart ? 0 : lineAfter(text, 0);
    isLineStart = true;
    while (at < text.length) {
      if (chunk.at + at >= limit) return null;
      const time = timestampAt(text, at);
      if (time !== null) return { at: chunk.at + at, time };
      at = lineAfter(text, at);
    }
    if (chunk.at + at >= limit) return null;
  }
  return null;
}

function lineAfter(text: string, at: number): number {
  const newline = text.indexOf("\n", at);
  return newline === -1 ? text.length : newline + 1;
}
