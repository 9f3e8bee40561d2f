/**
 * Which lines are wanted: a pattern, a level, fields. All of them must hold.
 *
 * @module
 */

import { levelRank, requireLevel } from "../domain/log_levels.ts";
import { isContinuation } from "./continuation.ts";
import { compileField } from "./log_fields.ts";
import { isAtLeast, levelHints, levelOf } from "./log_level.ts";
import { compileMatcher, finder, type LogMatcher } from "./log_matcher.ts";

/** What is wanted. */
export interface LogFilter {
  /** Regular expression; null or empty = every line. */
  readonly grep: string | null;
  /** One of `LOG_LEVELS`: lines of that level or a worse one; null or absent = every line. */
  readonly level?: string | null;
  /** `KEY=VALUE` each; absent = none. */
  readonly fields?: readonly string[];
}

/**
 * Compiles a filter; null if every line is wanted. With a level, lines that continue a match belong to it.
 *
 * @throws {TaskmuxError} E500 if the pattern is no regular expression, the level is none, or a field is not `KEY=VALUE`.
 */
export function compileFilter(filter: LogFilter): LogMatcher | null {
  const pattern = filter.grep === null || filter.grep === ""
    ? null
    : compileMatcher(filter.grep);
  const level = typeof filter.level === "string"
    ? requireLevel(filter.level)
    : null;
  const fields = (filter.fields ?? []).map(compileField);
  if (level === null && fields.length === 0) return pattern;
  const needle = fields.map((field) => field.needle)
    .reduce(
      (longest, each) => each.length > longest.length ? each : longest,
      "",
    );
  const hints = level === null ? null : levelHints(level);
  return {
    test: (text) =>
      fields.every((field) => field.test(text)) &&
      (level === null || isAtLeast(text, level)) &&
      (pattern?.test(text) ?? true),
    // Any one of them will do; the rarest first.
    find: needle !== ""
      ? (lines, from) => lines.indexOf(needle, from)
      : pattern?.find ?? (hints === null ? null : firstOf(hints.map(finder))),
    isCostly: pattern?.isCostly ?? false,
    bounded: (search) => pattern === null ? search() : pattern.bounded(search),
    continues: level === null ? null : goesOn,
  };
}

/** The first place that any of them finds. Remembers what each has found in the text that is looked through. */
function firstOf(
  finders: readonly NonNullable<LogMatcher["find"]>[],
): NonNullable<LogMatcher["find"]> {
  let text = "";
  let places: number[] = [];
  return (lines, from) => {
    if (lines !== text) {
      text = lines;
      places = finders.map(() => -1);
    }
    for (const [index, find] of finders.entries()) {
      if (places[index]! >= from) continue;
      const place = find(lines, from);
      places[index] = place === -1 ? Infinity : place;
    }
    const first = Math.min(...places);
    return first === Infinity ? -1 : first;
  };
}

/** A line below an error that tells of a lesser matter begins something new. */
function goesOn(text: string): boolean {
  if (!isContinuation(text)) return false;
  const level = levelOf(text);
  return level === null || levelRank(level) >= levelRank("error");
}
