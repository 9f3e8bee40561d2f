/**
 * Finding a time in a log by binary search over its bytes.
 *
 * Trusts that times grow. Where the clock was set back, the search ends at one of the places where the time passes.
 *
 * @module
 */

import { timestampAt } from "./log_line.ts";
import type { LogView } from "./log_view.ts";

/**
 * The offset of the first line that is not before some time, or the end of the stream. Lines without a time belong to
 * the line before them. About 30 reads of 32 KiB for 1 GB.
 *
 * @param isBefore Whether a time, as it stands in the file, is before the wanted one.
 */
export async function seekTime(
  view: LogView,
  isBefore: (time: string) => boolean,
  signal?: AbortSignal,
): Promise<number> {
  let low = 0;
  let high = view.end;
  let found = view.end;
  while (low < high) {
    signal?.throwIfAborted();
    const middle = low + Math.floor((high - low) / 2);
    const line = await firstTimedLine(view, middle, high);
    if (line === null) high = middle;
    else if (isBefore(line.time)) low = line.at + 1;
    else {
      found = line.at;
      high = middle;
    }
  }
  return found;
}

/** The first line with a time that starts at `from` or later, but before `limit`. */
async function firstTimedLine(
  view: LogView,
  from: number,
  limit: number,
): Promise<{ at: number; time: string } | null> {
  // One byte to the left, to see whether a line starts exactly here.
  let isLineStart = from === 0;
  for await (const chunk of view.forward(Math.max(0, from - 1), view.end)) {
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
