/**
 * The few lines of a long error that tell most.
 *
 * @module
 */

import { isBlank } from "./error_block.ts";

/** Most lines of a sample, gaps included. */
export const MAX_SAMPLE_LINES = 12;

/** Longest line of a sample in characters. */
const MAX_LINE_LENGTH = 300;

/** Lines that say why. */
const CAUSE =
  /^\s*(?:\[cause\]|Caused by\b|Suppressed:|During handling of|The above exception|E\s{2,}\S|.*\b(?:\w+Error|\w+Exception)\b: )/;

/** Pointers into code, and the code they point at. */
const POINTER = /^\s*(?:\d+ *[|│])?[\s|│╵]*[\^~]+[\s^~]*$|^\s*>\s*\d+ \|/;

/**
 * The head, what was marked, causes, pointers into code, the first and the last lines, in order. A line in place of each
 * gap says how long it is.
 *
 * @param lines The whole error.
 * @param marks Indices of lines that must be in it, as far as there is room; the most important first.
 */
export function sampleOf(
  lines: readonly string[],
  marks: readonly number[],
): string[] {
  const told = [...lines.keys()].filter((index) => !isBlank(lines[index]!));
  if (told.length <= MAX_SAMPLE_LINES) {
    return told.map((index) => cutLine(lines[index]!));
  }
  const ranked = [
    told[0]!,
    ...marks.slice(0, 3),
    ...told.filter((index) => CAUSE.test(lines[index]!)).slice(0, 3),
    ...told.slice(1, 4),
    ...told.filter((index) => POINTER.test(lines[index]!)).slice(0, 1),
    ...told.slice(-1),
    ...marks.slice(3),
    ...told.slice(4),
  ].filter((index) => index >= 0 && index < lines.length);
  // A gap takes a line, too, so fewer lines may have room than there are.
  for (let count = MAX_SAMPLE_LINES;; count--) {
    const kept = [...new Set(ranked)].slice(0, count).sort((a, b) => a - b);
    const sample = withGaps(lines, told, kept);
    if (sample.length <= MAX_SAMPLE_LINES || count === 1) return sample;
  }
}

function withGaps(
  lines: readonly string[],
  told: readonly number[],
  kept: readonly number[],
): string[] {
  const isKept = new Set(kept);
  const sample: string[] = [];
  let left = 0;
  for (const index of told) {
    if (!isKept.has(index)) {
      left++;
      continue;
    }
    if (left > 0) sample.push(gap(left));
    left = 0;
    sample.push(cutLine(lines[index]!));
  }
  if (left > 0) sample.push(gap(left));
  return sample;
}

function gap(count: number): string {
  return `… ${count} more line${count === 1 ? "" : "s"}`;
}

/** A line of bearable length; the middle of a longer one is left out. */
export function cutLine(line: string): string {
  if (line.length <= MAX_LINE_LENGTH) return line.trimEnd();
  const half = Math.floor((MAX_LINE_LENGTH - 1) / 2);
  return `${line.slice(0, half)}…${line.slice(-half)}`;
}
