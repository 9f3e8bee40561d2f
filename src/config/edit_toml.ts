/**
 * Changes a TOML text and leaves everything else as it is, byte for byte: comments, order, spacing, line breaks.
 *
 * Every function gives back a text that was read again and says exactly what was asked for, or throws. Nothing here knows
 * which keys and values make sense; that is for whoever reads the result.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { closest } from "../kit/did_you_mean.ts";
import { lineBreakOf } from "../kit/text_splice.ts";
import { parseText } from "./toml_document.ts";
import {
  insertTable,
  insertValue,
  removeAll,
  replaceTable,
} from "./toml_edits.ts";
import { parseLayout } from "./toml_layout.ts";
import type { LaidOut } from "./toml_splice.ts";
import { formatPath, isTable, sameValue } from "./toml_value.ts";
import type { TomlTable, TomlValue } from "./toml_value.ts";

/** What the text is called in messages: who edits has read the file before, so its errors are known. */
const TEXT_NAME = "the file";

/**
 * Adds a task as a table of its own below the other tasks. One of that name is replaced as a whole where it stands;
 * lines of others do not move.
 *
 * @param fields Keys in the order in which they are written.
 * @throws {TaskmuxError} E101 if the text is not TOML, E104 if it leaves no place for a task.
 */
export function addTask(
  text: string,
  name: string,
  fields: Readonly<Record<string, TomlValue>>,
): string {
  const { command, ...others } = fields;
  // A task that is only a command stays in the short form if it was in it.
  const isShort = command !== undefined && Object.keys(others).length === 0;
  return putTable(text, {
    path: ["tasks", name],
    fields,
    short: isShort ? command : null,
    what: `task "${name}"`,
  });
}

/**
 * Adds a table with a header of its own below the last one of its family. One that is there is replaced as a whole
 * where it stands.
 *
 * @param fields Keys in the order in which they are written.
 * @throws {TaskmuxError} E101 if the text is not TOML, E104 if it leaves no place for the table.
 */
export function setTable(
  text: string,
  path: readonly string[],
  fields: Readonly<Record<string, TomlValue>>,
): string {
  const what = `"${formatPath(path)}"`;
  return putTable(text, { path, fields, short: null, what });
}

function putTable(
  text: string,
  { path, fields, short, what }: {
    readonly path: readonly string[];
    readonly fields: Readonly<Record<string, TomlValue>>;
    /** What may stand there instead of the table. */
    readonly short: TomlValue | null;
    readonly what: string;
  },
): string {
  const before = parseText(text, TEXT_NAME);
  checkWay(before, path);
  const drafts = valueAt(before, path) === undefined
    ? insertTable(path, { ...fields }, layOut(text))
    : replaceTable(path, { ...fields }, layOut(text));
  const wanted = [withValue(before, path, { ...fields })];
  if (short !== null) wanted.push(withValue(before, path, short));
  return firstSound(drafts, wanted, what);
}

/**
 * Removes a task with all its tables, and the comments right above them.
 *
 * @throws {TaskmuxError} E200 if there is no such task, E101 if the text is not TOML, E104 if it cannot be taken out.
 */
export function removeTask(text: string, name: string): string {
  const before = parseText(text, TEXT_NAME);
  if (valueAt(before, ["tasks", name]) === undefined) {
    const tasks = before["tasks"];
    const near = isTable(tasks) ? closest(name, Object.keys(tasks)) : null;
    throw new TaskmuxError(
      "E200",
      `Cannot remove task "${name}": there is no such task`,
      near === null ? {} : { hint: `did you mean "${near}"?` },
    );
  }
  return removeAt(text, before, ["tasks", name]);
}

/**
 * Sets one value; what is not there yet is added below its neighbours.
 *
 * @param key Dotted as in TOML, or its parts.
 * @throws {TaskmuxError} E101 if the text is not TOML, E104 if the key is none or stands for a table.
 */
export function setValue(
  text: string,
  key: string | readonly string[],
  value: TomlValue,
): string {
  const before = parseText(text, TEXT_NAME);
  const path = typeof key === "string" ? parseKey(key) : key;
  checkWay(before, path);
  const drafts = insertValue(path, value, layOut(text));
  return firstSound(
    drafts,
    [withValue(before, path, value)],
    `"${formatPath(path)}"`,
  );
}

/**
 * Removes one value or table. What is not there need not be removed: the text comes back as it is.
 *
 * @throws {TaskmuxError} E101 if the text is not TOML, E104 if the key is none or cannot be taken out.
 */
export function removeValue(
  text: string,
  key: string | readonly string[],
): string {
  const before = parseText(text, TEXT_NAME);
  const path = typeof key === "string" ? parseKey(key) : key;
  return valueAt(before, path) === undefined
    ? text
    : removeAt(text, before, path);
}

function removeAt(
  text: string,
  before: TomlTable,
  path: readonly string[],
): string {
  const draft = removeAll(path, layOut(text));
  // A table that only the removed key made is gone with it; one with a header stays, empty.
  const wanted = path.map((_, length) =>
    withoutValue(before, path, { keepEmptyBelow: length })
  );
  return firstSound([draft], wanted, `"${formatPath(path)}"`);
}

function layOut(text: string): LaidOut {
  const layout = parseLayout(text);
  if (layout !== null) return { text, layout, eol: lineBreakOf(text) };
  throw new TaskmuxError(
    "E104",
    "Cannot edit the file: its layout is beyond the editor, most often for a very long string",
    { hint: "make the change in an editor" },
  );
}

/** The first draft that, read again, says what is wanted. */
function firstSound(
  drafts: Iterable<string>,
  wanted: readonly TomlTable[],
  what: string,
): string {
  for (const draft of drafts) {
    const after = parsedOrNull(draft);
    if (after !== null && wanted.some((value) => sameValue(after, value))) {
      return draft;
    }
  }
  throw new TaskmuxError(
    "E104",
    `Cannot change ${what} in the file: its layout leaves no place for it`,
    { hint: "make the change in an editor" },
  );
}

function parsedOrNull(draft: string): TomlTable | null {
  try {
    return parseText(draft, TEXT_NAME);
  } catch (error) {
    if (error instanceof TaskmuxError) return null;
    throw error;
  }
}

function parseKey(key: string): readonly string[] {
  const probe = key.includes("\n") ? null : parsedOrNull(`${key} = 0`);
  const path = probe === null ? null : keysDownTo0(probe);
  if (path !== null) return path;
  throw new TaskmuxError("E104", `Cannot use "${key}": it is not a dotted key`);
}

function keysDownTo0(value: TomlValue): readonly string[] | null {
  if (!isTable(value)) return value === 0 ? [] : null;
  const entries = Object.entries(value);
  const [key, inner] = entries[0] ?? [];
  if (key === undefined || inner === undefined || entries.length > 1) {
    return null;
  }
  const rest = keysDownTo0(inner);
  return rest === null ? null : [key, ...rest];
}

function valueAt(
  root: TomlTable,
  path: readonly string[],
): TomlValue | undefined {
  let value: TomlValue | undefined = root;
  for (const key of path) value = isTable(value) ? value[key] : undefined;
  return value;
}

/** What stands where a table is needed would be lost without a word. */
function checkWay(root: TomlTable, path: readonly string[]): void {
  for (let length = 1; length < path.length; length++) {
    const value = valueAt(root, path.slice(0, length));
    if (value === undefined || isTable(value)) continue;
    const around = formatPath(path.slice(0, length));
    throw new TaskmuxError(
      "E104",
      `Cannot set "${formatPath(path)}": "${around}" is no table`,
    );
  }
}

/** A copy with one value more, or another one; what is in the way of the path is dropped. */
function withValue(
  root: TomlTable,
  path: readonly string[],
  value: TomlValue,
): TomlTable {
  const [key = "", ...rest] = path;
  const inner = root[key];
  const next = rest.length === 0
    ? value
    : withValue(isTable(inner) ? inner : emptyTable(), rest, value);
  return Object.assign(emptyTable(), root, { [key]: next });
}

/** A copy with one value less; tables that are empty now stay only where they are at most `keepEmptyBelow` deep. */
function withoutValue(
  root: TomlTable,
  path: readonly string[],
  options: { readonly keepEmptyBelow: number },
): TomlTable {
  const [key = "", ...rest] = path;
  const copy: TomlTable = Object.assign(emptyTable(), root);
  const inner = copy[key];
  if (rest.length === 0 || !isTable(inner)) {
    delete copy[key];
    return copy;
  }
  const keepEmptyBelow = options.keepEmptyBelow - 1;
  const next = withoutValue(inner, rest, { keepEmptyBelow });
  const isDropped = Object.keys(next).length === 0 && keepEmptyBelow < 0;
  if (isDropped) delete copy[key];
  else copy[key] = next;
  return copy;
}

function emptyTable(): TomlTable {
  return Object.create(null);
}
