/**
 * Changes a JSON text, with comments or without, and leaves everything else as it is, byte for byte: comments, order,
 * spacing, line breaks, the mark of its encoding.
 *
 * Every function gives back a text that was read again and says exactly what was asked for, or throws.
 *
 * @module
 */

import { type Node, parseTree, printParseErrorCode } from "jsonc-parser";
import { isDeepStrictEqual } from "node:util";
import { TaskmuxError } from "../domain/error.ts";
import type { Json, JsonObject } from "../kit/json.ts";
import { applySplices, lineBreakOf } from "../kit/text_splice.ts";
import {
  insertMember,
  memberNode,
  removalOf,
  replaceValue,
  type Written,
} from "./json_splice.ts";

/** What a program reads beside plain JSON. */
export interface JsonSyntax {
  readonly comments: boolean;
  readonly trailingCommas: boolean;
}

const MARK = "\uFEFF";

/**
 * The values of a text.
 *
 * @param path Of the file, for messages.
 * @returns Null if the text holds nothing.
 * @throws {TaskmuxError} E101 with line and column if it is not what the syntax allows, or no object.
 */
export function readJson(
  text: string,
  syntax: JsonSyntax,
  path: string,
): JsonObject | null {
  const root = parseRoot(text, syntax, path);
  return root === null ? null : valueOf(root.node) as JsonObject;
}

/**
 * Sets one value; objects on the way are made. What is there already is replaced where it stands.
 *
 * @param keys At least one.
 * @throws {TaskmuxError} E101 as {@linkcode readJson}, E104 if something on the way is no object.
 */
export function setMember(
  text: string,
  { keys, value, syntax, path }: {
    readonly keys: readonly string[];
    readonly value: Json;
    readonly syntax: JsonSyntax;
    readonly path: string;
  },
): string {
  const root = parseRoot(text, syntax, path);
  if (root === null) return fresh(text, nested(keys, value));
  const wanted = withValue(valueOf(root.node) as JsonObject, keys, value);
  const written: Written = { text: root.body, eol: lineBreakOf(root.body) };
  let node = root.node;
  for (const [depth, key] of keys.entries()) {
    if (node.type !== "object") throw noObject(keys.slice(0, depth), path);
    const member = memberNode(node, key);
    const rest = keys.slice(depth + 1);
    if (member === null) {
      const splices = insertMember(node, [key, nested(rest, value)], written);
      return sound(root, applySplices(root.body, splices), { wanted, syntax });
    }
    node = member.children![1]!;
  }
  if (isDeepStrictEqual(valueOf(node), plain(value))) return text;
  const draft = applySplices(root.body, [replaceValue(node, value, written)]);
  return sound(root, draft, { wanted, syntax });
}

/**
 * Takes one member out of its object, which stays. What is not there need not be removed.
 *
 * @throws {TaskmuxError} E101 as {@linkcode readJson}.
 */
export function removeMember(
  text: string,
  { keys, syntax, path }: {
    readonly keys: readonly string[];
    readonly syntax: JsonSyntax;
    readonly path: string;
  },
): string {
  const root = parseRoot(text, syntax, path);
  if (root === null) return text;
  let around = root.node;
  for (const key of keys.slice(0, -1)) {
    const member = memberNode(around, key);
    if (member === null) return text;
    around = member.children![1]!;
  }
  const key = keys.at(-1)!;
  if (memberNode(around, key) === null) return text;
  const wanted = without(valueOf(root.node) as JsonObject, keys);
  let body = root.body;
  // A key that is there twice would come to light again.
  for (let node: Node | null = around; node !== null;) {
    const member: Node | null = memberNode(node, key);
    if (member === null) break;
    body = applySplices(body, removalOf(node, member, body));
    node = nodeAt(parseRoot(body, syntax, path)?.node, keys.slice(0, -1));
  }
  return sound(root, body, { wanted, syntax });
}

/** Whether a text holds a comment. */
export function hasComments(text: string): boolean {
  const strict = { comments: false, trailingCommas: true };
  try {
    parseRoot(text, strict, "");
    return false;
  } catch (error) {
    if (error instanceof TaskmuxError) return true;
    throw error;
  }
}

interface Root {
  readonly node: Node;
  /** The text without its mark; offsets count in it. */
  readonly body: string;
  readonly mark: string;
  readonly path: string;
}

/** Null for a text without any value. */
function parseRoot(
  text: string,
  { comments, trailingCommas }: JsonSyntax,
  path: string,
): Root | null {
  const mark = text.startsWith(MARK) ? MARK : "";
  const body = text.slice(mark.length);
  const errors: Parameters<typeof parseTree>[1] = [];
  let node: Node | undefined;
  try {
    node = parseTree(body, errors, {
      disallowComments: !comments,
      allowTrailingComma: trailingCommas,
      allowEmptyContent: true,
    });
  } catch (error) {
    // A hundred thousand brackets exhaust the stack of the parser.
    if (!(error instanceof RangeError)) throw error;
    throw syntaxError({ body, path, offset: 0 }, "it nests too deep");
  }
  const [first] = errors;
  if (first !== undefined) {
    const { offset, error } = first;
    throw syntaxError({ body, path, offset }, reasonOf(error));
  }
  if (node === undefined) return null;
  if (node.type === "object") return { node, body, mark, path };
  throw syntaxError({ body, path, offset: node.offset }, "it is no object");
}

/** `CommaExpected` → `comma expected`. */
function reasonOf(error: number): string {
  const words = printParseErrorCode(error).replace(/([a-z])([A-Z])/g, "$1 $2");
  return words.toLowerCase();
}

function syntaxError(
  { body, path, offset }: {
    readonly body: string;
    readonly path: string;
    readonly offset: number;
  },
  reason: string,
): TaskmuxError {
  const before = body.slice(0, offset);
  const line = before.split("\n").length;
  const column = offset - before.lastIndexOf("\n");
  return new TaskmuxError(
    "E101",
    `Cannot parse "${path}" at line ${line}, column ${column}: ${reason}`,
    { details: { path, line, column } },
  );
}

function noObject(keys: readonly string[], path: string): TaskmuxError {
  return new TaskmuxError(
    "E104",
    `Cannot change "${path}": "${keys.join(".")}" in it is no object`,
    { details: { path, key: keys.join(".") } },
  );
}

/** The draft, if it says what is wanted when it is read again. */
function sound(
  { mark, path }: Root,
  draft: string,
  { wanted, syntax }: {
    readonly wanted: JsonObject;
    readonly syntax: JsonSyntax;
  },
): string {
  const read = parseRoot(draft, syntax, path);
  if (read !== null && isDeepStrictEqual(valueOf(read.node), wanted)) {
    return mark + draft;
  }
  throw new TaskmuxError(
    "E104",
    `Cannot change "${path}": its layout leaves no place for it`,
    { hint: "make the change in an editor", details: { path } },
  );
}

function fresh(text: string, value: Json): string {
  const opening = text === "" || text === MARK || text.endsWith("\n")
    ? text
    : `${text}\n`;
  return `${opening}${JSON.stringify(value, null, 2)}\n`;
}

/** Objects without a prototype: `__proto__` is a key like any other. Of equal keys the last one counts, as everywhere. */
function valueOf(node: Node): Json {
  if (node.type === "array") return (node.children ?? []).map(valueOf);
  if (node.type !== "object") return node.value as Json;
  const value: Record<string, Json> = Object.create(null);
  for (const { children } of node.children ?? []) {
    const [key, member] = children ?? [];
    if (key !== undefined && member !== undefined) {
      value[key.value as string] = valueOf(member);
    }
  }
  return value;
}

function nodeAt(
  root: Node | undefined,
  keys: readonly string[],
): Node | null {
  let node: Node | null = root ?? null;
  for (const key of keys) {
    node = node === null ? null : memberNode(node, key)?.children?.[1] ?? null;
  }
  return node;
}

function nested(keys: readonly string[], value: Json): Json {
  return keys.reduceRight<Json>(
    (inner, key) => Object.assign(Object.create(null), { [key]: inner }),
    plain(value),
  );
}

/** The same in objects without a prototype. */
function plain(value: Json): Json {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, Json> = Object.create(null);
  for (const [key, inner] of Object.entries(value)) copy[key] = plain(inner);
  return copy;
}

function withValue(
  root: JsonObject,
  keys: readonly string[],
  value: Json,
): JsonObject {
  const [key = "", ...rest] = keys;
  const inner = root[key];
  const isObject = typeof inner === "object" && inner !== null &&
    !Array.isArray(inner);
  const next = rest.length === 0 || !isObject
    ? nested(rest, value)
    : withValue(inner as JsonObject, rest, value);
  return Object.assign(Object.create(null), root, { [key]: next });
}

function without(root: JsonObject, keys: readonly string[]): JsonObject {
  const [key = "", ...rest] = keys;
  const copy: Record<string, Json> = Object.assign(Object.create(null), root);
  if (rest.length === 0) delete copy[key];
  else copy[key] = without(copy[key] as JsonObject, rest);
  return copy;
}
