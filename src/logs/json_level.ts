/**
 * The level of a line that is a JSON object.
 *
 * @module
 */

import type { LogLevel } from "../domain/log_levels.ts";
import { levelOfNumber, levelOfWord } from "./level_word.ts";

/** Longest line that is parsed. */
const MAX_PARSED_LENGTH = 256 * 1024;

/** A field that may be the level, wherever it stands. Quotes within strings are escaped, so it is a field. */
const FIELD =
  /"(level|severity|lvl|log\.level|levelname|log_level|loglevel|levelno|severity_text|@l|s)"\s*:\s*(?:"([\w+-]{1,16})"|(-?\d{1,3})\b)/gi;

/** Python's numbers. */
const PYTHON_NUMBERS: readonly (readonly [least: number, level: LogLevel])[] = [
  [50, "fatal"],
  [40, "error"],
  [30, "warn"],
  [20, "info"],
  [10, "debug"],
];

/** In the order in which they are believed. */
const NAMES = [
  "level",
  "severity",
  "lvl",
  "log.level",
  "levelname",
  "log_level",
  "loglevel",
  "severity_text",
  "@l",
  "levelno",
  "s",
];

/** The level of the object; null if it has none; undefined if the line is no object. */
export function jsonLevel(text: string): LogLevel | null | undefined {
  const start = text.charCodeAt(0) === 0x7b ? 0 : startOfObject(text);
  if (start === -1) return undefined;
  FIELD.lastIndex = start + 1;
  const match = FIELD.exec(text);
  if (match === null) return null;
  // Nothing nested stands before it: it belongs to the line itself.
  const isOuter = text.lastIndexOf("{", match.index) === start;
  const name = (match[1] ?? "").toLowerCase();
  if (isOuter && name !== "levelno" && name !== "s") {
    const level = valueLevel(name, match[2] ?? Number(match[3]));
    if (level !== null) return level;
  }
  return parsedLevel(text.slice(start)) ??
    (name === "s" ? null : valueLevel(name, match[2] ?? Number(match[3])));
}

/** An object after a name or a colour's rest, as in `api | {…}`. */
function startOfObject(text: string): number {
  if (!/[}]\s*$/.test(text.slice(-4))) return -1;
  const start = text.indexOf('{"');
  return start !== -1 && start < 64 &&
      !/[a-z] [a-z]|=/i.test(text.slice(0, start))
    ? start
    : -1;
}

function parsedLevel(text: string): LogLevel | null {
  if (text.length > MAX_PARSED_LENGTH) return null;
  const object = parseObject(text);
  if (object === null) return null;
  const own = levelOfFields(object);
  if (own !== null) return own;
  const log = object["log"];
  return typeof log === "object" && log !== null
    ? levelOfFields(log as Record<string, unknown>)
    : null;
}

function levelOfFields(object: Record<string, unknown>): LogLevel | null {
  for (const name of NAMES) {
    const value = object[name] ?? object[name.toUpperCase()];
    if (name === "s" && !("t" in object && "msg" in object)) continue;
    const level = typeof value === "string" || typeof value === "number"
      ? valueLevel(name, value)
      : null;
    if (level !== null) return level;
  }
  return null;
}

function valueLevel(name: string, value: string | number): LogLevel | null {
  if (typeof value === "string") return levelOfWord(value);
  return name === "levelno"
    ? PYTHON_NUMBERS.find(([least]) => value >= least)?.[1] ?? "trace"
    : levelOfNumber(value);
}

/** The object that a text is; null if it is none. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
