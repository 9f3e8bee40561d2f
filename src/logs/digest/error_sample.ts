/**
 * The few lines of a long error that tell most.
 *
 * @module
 */

import {
  type ErrorFacts,
  isBlank,
  isIndented,
  type RawFrame,
} from "./error_block.ts";

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
 * The head, the message, frames of the project with their code, causes, pointers into code, the first and the last
 * lines, in order. Frames of others are left out where the project has one. A line in place of each gap says how long it is.
 */
export function sampleOf(
  { lines, frames, marks = [] }: ErrorFacts,
  isOwnFrame: (frame: RawFrame) => boolean,
): string[] {
  const told = [...lines.keys()].filter((index) => !isBlank(lines[index]!));
  if (told.length <= 3) return told.map((index) => cutLine(lines[index]!));
  const own = frames.filter(isOwnFrame).map(({ at }) => at);
  const foreign = own.length === 0
    ? new Set<number>()
    : foreignLines(lines, frames.filter((frame) => !isOwnFrame(frame)));
  const wanted = told.filter((index) => !foreign.has(index));
  const ranked = [
    wanted[0] ?? told[0]!,
    ...marks.slice(0, 2),
    ...own.slice(0, 1),
    ...wanted.filter((index) => CAUSE.test(lines[index]!)).slice(0, 3),
    ...own.slice(0, 3).flatMap((at) => [at, ...codeOf(lines, at)]),
    ...wanted.filter((index) => POINTER.test(lines[index]!)).slice(0, 2),
    ...wanted.slice(1, 4),
    ...wanted.slice(-1),
    ...marks.slice(2),
    ...wanted.slice(4),
  ].filter((index) => index >= 0 && index < lines.length);
  // A gap takes a line, too, so fewer lines may have room than there are.
  for (let count = MAX_SAMPLE_LINES;; count--) {
    const kept = [...new Set(ranked)].slice(0, count).sort((a, b) => a - b);
    const sample = withGaps(lines, told, kept);
    if (sample.length <= MAX_SAMPLE_LINES || count === 1) return sample;
  }
}

/** Lines of frames that are not wanted, with the code that is shown below them. */
function foreignLines(
  lines: readonly string[],
  frames: readonly RawFrame[],
): Set<number> {
  const found = new Set<number>();
  for (const { at } of frames) {
    // The head may name a place, too.
    if (at === 0 || !isIndented(lines[at] ?? "")) continue;
    found.add(at);
    for (const below of codeOf(lines, at)) found.add(below);
  }
  return found;
}

/** The lines right below a frame that are deeper than it. */
function codeOf(lines: readonly string[], at: number): number[] {
  const depth = depthOf(lines[at]!);
  const found: number[] = [];
  for (let index = at + 1; index < Math.min(lines.length, at + 5); index++) {
    const text = lines[index]!;
    if (isBlank(text) || depthOf(text) <= depth) break;
    found.push(index);
  }
  return found;
}

function depthOf(text: string): number {
  return text.length - text.replace(/^[\s|]+/, "").length;
}

function withGaps(
  lines: readonly string[],
  told: readonly number[],
  kept: readonly number[],
): string[] {
  const isKept = new Set(kept);
  const sample: string[] = [];
  let gap: number[] = [];
  const close = () => {
    // One line says more than that there is one.
    if (gap.length === 1) sample.push(cutLine(lines[gap[0]!]!));
    else if (gap.length > 1) sample.push(`… ${gap.length} more lines`);
    gap = [];
  };
  for (const index of told) {
    if (!isKept.has(index)) gap.push(index);
    else {
      close();
      sample.push(cutLine(lines[index]!));
    }
  }
  close();
  return sample;
}

/** A line of bearable length: rules become short, and the middle of what is too long is left out. */
export function cutLine(line: string): string {
  const text = line.replaceAll(/([-=_─~^])\1{19,}/g, "$1$1$1").trimEnd();
  if (text.length <= MAX_LINE_LENGTH) return text;
  const half = Math.floor((MAX_LINE_LENGTH - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(-half)}`;
}
