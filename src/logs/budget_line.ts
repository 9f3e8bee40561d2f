/**
 * A line on its way into an answer of limited size.
 *
 * @module
 */

/** Lines of the files and their bytes there, newlines included. */
export interface Extent {
  readonly lines: number;
  readonly bytes: number;
}

/** Text of which the middle may be gone already. */
export interface LongText {
  /** All of the text, or how it begins. */
  readonly head: string;
  /** Characters between the two. */
  readonly cut: number;
  /** How it ends; empty if nothing is cut. */
  readonly tail: string;
}

/** One line as a reader shall see it, with the lines of the files it stands for. */
export interface BudgetLine {
  readonly ts: string;
  readonly task: string;
  /** What stands before the text in the file. */
  readonly prefix: string;
  /** Without control sequences. */
  readonly text: LongText;
  readonly isError: boolean;
  /** It is here because of a match beside it. */
  readonly isContext: boolean;
  /** It does not follow the line before it, where that is told. */
  readonly isApart: boolean;
  /** Lines after it that it stands for. */
  readonly repeated: number;
  /** Whether those lines differ from it, in numbers and the like. */
  readonly isSimilar: boolean;
  /** Lines that were on the terminal where it is now. */
  readonly redrawn: number;
  /** What it stands for, itself included. */
  readonly extent: Extent;
}

/** Both together. */
export function sumOf(one: Extent, other: Extent): Extent {
  return { lines: one.lines + other.lines, bytes: one.bytes + other.bytes };
}

/** Nothing. */
export const NO_EXTENT: Extent = { lines: 0, bytes: 0 };
