/**
 * A TOML text as values and places: what it says, and on which line and column each part says it.
 *
 * Values and syntax errors come from one parser, places from another that keeps them. Places are only looked for when
 * something asks, so a file without problems pays nothing for them, and a file whose places cannot be found is still
 * read. Knows no key by name.
 *
 * @module
 */

import { parse, TomlError } from "smol-toml";
import { TaskmuxError } from "../domain/error.ts";
import { type KeyValue, parseLayout, type ValueNode } from "./toml_layout.ts";
import type { TomlTable, TomlValue } from "./toml_value.ts";

/** Longest configuration file, in UTF-16 units. Bounds the time to read one. */
export const MAX_CONFIG_LENGTH = 1024 * 1024;

/** Deepest nesting of tables and arrays. Nothing that is read here needs more than five. */
const MAX_DEPTH = 64;

/** The way to a value: keys of tables, and indices of arrays. */
export type TomlPath = readonly (string | number)[];

/** A place in the text, both numbers from 1. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** Where a key and its value stand in the text, as offsets. */
interface Place {
  readonly key: number;
  readonly value: number;
  /** The text of a number as it was written. */
  readonly written: string | null;
  readonly children: Map<string | number, Place>;
}

/** A text that is valid TOML. */
export class TomlDocument {
  readonly text: string;
  /** Name of the file for messages. */
  readonly path: string;
  /** Null-prototype objects: a key such as `constructor` is a key like any other. */
  readonly value: TomlTable;
  #places: Place | null = null;

  /**
   * Reads a text.
   *
   * @throws {TaskmuxError} E101 with line, column and code frame if it is not TOML, is too long or nests too deep.
   */
  constructor(text: string, path: string) {
    this.text = text;
    this.path = path;
    this.value = parseText(text, path);
  }

  /** Offset of a path's key, or of its value. Of what is not there, that of the nearest table around it. */
  offsetOf(path: TomlPath, part: "key" | "value"): number {
    let place = this.#root();
    for (const [index, segment] of path.entries()) {
      const child = place.children.get(segment);
      if (child === undefined) return place.key;
      place = child;
      if (index === path.length - 1 && part === "value") return place.value;
    }
    return place.key;
  }

  /** The line and column of an offset. */
  positionOf(offset: number): TextPosition {
    const before = this.text.slice(0, offset);
    const lineStart = before.lastIndexOf("\n") + 1;
    const hasMark = lineStart === 0 && before.startsWith("\uFEFF");
    return {
      line: before.split("\n").length,
      column: offset - lineStart + (hasMark ? 0 : 1),
    };
  }

  /** Keys of a table in the order in which the text first names them. */
  keysInOrder(table: TomlTable, path: TomlPath): string[] {
    const keys = Object.keys(table);
    // JavaScript keeps the order of insertion, except for keys that look like indices, which it puts first.
    if (!keys.some((key) => /^\d+$/.test(key))) return keys;
    return keys
      .map((key) => ({ key, offset: this.offsetOf([...path, key], "key") }))
      .sort((a, b) => a.offset - b.offset)
      .map(({ key }) => key);
  }

  /** A number as it stands in the text, such as `1.10`; null if the place is unknown. */
  writtenNumber(path: TomlPath): string | null {
    let place: Place | undefined = this.#root();
    for (const segment of path) place = place?.children.get(segment);
    return place?.written ?? null;
  }

  #root(): Place {
    this.#places ??= placesOf(this.text);
    return this.#places;
  }
}

/**
 * The values of a text.
 *
 * @throws {TaskmuxError} E101, see {@linkcode TomlDocument}.
 */
export function parseText(text: string, path: string): TomlTable {
  if (text.length > MAX_CONFIG_LENGTH) {
    throw syntaxError(path, "it is longer than 1 MiB");
  }
  let value: TomlTable;
  try {
    value = parse(text, {
      integersAsBigInt: "asNeeded",
      maxDepth: MAX_DEPTH,
    }) as TomlTable;
  } catch (error) {
    if (error instanceof TomlError) throw located(error, path);
    // A key of a hundred thousand parts exhausts the stack of the parser.
    if (error instanceof RangeError) {
      throw syntaxError(path, "it nests too deep");
    }
    throw error;
  }
  if (isTooDeep(value)) throw syntaxError(path, "it nests too deep");
  return value;
}

/** Columns of the excerpt in an error: what is no TOML at all may be one endless line. */
const FRAME_COLUMNS_MAX = 200;

function located(error: TomlError, path: string): TaskmuxError {
  const reason = error.message.split("\n", 1)[0]!
    .replace(/^Invalid TOML document: /, "");
  const { line, column } = error;
  const frame = error.codeblock.trimEnd().split("\n")
    .map((each) => each.slice(0, FRAME_COLUMNS_MAX).trimEnd()).join("\n");
  return new TaskmuxError(
    "E101",
    `Cannot parse "${path}" at line ${line}, column ${column}: ${reason}\n\n${frame}`,
    {
      details: {
        path,
        line,
        column,
        frame,
        problems: [{ code: "E101", message: reason, key: "", line, column }],
      },
      cause: error,
    },
  );
}

function syntaxError(path: string, state: string): TaskmuxError {
  const problem = { code: "E101", message: state, key: "", line: 1, column: 1 };
  return new TaskmuxError("E101", `Cannot parse "${path}": ${state}`, {
    details: { path, line: 1, column: 1, problems: [problem] },
  });
}

/** Level by level instead of by recursion, which is what a deep document would break. */
function isTooDeep(root: TomlTable): boolean {
  let level: TomlValue[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((value): TomlValue[] =>
      Array.isArray(value)
        ? value
        : typeof value === "object" && !(value instanceof Date)
        ? Object.values(value)
        : []
    );
  }
  return false;
}

function placesOf(text: string): Place {
  const root = newPlace({ key: 0, value: 0 });
  for (const table of parseLayout(text)?.tables ?? []) {
    let place = root;
    let keyIndex = 0;
    for (const segment of table.path) {
      const key = typeof segment === "string"
        ? table.keys[keyIndex++]?.start ?? table.header.start
        : table.header.start;
      place = childOf(place, segment, { key, value: key });
    }
    for (const entry of table.entries) addEntry(place, entry);
  }
  return root;
}

function addEntry(around: Place, entry: KeyValue): void {
  let place = around;
  for (const [index, key] of entry.keys.entries()) {
    const isLast = index === entry.keys.length - 1;
    place = isLast
      ? childOf(place, key.name, {
        key: key.start,
        value: entry.value.start,
        written: entry.value.written,
      })
      : childOf(place, key.name, { key: key.start, value: key.start });
  }
  addParts(place, entry.value);
}

function addParts(place: Place, value: ValueNode): void {
  for (const entry of value.entries) addEntry(place, entry);
  for (const [index, item] of value.items.entries()) {
    const { start, written } = item;
    const child = childOf(place, index, { key: start, value: start, written });
    addParts(child, item);
  }
}

/** The first mention of a key is its place. */
function childOf(
  place: Place,
  segment: string | number,
  at: { key: number; value: number; written?: string | null },
): Place {
  const known = place.children.get(segment);
  if (known !== undefined) return known;
  const child = newPlace(at);
  place.children.set(segment, child);
  return child;
}

function newPlace(
  at: { key: number; value: number; written?: string | null },
): Place {
  const { key, value, written = null } = at;
  return { key, value, written, children: new Map() };
}
