/**
 * A block between two marker lines in somebody else's Markdown file. Every byte outside of it stays.
 *
 * A marker is a line of its own, outside of code fences. What stands between a start and the next end is ours if it is
 * empty or begins with our heading. A marker without its partner is left where it is, and told: what follows it may be
 * anybody's.
 *
 * @module
 */

import { BLOCK_END, BLOCK_HEADING, BLOCK_START } from "./context_block.ts";

const BYTE_ORDER_MARK = "\uFEFF";

const FENCE_REGEXP = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;

/** What became of a text. */
export interface BlockEdit {
  readonly text: string;
  /** Whether a block of ours was in it. */
  readonly hadBlock: boolean;
  /** Lines, counted from 1, of markers that mark no block of ours. */
  readonly strays: readonly number[];
}

/** First and last line of a block, counted from 0. */
interface Span {
  readonly first: number;
  readonly last: number;
}

/**
 * Puts a block where ours is; of several the first is replaced and the others go. Without any it is appended after an
 * empty line, if that is wanted. Line breaks are those of most lines of the text.
 */
export function putBlock(
  text: string,
  block: readonly string[],
  { append }: { readonly append: boolean },
): BlockEdit {
  const lines = splitLines(text);
  const { spans, strays } = findBlocks(lines);
  const [own, ...others] = spans;
  const eol = lineBreakOf(lines);
  if (own !== undefined) {
    const head = lines[own.first]!.startsWith(BYTE_ORDER_MARK)
      ? BYTE_ORDER_MARK
      : "";
    const tail = lines[own.last]!.endsWith("\n") ? eol : "";
    const kept = without(lines, others);
    kept[own.first] = head + block.join(eol) + tail;
    kept.fill("", own.first + 1, own.last + 1);
    return { text: kept.join(""), hadBlock: true, strays };
  }
  if (!append) return { text, hadBlock: false, strays };
  const isEmpty = text === "" || text === BYTE_ORDER_MARK;
  const gap = isEmpty ? "" : text.endsWith("\n") ? eol : eol + eol;
  return {
    text: text + gap + block.join(eol) + eol,
    hadBlock: false,
    strays,
  };
}

/** Takes every block of ours out, with the empty line that came with it. */
export function takeBlock(text: string): BlockEdit {
  const lines = splitLines(text);
  const { spans, strays } = findBlocks(lines);
  return {
    text: without(lines, spans).join(""),
    hadBlock: spans.length > 0,
    strays,
  };
}

/** With their line breaks, so that they can be put together again. */
function splitLines(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function lineBreakOf(lines: readonly string[]): string {
  const count = lines.filter((line) => line.endsWith("\r\n")).length;
  return count * 2 > lines.length ? "\r\n" : "\n";
}

function bare(line: string): string {
  return line.replace(BYTE_ORDER_MARK, "").trim();
}

/** The lines of the spans empty, so that the others keep their number. */
function without(
  lines: readonly string[],
  spans: readonly Span[],
): string[] {
  const kept = [...lines];
  for (const { first, last } of spans) {
    kept.fill("", first, last + 1);
    if (lines[first]!.startsWith(BYTE_ORDER_MARK)) {
      kept[first] = BYTE_ORDER_MARK;
    }
    const before = first === 0 ? undefined : lines[first - 1];
    const after = lines[last + 1];
    const isBlankBefore = before !== undefined && bare(before) === "";
    if (after === undefined && isBlankBefore) kept[first - 1] = "";
    else if (
      after !== undefined && bare(after) === "" &&
      (before === undefined || isBlankBefore)
    ) kept[last + 1] = "";
  }
  return kept;
}

function findBlocks(
  lines: readonly string[],
): { readonly spans: readonly Span[]; readonly strays: readonly number[] } {
  const fenced = fencedLines(lines);
  const spans: Span[] = [];
  const strays: number[] = [];
  let first: number | null = null;
  for (const [at, line] of lines.entries()) {
    const marker = fenced.has(at) ? "" : bare(line);
    if (marker === BLOCK_START) {
      if (first !== null) strays.push(first + 1);
      first = at;
    } else if (marker === BLOCK_END) {
      if (first === null) strays.push(at + 1);
      else if (isOurs(lines.slice(first + 1, at))) {
        spans.push({ first, last: at });
      } else strays.push(first + 1, at + 1);
      first = null;
    }
  }
  if (first !== null) strays.push(first + 1);
  return { spans, strays };
}

function isOurs(inner: readonly string[]): boolean {
  const head = inner.map(bare).find((line) => line !== "");
  return head === undefined || head.startsWith(BLOCK_HEADING);
}

/** A fence that is never closed fences nothing: else a block behind it would be put there again and again. */
function fencedLines(lines: readonly string[]): ReadonlySet<number> {
  const fenced = new Set<number>();
  // What found no end finds none further below either; else a long file of such lines would take minutes.
  const endless = new Map<string, number>();
  for (let at = 0; at < lines.length; at++) {
    const fence = FENCE_REGEXP.exec(bareEnd(lines[at]!))?.[1];
    if (fence === undefined) continue;
    const kind = fence[0]!;
    if (fence.length >= (endless.get(kind) ?? Infinity)) continue;
    const end = closingFence(lines, at + 1, fence);
    if (end === -1) {
      endless.set(kind, fence.length);
      continue;
    }
    for (; at <= end; at++) fenced.add(at);
    at--;
  }
  return fenced;
}

function closingFence(
  lines: readonly string[],
  from: number,
  fence: string,
): number {
  for (let at = from; at < lines.length; at++) {
    const line = lines[at]!;
    if (line.search(/\S/) > 3) continue;
    const text = line.trim();
    const isClosing = text.length >= fence.length &&
      text === fence[0]!.repeat(text.length);
    if (isClosing) return at;
  }
  return -1;
}

function bareEnd(line: string): string {
  return line.replace(BYTE_ORDER_MARK, "").trimEnd();
}
