/**
 * Drafts of edited TOML texts: the places where a value can be put, and what has to go when one is removed.
 *
 * TOML has many ways to write one thing, and not each place takes each value. So these are drafts, the best first; the
 * caller takes the first that says the right thing when it is read again.
 *
 * @module
 */

import {
  applySplices,
  indentOf,
  lineStart,
  type Splice,
} from "../kit/text_splice.ts";
import {
  type KeyValue,
  parseLayout,
  type Span,
  type TableNode,
} from "./toml_layout.ts";
import {
  deleteBlocks,
  deleteInline,
  entryBlock,
  insertBlock,
  insertLine,
  type LaidOut,
  lineEnd,
  tableBlock,
} from "./toml_splice.ts";
import { formatKey, formatValue } from "./toml_value.ts";
import type { TomlTable, TomlValue } from "./toml_value.ts";

type Path = readonly string[];

/** A value, already written, and the file it goes into. */
interface Insertion {
  readonly path: Path;
  readonly written: string;
  readonly laidOut: LaidOut;
}

/** Drafts that put a value at a path: in its own place if it has one, else below its neighbours. */
export function* insertValue(
  path: Path,
  value: TomlValue,
  laidOut: LaidOut,
): Generator<string, void, void> {
  const { text, layout } = laidOut;
  const insertion = { path, written: formatValue(value), laidOut };
  const holder = entriesOnTheWay(path, laidOut).at(-1);
  if (holder !== undefined) {
    const { start, end } = holder.value;
    const splice = holder.path.length === path.length
      ? { start, end, text: insertion.written }
      : insertInline(holder, insertion);
    yield applySplices(text, [splice]);
    return;
  }
  const parent = path.slice(0, -1);
  for (const node of layout.tables) {
    if (isSame(node.path, parent)) {
      yield insertEntry(node, node.entries, insertion);
    }
  }
  for (const node of layout.tables) {
    if (parent.length === 0 || !startsWith(parent, node.path)) continue;
    const near = node.entries.filter(({ path }) => startsWith(path, parent));
    if (near.length > 0) yield insertEntry(node, near, insertion);
  }
  const lines = [headerOf(parent), lineOf(path.at(-1)!, insertion.written)];
  const block = asBlock(lines, laidOut);
  yield applySplices(text, [insertBlock(laidOut, text.length, block)]);
}

/** Drafts that add a table: with a header below the last table of its family, else wherever it fits. */
export function* insertTable(
  path: Path,
  table: TomlTable,
  laidOut: LaidOut,
): Generator<string, void, void> {
  const { text, layout } = laidOut;
  const family = layout.tables.filter((node) => node.path[0] === path[0]);
  const last = family.at(-1);
  const offset = last === undefined
    ? text.length
    : tableBlock(last, laidOut).end;
  const block = asBlock([headerOf(path), ...linesOf(table)], laidOut);
  if (entriesOnTheWay(path, laidOut).length === 0) {
    yield applySplices(text, [insertBlock(laidOut, offset, block)]);
  }
  yield* insertValue(path, table, laidOut);
}

/** Drafts that replace a table as a whole, in the form and place it has. */
export function* replaceTable(
  path: Path,
  table: TomlTable,
  laidOut: LaidOut,
): Generator<string, void, void> {
  const { text, layout } = laidOut;
  const keys = Object.keys(table);
  const exact = entriesOnTheWay(path, laidOut).find((entry) =>
    isSame(entry.path, path)
  );
  if (exact !== undefined) {
    const { start, end, kind } = exact.value;
    const isShort = kind === "scalar" && keys.length === 1;
    const value = isShort ? table[keys[0]!]! : table;
    yield applySplices(text, [{ start, end, text: formatValue(value) }]);
  }
  const own = layout.tables.find((node) => isSame(node.path, path));
  if (own !== undefined) {
    yield applySplices(text, [
      replaceBody(own, linesOf(table), laidOut),
      ...removalOf(path, laidOut, own),
    ]);
  }
  const without = removeAll(path, laidOut);
  const rest = parseLayout(without);
  if (rest === null) return;
  yield* insertTable(path, table, {
    ...laidOut,
    text: without,
    layout: rest,
  });
}

/** The text without anything at or below a path. */
export function removeAll(path: Path, laidOut: LaidOut): string {
  return applySplices(laidOut.text, removalOf(path, laidOut, null));
}

function removalOf(
  path: Path,
  laidOut: LaidOut,
  kept: TableNode | null,
): Splice[] {
  const { text, layout } = laidOut;
  const blocks: Span[] = [];
  const splices: Splice[] = [];
  const visit = (entries: readonly KeyValue[], inline: Span | null): void => {
    const doomed = entries.filter((entry) => startsWith(entry.path, path));
    if (inline === null) {
      for (const entry of doomed) {
        splices.push({ ...entryBlock(entry, laidOut), text: "" });
      }
    } else if (doomed.length > 0) {
      splices.push(
        ...deleteInline(text, { ...inline, entries }, new Set(doomed)),
      );
    }
    for (const { path: around, value } of entries) {
      const leadsOn = around.length < path.length && startsWith(path, around);
      if (leadsOn) visit(value.entries, value);
    }
  };
  for (const node of layout.tables) {
    if (node === kept) continue;
    if (startsWith(node.path, path)) blocks.push(tableBlock(node, laidOut));
    else visit(node.entries, null);
  }
  return [...splices, ...deleteBlocks(text, blocks)];
}

/** Entries whose path leads to a path, from the outermost inwards; each stands in the inline table of the one before. */
function entriesOnTheWay(path: Path, { layout }: LaidOut): KeyValue[] {
  const way: KeyValue[] = [];
  let level: readonly KeyValue[] = layout.tables.flatMap((node) =>
    startsWith(path, node.path) ? node.entries : []
  );
  for (;;) {
    const next = level.find((entry) => startsWith(path, entry.path));
    if (next === undefined) return way;
    way.push(next);
    level = next.value.entries;
  }
}

function insertInline(holder: KeyValue, insertion: Insertion): Splice {
  const { path, written, laidOut: { text, eol } } = insertion;
  const { start, end, entries } = holder.value;
  const line = lineOf(dotted(path.slice(holder.path.length)), written);
  const last = entries.at(-1);
  if (last === undefined) return { start, end, text: `{ ${line} }` };
  const indent = indentOf(text, last.start);
  const isAlone = lineStart(text, last.start) + indent.length === last.start;
  const separator = isAlone ? `,${eol}${indent}` : ", ";
  return { start: last.end, end: last.end, text: separator + line };
}

/** Below the last of some entries of a table, else below its header, else at the top of the file. */
function insertEntry(
  node: TableNode,
  entries: readonly KeyValue[],
  { path, written, laidOut }: Insertion,
): string {
  const { text, layout, eol } = laidOut;
  const line = lineOf(dotted(path.slice(node.path.length)), written);
  const last = entries.at(-1);
  const neighbour = last ?? node.header;
  if (last !== undefined || node.path.length > 0) {
    const indent = indentOf(text, neighbour.start);
    return applySplices(text, [
      insertLine(laidOut, neighbour.end, indent + line),
    ]);
  }
  const next = layout.tables[1];
  const offset = next === undefined
    ? text.length
    : tableBlock(next, laidOut).start;
  const opening = offset > 0 && !text.slice(0, offset).endsWith("\n")
    ? eol
    : "";
  const closing = next === undefined ? eol : eol + eol;
  // The mark of a file's encoding stays its first character.
  const mark = offset === 0 && text.startsWith("\uFEFF") ? 1 : 0;
  const at = offset + mark;
  return applySplices(text, [
    { start: at, end: at, text: opening + line + closing },
  ]);
}

function replaceBody(
  node: TableNode,
  lines: readonly string[],
  { text, eol }: LaidOut,
): Splice {
  const start = lineEnd(text, node.header.end);
  const last = node.entries.at(-1);
  const indent = indentOf(text, (last ?? node.header).start);
  const end = last === undefined ? start : lineEnd(text, last.end);
  const body = lines.map((line) => indent + line).join(eol);
  const opening = text.slice(0, start).endsWith("\n") ? "" : eol;
  const closing = text.slice(0, end).endsWith("\n") ? eol : "";
  return { start, end, text: opening + body + closing };
}

function linesOf(table: TomlTable): string[] {
  return Object.entries(table).map(([key, value]) =>
    lineOf(formatKey(key), formatValue(value))
  );
}

function lineOf(key: string, written: string): string {
  return `${key} = ${written}`;
}

function headerOf(path: Path): string {
  return `[${dotted(path)}]`;
}

function dotted(path: Path): string {
  return path.map(formatKey).join(".");
}

function asBlock(lines: readonly string[], { eol }: LaidOut): string {
  return lines.map((line) => line + eol).join("");
}

function startsWith(
  path: readonly (string | number)[],
  start: readonly (string | number)[],
): boolean {
  return start.length <= path.length &&
    start.every((part, index) => part === path[index]);
}

function isSame(
  path: readonly (string | number)[],
  other: readonly (string | number)[],
): boolean {
  return path.length === other.length && startsWith(path, other);
}
