/**
 * Where everything stands in a TOML text: tables, keys and values with their offsets.
 *
 * A thin view of `toml-eslint-parser`, so that nothing else depends on the shape of its tree. Takes a text that is
 * known to be valid; says nothing about values.
 *
 * @module
 */

import { type AST, parseTOML } from "toml-eslint-parser";

/** A stretch of text. `end` is the offset after the last character. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One part of a dotted key. */
export interface KeyPart extends Span {
  readonly name: string;
}

/** A value. An inline table has entries, an array has items. */
export interface ValueNode extends Span {
  readonly kind: "scalar" | "array" | "table";
  /** The text of a number as it was written, else null. */
  readonly written: string | null;
  readonly items: readonly ValueNode[];
  readonly entries: readonly KeyValue[];
}

/** One `key = value`. */
export interface KeyValue extends Span {
  /** Absolute. Indices stand for elements of arrays of tables. */
  readonly path: readonly (string | number)[];
  readonly keys: readonly KeyPart[];
  readonly value: ValueNode;
}

/** A table with a header, or the top of the file, which has an empty path and no keys. */
export interface TableNode {
  readonly path: readonly (string | number)[];
  readonly keys: readonly KeyPart[];
  /** From bracket to bracket; empty at the top of the file. */
  readonly header: Span;
  readonly entries: readonly KeyValue[];
}

/** A text's tables and comments. */
export interface Layout {
  /** In order, the top of the file first. */
  readonly tables: readonly TableNode[];
  /** Offsets at which comments begin. */
  readonly comments: ReadonlySet<number>;
}

/** The layout of a valid text, or null if the parser cannot cope with it (a string of some 100 KB defeats it). */
export function parseLayout(text: string): Layout | null {
  let program: AST.TOMLProgram;
  try {
    // A byte order mark is valid, but unknown to this parser. A space in its place keeps the offsets.
    program = parseTOML(text.replace(/^\uFEFF/, " "), { tomlVersion: "1.1" });
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) {
      return null;
    }
    throw error;
  }
  const top = program.body[0];
  const loose: AST.TOMLKeyValue[] = [];
  const tables: AST.TOMLTable[] = [];
  for (const node of top.body) {
    if (node.type === "TOMLTable") tables.push(node);
    else loose.push(node);
  }
  const fileTop: TableNode = {
    path: [],
    keys: [],
    header: { start: 0, end: 0 },
    entries: loose.map((node) => keyValueOf(node, [])),
  };
  return {
    tables: [fileTop, ...tables.map((node) => tableOf(node, text))],
    comments: new Set(program.comments.map(({ range }) => range[0])),
  };
}

function tableOf(node: AST.TOMLTable, text: string): TableNode {
  const closing = text.indexOf("]", node.key.range[1]);
  return {
    path: node.resolvedKey,
    keys: node.key.keys.map(keyPartOf),
    header: {
      start: node.range[0],
      end: closing + (node.kind === "array" ? 2 : 1),
    },
    entries: node.body.map((entry) => keyValueOf(entry, node.resolvedKey)),
  };
}

function keyValueOf(
  node: AST.TOMLKeyValue,
  around: readonly (string | number)[],
): KeyValue {
  const keys = node.key.keys.map(keyPartOf);
  const path = [...around, ...keys.map((key) => key.name)];
  const [start, end] = node.range;
  return { path, keys, value: valueOf(node.value, path), start, end };
}

function valueOf(
  node: AST.TOMLContentNode,
  path: readonly (string | number)[],
): ValueNode {
  const [start, end] = node.range;
  const scalar = {
    kind: "scalar",
    written: null,
    items: [],
    entries: [],
    start,
    end,
  } as const;
  switch (node.type) {
    case "TOMLArray": {
      const items = node.elements.map((item, index) =>
        valueOf(item, [...path, index])
      );
      return { ...scalar, kind: "array", items };
    }
    case "TOMLInlineTable": {
      const entries = node.body.map((entry) => keyValueOf(entry, path));
      return { ...scalar, kind: "table", entries };
    }
    default:
      return "number" in node ? { ...scalar, written: node.number } : scalar;
  }
}

function keyPartOf(node: AST.TOMLBare | AST.TOMLQuoted): KeyPart {
  const [start, end] = node.range;
  return {
    name: node.type === "TOMLBare" ? node.name : node.value,
    start,
    end,
  };
}
