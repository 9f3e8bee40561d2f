/**
 * Pieces of JSON text: where a member of an object goes in, and what goes with one that is taken out.
 *
 * Works on offsets of a text and its nodes; new lines look like those around them.
 *
 * @module
 */

import type { Node } from "jsonc-parser";
import type { Json } from "../kit/json.ts";
import { indentOf, lineStart, type Splice } from "../kit/text_splice.ts";

/** A text and what ends the lines that are added. */
export interface Written {
  readonly text: string;
  readonly eol: string;
}

const USUAL_INDENT = "  ";

/** The member of a name. Of several the last one, which is what every program goes by. */
export function memberNode(object: Node, key: string): Node | null {
  if (object.type !== "object") return null;
  return object.children?.findLast(({ children }) =>
    children?.length === 2 && children[0]!.value === key
  ) ?? null;
}

/** Puts another value in the place of one. */
export function replaceValue(
  node: Node,
  value: Json,
  written: Written,
): Splice {
  const base = indentOf(written.text, node.offset);
  return {
    start: node.offset,
    end: node.offset + node.length,
    text: format(value, base, written),
  };
}

/** Puts a member below the last one of an object. */
export function insertMember(
  object: Node,
  [key, value]: readonly [key: string, value: Json],
  written: Written,
): Splice[] {
  const { text, eol } = written;
  const last = object.children?.at(-1);
  const inner = text.slice(object.offset, object.offset + object.length);
  if (last === undefined) return [insertFirst(object, [key, value], written)];
  const after = trailing(text, last.offset + last.length);
  const name = JSON.stringify(key);
  if (!inner.includes("\n")) {
    const colon = /"\s*:\s/.test(inner) ? ": " : ":";
    const isLoose = object.children!.length === 1
      ? colon === ": "
      : /,\s/.test(inner);
    const gap = isLoose ? " " : "";
    const member = `${gap}${name}${colon}${compact(value, colon === ": ")}`;
    const at = after.comma ?? last.offset + last.length;
    return after.comma === null
      ? [{ start: at, end: at, text: `,${member}` }]
      : [{ start: at + 1, end: at + 1, text: `${member},` }];
  }
  const indent = startsLine(text, last.offset)
    ? indentOf(text, last.offset)
    : indentOf(text, object.offset) + unitOf(text);
  const member = `${eol}${indent}${name}: ${format(value, indent, written)}`;
  const end = last.offset + last.length;
  return after.comma === null
    ? joined({ start: end, end, text: "," }, {
      start: after.lineEnd,
      end: after.lineEnd,
      text: member,
    })
    : [{ start: after.lineEnd, end: after.lineEnd, text: `${member},` }];
}

/** What is taken out with a member: its comma, and its lines if nothing else stands on them. */
export function removalOf(object: Node, member: Node, text: string): Splice[] {
  const members = object.children ?? [];
  const index = members.indexOf(member);
  const end = member.offset + member.length;
  const { comma } = trailing(text, end);
  const own = { start: member.offset, end: comma === null ? end : comma + 1 };
  const lines = wholeLines(text, own);
  if (members.length === 1) {
    const from = object.offset + 1;
    const to = object.offset + object.length - 1;
    const rest = text.slice(from, lines.start) + text.slice(lines.end, to);
    return rest.trim() === ""
      ? [{ start: from, end: to, text: "" }]
      : [{ ...lines, text: "" }];
  }
  if (index < members.length - 1) {
    if (lines.start !== own.start) return [{ ...lines, text: "" }];
    let stop = own.end;
    while (text[stop] === " " || text[stop] === "\t") stop++;
    return [{ start: own.start, end: stop, text: "" }];
  }
  if (comma !== null) return [{ ...lines, text: "" }];
  const before = members[index - 1]!;
  const behind = before.offset + before.length;
  const separator = trailing(text, behind).comma ?? behind;
  const between = text.slice(separator + 1, own.start);
  if (lines.start === own.start && between.trim() === "") {
    return [{ start: separator, end: own.end, text: "" }];
  }
  return [{ start: separator, end: separator + 1, text: "" }, {
    ...lines,
    text: "",
  }];
}

function insertFirst(
  object: Node,
  [key, value]: readonly [key: string, value: Json],
  written: Written,
): Splice {
  const { text, eol } = written;
  const end = object.offset + object.length - 1;
  const base = indentOf(text, object.offset);
  const indent = base + unitOf(text);
  const inside = text.slice(object.offset + 1, end);
  const start = object.offset + 1 + inside.trimEnd().length;
  const member = `${JSON.stringify(key)}: ${format(value, indent, written)}`;
  return { start, end, text: `${eol}${indent}${member}${eol}${base}` };
}

/** Blanks of a line, a line break, a comment of one line, one of several, a comma: whichever comes next. */
const NEXT = /([ \t\r]+)|(\n)|(\/\/[^\n\r]*|\/\*[^]*?\*\/)|(,)/y;

/** What stands behind a member: its comma, and where the line with its comments ends. */
function trailing(
  text: string,
  offset: number,
): { readonly comma: number | null; readonly lineEnd: number } {
  let comma: number | null = null;
  let lineEnd = offset;
  let isSameLine = true;
  for (let at = offset;;) {
    NEXT.lastIndex = at;
    const [found, , isBreak, isComment, isComma] = NEXT.exec(text) ?? [];
    if (found === undefined || (isComma && comma !== null)) break;
    at += found.length;
    if (isComma) comma = at - 1;
    if (isComma) isSameLine = true;
    else if (isBreak) isSameLine = false;
    if (isComma || (isComment && isSameLine)) lineEnd = at;
  }
  return { comma, lineEnd };
}

/** Two splices; one if they touch. */
function joined(first: Splice, second: Splice): Splice[] {
  return first.end === second.start
    ? [{ ...second, start: first.start, text: first.text + second.text }]
    : [first, second];
}

/** A span with its indentation and line break, if nothing else stands on its lines; else as it is. */
function wholeLines(
  text: string,
  { start, end }: { readonly start: number; readonly end: number },
): { readonly start: number; readonly end: number } {
  const first = lineStart(text, start);
  const newline = text.indexOf("\n", end);
  if (newline === -1 || first === 0) return { start, end };
  const isAlone = text.slice(first, start).trim() === "" &&
    text.slice(end, newline).trim() === "";
  return isAlone ? { start: first, end: newline + 1 } : { start, end };
}

function startsLine(text: string, offset: number): boolean {
  const first = lineStart(text, offset);
  return first > 0 && text.slice(first, offset).trim() === "";
}

/** One step of indentation: that of the first line that has any. */
function unitOf(text: string): string {
  return /^([ \t]+)["{[]/m.exec(text)?.[1] ?? USUAL_INDENT;
}

function format(value: Json, indent: string, { text, eol }: Written): string {
  return JSON.stringify(value, null, unitOf(text))
    .replaceAll("\n", eol + indent);
}

/** On one line. */
function compact(value: Json, spaced: boolean): string {
  if (!spaced || typeof value !== "object" || value === null) {
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map((item) => compact(item, true)).join(", ")}]`;
  }
  const members = Object.entries(value).map(([key, inner]) =>
    `${JSON.stringify(key)}: ${compact(inner, true)}`
  );
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}
