/**
 * Finds private keys that are printed over several lines, also when their first lines are out of sight.
 *
 * @module
 */

import type { Ranges } from "./ranges.ts";

/** Lines that a private key may have; what never ends was cut off. */
const MAX_LINES = 400;

const MARK = /-----(BEGIN|END) [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----/g;

/** The time at the start of a line of a log file. */
const STAMP = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z? /y;

/** A whole line of a key, which is 64 or 76 characters long, and of little else. */
const FULL_LINE = /[A-Za-z0-9+/]{60,76}={0,2}\s*$/y;

/** The last line of a key, when nothing else of it is there. */
const LAST_LINE =
  /(?=[^]*[a-z])(?=[^]*[A-Z])(?=[^]*\d)[A-Za-z0-9+/]{12,75}={1,2}\s*$/y;

/** Any line of a key. */
const KEY_LINE = /[A-Za-z0-9+/]{1,76}={0,2}\s*$/y;

/** What is too long for a word of anything but a key. */
const LONG_WORD = /[A-Za-z0-9+/]{16,}={0,2}/g;

/** The code of "=". */
const EQUALS = 61;

/** Longest line of a key. */
const MAX_KEY_LINE_LENGTH = 80;

/** The lines of one source, in order. */
export class PrivateKeyLines {
  #linesLeft = 0;
  /** Whether the beginning was seen. Otherwise ordinary lines may stand before the key, and only what looks like one is hidden. */
  #isSure = false;
  /** The line before may have been one of a key whose beginning nobody saw. */
  #mayBeInside = false;

  /**
   * Tells that what follows begins in the middle of a key, if it does: a key ends there that does not begin.
   *
   * @param texts What follows, as far as it is known.
   */
  expect(texts: Iterable<string>): void {
    if (this.#linesLeft > 0) return;
    let lines = 0;
    for (const text of texts) {
      if (++lines > MAX_LINES) return;
      const mark = text.includes("PRIVATE KEY") ? [...text.matchAll(MARK)] : [];
      const first = mark[0]?.[1];
      if (first === "BEGIN") return;
      if (first === "END") {
        this.#linesLeft = MAX_LINES;
        this.#isSure = false;
        return;
      }
    }
  }

  /** Whether one of the next lines, which hold no mark, can belong to a key. */
  mayFind(lines: string): boolean {
    if (this.#linesLeft > 0 || this.#mayBeInside) return true;
    for (let at = 0; at < lines.length;) {
      const newline = lines.indexOf("\n", at);
      const end = newline === -1 ? lines.length : newline;
      if (mayBeLineAt(lines, at, end)) return true;
      at = end + 1;
    }
    return false;
  }

  /** Adds the parts of the next line that belong to a key. */
  find(line: string, ranges: Ranges): void {
    if (line.includes("PRIVATE KEY")) this.#findMarked(line, ranges);
    else if (this.#linesLeft > 0) {
      this.#linesLeft--;
      hideWords(line, this.#from(textStart(line)), ranges);
    } else this.#findUnmarked(line, ranges);
  }

  #findMarked(line: string, ranges: Ranges): void {
    let from = textStart(line);
    for (const { index, 0: { length }, 1: kind } of line.matchAll(MARK)) {
      if (kind === "BEGIN") {
        this.#linesLeft = MAX_LINES;
        this.#isSure = true;
      } else {
        const isWhole = line.slice(0, from).endsWith("-----");
        // Between the marks of one line stands the key, with its line breaks escaped.
        if (isWhole) ranges.push(from, index);
        else hideWords(line.slice(0, index), this.#from(from), ranges);
        this.#linesLeft = 0;
      }
      from = index + length;
    }
    this.#mayBeInside = false;
    if (this.#linesLeft > 0) hideWords(line, this.#from(from), ranges);
  }

  #from(start: number): { start: number; isSure: boolean } {
    return { start, isSure: this.#isSure };
  }

  #findUnmarked(line: string, ranges: Ranges): void {
    if (!this.#mayBeInside && !mayBeLine(line)) return;
    const start = textStart(line);
    const patterns = this.#mayBeInside ? [KEY_LINE] : [FULL_LINE, LAST_LINE];
    const found = firstMatch(patterns, line, start);
    this.#mayBeInside = found !== null && isMixed(found[0]);
    if (found === null || !this.#mayBeInside) return;
    ranges.push(start, start + found[0].trimEnd().length);
  }
}

/** Whether a line can be one of a key alone: a few comparisons, since all lines are asked. */
function mayBeLine(line: string): boolean {
  if (line.length < 12 || line.length > 120) return false;
  const isStamped = line[4] === "-" && line[10] === "T";
  const start = isStamped ? line.indexOf(" ") + 1 : 0;
  const isLong = line.length - start >= 60;
  if (!isLong && !line.trimEnd().endsWith("=")) return false;
  return !line.trimEnd().includes(" ", start);
}

/** {@linkcode mayBeLine} for a part of a text, without making a text of it where that is not needed. */
function mayBeLineAt(text: string, from: number, end: number): boolean {
  if (end - from < 12 || end - from > 120) return false;
  const last = text.charCodeAt(end - 1);
  const isTrimmed = last > 32 && last < 127;
  if (!isTrimmed) return mayBeLine(text.slice(from, end));
  const isStamped = text[from + 4] === "-" && text[from + 10] === "T";
  const stampEnd = isStamped ? text.indexOf(" ", from) : -1;
  const start = stampEnd !== -1 && stampEnd < end ? stampEnd + 1 : from;
  if (end - start < 60 && last !== EQUALS) return false;
  const blank = text.indexOf(" ", start);
  return blank === -1 || blank > end;
}

function firstMatch(
  patterns: readonly RegExp[],
  text: string,
  start: number,
): RegExpExecArray | null {
  for (const pattern of patterns) {
    pattern.lastIndex = start;
    const found = pattern.exec(text);
    if (found !== null) return found;
  }
  return null;
}

/** Where the text of a line begins, behind its time. */
function textStart(line: string): number {
  STAMP.lastIndex = 0;
  return STAMP.exec(line)?.[0].length ?? 0;
}

/** What may stand before a line of a key: nothing, a quote, or the name of who printed it. */
const PREFIX = /(?:^|[|:>\]"'`])\s*$/;

/** Adds what may be a part of a key: long words, and a word that is all of the line. */
function hideWords(
  line: string,
  { start, isSure }: { readonly start: number; readonly isSure: boolean },
  ranges: Ranges,
): void {
  LONG_WORD.lastIndex = start;
  for (
    let hit = LONG_WORD.exec(line);
    hit !== null;
    hit = LONG_WORD.exec(line)
  ) {
    if (isSure || isMixed(hit[0])) ranges.push(hit.index, LONG_WORD.lastIndex);
  }
  let end = line.length;
  while (end > start && " \t\r\"',\\".includes(line[end - 1]!)) end--;
  let from = end;
  const earliest = Math.max(start, end - MAX_KEY_LINE_LENGTH);
  while (from > earliest && /[A-Za-z0-9+/=]/.test(line[from - 1]!)) from--;
  const isKey = (isSure || isMixed(line.slice(from, end))) &&
    PREFIX.test(line.slice(Math.max(start, from - 8), from));
  if (end > from && isKey) ranges.push(from, end);
}

/** Neither words nor the digits of a checksum. */
function isMixed(text: string): boolean {
  return text.includes("=") ||
    (/[a-z]/.test(text) && /[A-Z]/.test(text) && /[0-9+/]/.test(text));
}
