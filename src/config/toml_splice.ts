/**
 * Pieces of TOML text: which lines, comments and blanks belong to a table or a key, and how pieces are exchanged.
 *
 * Works on offsets of a text and its layout; knows nothing of values.
 *
 * @module
 */

import { lineStart, type Splice } from "../kit/text_splice.ts";
import type { KeyValue, Layout, Span, TableNode } from "./toml_layout.ts";

/** A text with its layout. */
export interface LaidOut {
  readonly text: string;
  readonly layout: Layout;
  /** What ends the lines that are added. */
  readonly eol: string;
}

/** Offset after the line break that ends the line, or the end of the text. */
export function lineEnd(text: string, offset: number): number {
  const found = text.indexOf("\n", offset);
  return found === -1 ? text.length : found + 1;
}

/**
 * A table with all that is its own: the comment right above its header, its entries, and comments right below the last
 * one, unless they stand right above what comes next.
 */
export function tableBlock(node: TableNode, laidOut: LaidOut): Span {
  const { text } = laidOut;
  const start = startWithComment(node.header.start, laidOut);
  const last = node.entries.at(-1) ?? node.header;
  let end = lineEnd(text, last.end);
  let below = end;
  while (isComment(below, laidOut)) below = lineEnd(text, below);
  if (isBlank(text, below)) end = below;
  return { start, end };
}

/** A key with the comment right above it, whole lines. For keys outside inline tables. */
export function entryBlock(node: KeyValue, laidOut: LaidOut): Span {
  return {
    start: startWithComment(node.start, laidOut),
    end: lineEnd(laidOut.text, node.end),
  };
}

/**
 * Splices that delete blocks, and of the blank lines around each those that would be too many afterwards.
 *
 * @param blocks Whole lines, in any order; they may touch.
 */
export function deleteBlocks(text: string, blocks: readonly Span[]): Splice[] {
  const merged: { start: number; end: number }[] = [];
  for (const block of [...blocks].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    const isNext = last !== undefined &&
      text.slice(last.end, block.start).trim() === "";
    if (isNext) last.end = Math.max(last.end, block.end);
    else merged.push({ ...block });
  }
  return merged.map(({ start, end }) => {
    const before = skipBlankLinesBack(text, start);
    const after = skipBlankLines(text, end);
    const isBetween = before > 0 && after < text.length;
    const blanksBefore = countLines(text.slice(before, start));
    const blanksAfter = countLines(text.slice(end, after));
    // One gap remains, the wider one; none at either end of the file.
    if (isBetween && blanksBefore > blanksAfter) {
      return { start, end: after, text: "" };
    }
    if (isBetween) return { start: before, end, text: "" };
    return { start: before, end: after, text: "" };
  });
}

/** Splices that delete entries of one inline table. */
export function deleteInline(
  text: string,
  around: Span & { readonly entries: readonly KeyValue[] },
  doomed: ReadonlySet<KeyValue>,
): Splice[] {
  const lastKept = around.entries.findLastIndex((entry) => !doomed.has(entry));
  if (lastKept === -1) {
    return [{ start: around.start + 1, end: around.end - 1, text: " " }];
  }
  const splices: Splice[] = [];
  for (const [index, entry] of around.entries.entries()) {
    if (!doomed.has(entry) || index > lastKept) continue;
    splices.push({ ...throughComma(text, entry), text: "" });
  }
  const last = around.entries.at(-1)!;
  const kept = around.entries[lastKept]!;
  if (kept !== last) splices.push({ start: kept.end, end: last.end, text: "" });
  return splices;
}

/** A whole block to stand on its own lines at an offset that begins a line: with blank lines around it. */
export function insertBlock(
  { text, eol }: LaidOut,
  offset: number,
  block: string,
): Splice {
  const before = text.slice(0, offset);
  const after = text.slice(offset);
  let opening = "";
  if (before.replace(/^\uFEFF/, "") !== "") {
    if (!before.endsWith("\n")) opening = eol;
    if (!/\n[ \t\r]*\n$/.test(before + opening)) opening += eol;
  }
  const closing = after === "" || isBlank(after, 0) ? "" : eol;
  return { start: offset, end: offset, text: opening + block + closing };
}

/** One line below the entry or header that ends at an offset. */
export function insertLine(
  { text, eol }: LaidOut,
  after: number,
  line: string,
): Splice {
  const offset = lineEnd(text, after);
  const isOpen = offset === text.length && !text.endsWith("\n");
  const inserted = isOpen ? eol + line : line + eol;
  return { start: offset, end: offset, text: inserted };
}

/** An entry with its comma; the whole line if nothing else stands on it. */
function throughComma(text: string, entry: Span): Span {
  let end = entry.end;
  while (text[end] !== ",") {
    end = text[end] === "#" ? lineEnd(text, end) : end + 1;
  }
  end++;
  const first = lineStart(text, entry.start);
  const rest = text.slice(end, lineEnd(text, end));
  const isAlone = text.slice(first, entry.start).trim() === "" &&
    rest.trim() === "";
  if (isAlone) return { start: first, end: end + rest.length };
  while (text[end] === " " || text[end] === "\t") end++;
  return { start: entry.start, end };
}

function startWithComment(offset: number, laidOut: LaidOut): number {
  const { text } = laidOut;
  let start = lineStart(text, offset);
  while (start > 0) {
    const above = lineStart(text, start - 1);
    // "#:schema" speaks of the file, whatever stands below it.
    const isOurs = isComment(above, laidOut) &&
      !text.slice(above, start).includes("#:");
    if (!isOurs) break;
    start = above;
  }
  return start;
}

/** Whether the line holds a comment only. One that looks so may be the end of a multi-line string. */
function isComment(start: number, { text, layout }: LaidOut): boolean {
  const line = text.slice(start, lineEnd(text, start));
  const blanks = /^[\uFEFF \t]*/.exec(line)![0].length;
  return layout.comments.has(start + blanks);
}

function isBlank(text: string, start: number): boolean {
  return text.slice(start, lineEnd(text, start)).trim() === "";
}

function countLines(text: string): number {
  return text.split("\n").length - 1;
}

function skipBlankLines(text: string, offset: number): number {
  let at = offset;
  while (at < text.length && isBlank(text, at)) at = lineEnd(text, at);
  return at;
}

function skipBlankLinesBack(text: string, offset: number): number {
  let at = offset;
  while (at > 0) {
    const above = lineStart(text, at - 1);
    if (!isBlank(text, above)) break;
    at = above;
  }
  return at;
}
