/**
 * Finds secrets that stand half at the end of a line and half at the beginning of the next one, because a line that was
 * too long was split there.
 *
 * Of a line that ends for another reason nothing is known: what is printed in two parts with a pause between is two
 * lines.
 *
 * @module
 */

import { utf8Length } from "../kit/utf8_length.ts";
import type { KnownSecrets } from "./known_secrets.ts";
import type { Ranges } from "./ranges.ts";

/** Longest text of one line of a log in bytes. Longer ones are split between two characters. */
export const MAX_LINE_BYTES = 64 * 1024;

/** A character takes at most so many. */
const MAX_CHARACTER_BYTES = 4;

/** What was split has at least so many UTF-16 code units, each of which is at most three bytes. */
const MIN_SPLIT_UNITS = Math.floor(
  (MAX_LINE_BYTES - MAX_CHARACTER_BYTES) / 3,
);

/** The lines of one source, in order. */
export class CutSecrets {
  readonly #known: KnownSecrets;
  /** What the next line begins with if the last one ended with a part of a secret. */
  #rests: readonly string[] = [];

  constructor(known: KnownSecrets) {
    this.#known = known;
  }

  /** Whether one of the next lines may begin or end with a part of a secret. @param lines With a newline between two. */
  mayFind(lines: string): boolean {
    return !this.#known.isEmpty &&
      (this.#rests.length > 0 || mayHoldSplit(lines));
  }

  /**
   * Adds the parts at both ends of the next line.
   *
   * @param shown What a reader sees of it.
   * @param line As it stands in the log.
   */
  find(shown: string, line: string, ranges: Ranges): void {
    for (const rest of this.#rests) {
      if (shown.startsWith(rest)) ranges.push(0, rest.length);
    }
    this.#rests = [];
    if (this.#known.isEmpty || !isSplit(line)) return;
    const { rests, start } = this.#known.cutAtEnd(shown);
    this.#rests = rests;
    if (start < shown.length) ranges.push(start, shown.length);
  }
}

function isSplit(line: string): boolean {
  return line.length >= MIN_SPLIT_UNITS &&
    utf8Length(line) > MAX_LINE_BYTES - MAX_CHARACTER_BYTES;
}

/** Whether there is a line of that length. Looks at each such length once or twice. */
function mayHoldSplit(lines: string): boolean {
  for (let at = 0; lines.length - at >= MIN_SPLIT_UNITS;) {
    const newline = lines.lastIndexOf("\n", at + MIN_SPLIT_UNITS - 1);
    if (newline < at) return true;
    at = newline + 1;
  }
  return false;
}
