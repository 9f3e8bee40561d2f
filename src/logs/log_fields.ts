/**
 * The meaning of `--field KEY=VALUE`: a field of a structured line, JSON or logfmt.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { parseObject } from "./json_level.ts";

/** Longest line that is taken apart. */
const MAX_LENGTH = 256 * 1024;

/** Decides which lines have a field. */
export interface FieldTest {
  test(text: string): boolean;
  /** What stands literally in every line that passes. */
  readonly needle: string;
}

/** One `key=value` of logfmt; the value quoted, with escapes, or up to the next space. */
const PAIR = /(?:^|[\s,{])([^\s="',{}]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))/g;

/**
 * Understands `KEY=VALUE`. A key with dots reaches into objects, unless the line has a field of that very name. Numbers,
 * booleans and null are compared as JSON writes them; a list has a value if one of its elements is it.
 *
 * @throws {TaskmuxError} E500 if it is not of that form.
 */
export function compileField(field: string): FieldTest {
  const equals = field.indexOf("=");
  if (equals < 1) {
    throw new TaskmuxError(
      "E500",
      `Cannot look for field "${field}": it is not KEY=VALUE`,
      { hint: "--field status=500", details: { field } },
    );
  }
  const key = field.slice(0, equals);
  const value = field.slice(equals + 1);
  const needle = needleOf(key, value);
  return {
    needle,
    test: (text) => text.includes(needle) && hasField(text, key, value),
  };
}

/**
 * Letters are written as they are by every program, while others may be escaped and numbers may have many forms. A key's
 * last part is the same in JSON and logfmt.
 */
function needleOf(key: string, value: string): string {
  if (/^[A-Za-z][A-Za-z0-9_]{2,}$/.test(value)) return value;
  const last = key.slice(key.lastIndexOf(".") + 1);
  return /^[\w-]+$/.test(last) ? last : "";
}

function hasField(text: string, key: string, value: string): boolean {
  if (text.length > MAX_LENGTH) return false;
  const start = text.indexOf("{");
  if (start === -1 && !text.includes(`${key}=`)) return false;
  const object = start === -1 || !text.trimEnd().endsWith("}")
    ? null
    : parseObject(text.slice(start));
  return object === null
    ? pairsOf(text).some(([name, each]) => name === key && each === value)
    : valuesAt(object, key).some((each) => isValue(each, value));
}

/** Every value under a dotted key, however its parts are divided among objects. */
function valuesAt(object: object, key: string): unknown[] {
  const fields = object as Readonly<Record<string, unknown>>;
  const values = Object.hasOwn(fields, key) ? [fields[key]] : [];
  for (
    let dot = key.indexOf(".");
    dot !== -1;
    dot = key.indexOf(".", dot + 1)
  ) {
    const name = key.slice(0, dot);
    const inner = Object.hasOwn(fields, name) ? fields[name] : null;
    if (typeof inner === "object" && inner !== null) {
      values.push(...valuesAt(inner, key.slice(dot + 1)));
    }
  }
  return values;
}

function isValue(found: unknown, wanted: string): boolean {
  if (typeof found === "string") return found === wanted;
  if (Array.isArray(found)) return found.some((each) => isValue(each, wanted));
  if (typeof found === "number") {
    return String(found) === wanted ||
      (/^-?[\d.]+(?:e[+-]?\d+)?$/i.test(wanted) && Number(wanted) === found);
  }
  return typeof found !== "object" || found === null
    ? String(found) === wanted
    : false;
}

function pairsOf(text: string): [name: string, value: string][] {
  return [...text.matchAll(PAIR)].map(([, name, quoted, bare]) => [
    name ?? "",
    quoted === undefined ? bare ?? "" : unescaped(quoted),
  ]);
}

function unescaped(quoted: string): string {
  const letters: Record<string, string> = { n: "\n", t: "\t", r: "\r" };
  return quoted.replaceAll(
    /\\(.)/g,
    (_, letter: string) => letters[letter] ?? letter,
  );
}
