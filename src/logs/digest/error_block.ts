/**
 * Blocks: the lines of output that belong to one error, and those who recognise them.
 *
 * @module
 */

import type { ErrorKind } from "./error_group.ts";

/** A frame as the tool prints it. */
export interface RawFrame {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly function: string | null;
  /** Index of its line in the block, for the sample. */
  readonly at: number;
}

/** What a block tells. */
export interface ErrorFacts {
  readonly kind: ErrorKind;
  /** Name for people, such as `TypeError: x is not a function`. */
  readonly message: string;
  /** What tells it from others, where that is not the message. */
  readonly identity?: string;
  /** Innermost first. */
  readonly frames: readonly RawFrame[];
  /** The lines of the error; the first one is its head. */
  readonly lines: readonly string[];
  /** More lines that a sample should have, by index. */
  readonly marks?: readonly number[];
  /** Two places with the same message are two errors, as with compilers. */
  readonly byLine?: boolean;
  /** A consequence such as `npm error code ELIFECYCLE`, which says nothing where the cause was told. */
  readonly isWeak?: boolean;
  /** The way it was told, where a tool tells the same error in two ways, one right after the other. */
  readonly channel?: string;
}

/** A block while it grows. */
export interface Block {
  readonly lines: readonly string[];
  /** Free for the recogniser; empty at first. */
  phase: string;
  /** Free for the recogniser; 0 at first. */
  depth: number;
}

/** Recognises the errors of a runtime or tool. Has no state: that is in the block. */
export interface Recogniser {
  /**
   * Whether a block begins with this line, or becomes visible by it.
   *
   * @param before The lines before it that belong to nothing, newest last.
   * @returns How many lines of `before` belong to the block, too; -1 if there is no block.
   */
  opens(text: string, before: readonly string[]): number;
  /** Whether the line belongs to the block; else the block has ended before it. Blank lines at the end do no harm. */
  belongs(text: string, block: Block): boolean;
  /** What a whole block tells; null if it is no error after all. */
  read(lines: readonly string[]): ErrorFacts | null;
}

/** Whether a line has nothing but space. */
export function isBlank(text: string): boolean {
  return text === "" || text.trim() === "";
}

/** Whether a line is indented. */
export function isIndented(text: string): boolean {
  const first = text.charCodeAt(0);
  return first === 32 || first === 9;
}

/** The index of the last line that matches and that at most `reach` others follow; -1 if there is none. */
export function findBack(
  lines: readonly string[],
  pattern: RegExp,
  reach: number,
): number {
  const end = Math.max(0, lines.length - 1 - reach);
  for (let index = lines.length - 1; index >= end; index--) {
    if (pattern.test(lines[index]!)) return index;
  }
  return -1;
}

/** A number of a match, or null. */
export function numberOf(digits: string | undefined): number | null {
  return digits === undefined || digits === "" ? null : Number(digits);
}
