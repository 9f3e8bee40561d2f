/**
 * Changes to a text by offsets: pieces that take the place of others, and what the lines around them look like.
 *
 * @module
 */

/** A piece of text and what takes its place. */
export interface Splice {
  /** Offset of its first character. */
  readonly start: number;
  /** Offset after its last character; equal to `start` where something goes in. */
  readonly end: number;
  readonly text: string;
}

/** The text with all splices done, in the order of their places. They must not overlap, but two may touch. */
export function applySplices(text: string, splices: readonly Splice[]): string {
  let result = "";
  let at = 0;
  for (const splice of [...splices].sort((a, b) => a.start - b.start)) {
    result += text.slice(at, splice.start) + splice.text;
    at = splice.end;
  }
  return result + text.slice(at);
}

/** The line break of a text: that of its first line. */
export function lineBreakOf(text: string): string {
  return /^[^\n]*\r\n/.test(text) ? "\r\n" : "\n";
}

/** Offset of the first character of the line. */
export function lineStart(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
}

/** The blanks before the first character of the line. */
export function indentOf(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, offset), offset))![0];
}
