/**
 * The meaning of `-g PATTERN`: a regular expression on the text of a line.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { TimeLimitError, withinTime } from "../kit/time_limit.ts";

/** How long a search of 64 KiB may take, a thousand times what it usually does. Everything else waits meanwhile. */
const SEARCH_LIMIT_MS = 500;

/** A longer pattern is not repeated in what is told about it. */
const MAX_TOLD_LENGTH = 1_000;

/** Decides which lines match. Stateless between calls. */
export interface LogMatcher {
  /** Whether the text of a line, without time and control sequences, matches. */
  test(text: string): boolean;
  /**
   * Looks through many lines at once for a place that may match, which is faster than asking for each line. Every line
   * that {@linkcode test} accepts has such a place; not every place is in such a line. Null where that cannot be promised.
   *
   * @returns The index of the first such place at or after `from`, or -1.
   */
  readonly find: ((lines: string, from: number) => number) | null;
  /** Whether a search may take long and belongs into {@linkcode bounded}. */
  readonly isCostly: boolean;
  /**
   * Runs a search of some lines with this matcher.
   *
   * @throws {TaskmuxError} E500 if the expression takes so long that it might never end.
   */
  bounded<T>(search: () => T): T;
  /** Whether a line that does not match belongs to a match right above it; null = none ever does. */
  readonly continues: ((text: string) => boolean) | null;
}

/**
 * Compiles a pattern. It ignores case unless it holds an upper-case letter (`\S` and the like do not count).
 *
 * @throws {TaskmuxError} E500 if it is not a regular expression.
 */
export function compileMatcher(pattern: string): LogMatcher {
  const flags = hasUpperCase(pattern) ? "" : "i";
  const line = compile(pattern, flags);
  return {
    // A carriage return before the newline is part of the line, but nobody means it with "$".
    test: (text) => line.test(text.endsWith("\r") ? text.slice(0, -1) : text),
    find: isLineLocal(pattern) ? finder(compile(pattern, `${flags}gm`)) : null,
    // Only what repeats something can go back again and again.
    isCostly: /[*+{]/.test(pattern),
    bounded: bounded(pattern),
    continues: null,
  };
}

function bounded(pattern: string): LogMatcher["bounded"] {
  return (search) => {
    try {
      return withinTime(SEARCH_LIMIT_MS, search);
    } catch (error) {
      if (!(error instanceof TimeLimitError)) throw error;
      throw new TaskmuxError(
        "E500",
        `Cannot search for "${pattern}": it takes too long`,
        {
          hint: "Repeat nothing that is repeated already, as in (a+)+",
          details: { pattern },
          cause: error,
        },
      );
    }
  };
}

/** A {@linkcode LogMatcher.find} by an expression with the flag g. */
export function finder(
  regexp: RegExp,
): (lines: string, from: number) => number {
  return (lines, from) => {
    regexp.lastIndex = from;
    return regexp.exec(lines)?.index ?? -1;
  };
}

function compile(pattern: string, flags: string): RegExp {
  try {
    const regexp = new RegExp(pattern, flags);
    // Only its first use tells whether it is too large.
    regexp.test("");
    return regexp;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    if (pattern.length > MAX_TOLD_LENGTH) throw notSearchable(pattern, error);
    throw new TaskmuxError(
      "E500",
      `Cannot search for "${pattern}": it is not a regular expression (${
        error.message.replace(/^Invalid regular expression: /, "")
      })`,
      {
        hint: `To search for the text itself: -g '${
          pattern.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")
        }'`,
        details: { pattern },
        cause: error,
      },
    );
  }
}

function notSearchable(pattern: string, cause: SyntaxError): TaskmuxError {
  const reason = cause.message.slice(cause.message.lastIndexOf(": ") + 2);
  return new TaskmuxError(
    "E500",
    `Cannot search for "${
      pattern.slice(0, 60)
    }…": it is not a regular expression of bearable size (${reason})`,
    { hint: "Search for a part of it", cause },
  );
}

function hasUpperCase(pattern: string): boolean {
  const literal = pattern.replaceAll(
    /\\(?:u[0-9a-f]{4}|x[0-9a-f]{2}|c[a-z]|.)/gis,
    "",
  );
  return /\p{Lu}/u.test(literal);
}

/**
 * Whether the pattern finds in a text of many lines at least what it finds in each line alone, without ever reaching
 * beyond a line's end. Cautious: a pattern outside this subset is asked line by line.
 *
 * Excluded is what may match a newline (negated classes, \s, \W, \D, escapes by number), what sees the start of the
 * text (^; there the line has its time), and look-around.
 */
function isLineLocal(pattern: string): boolean {
  if (/\[\^|\(\?(?!:)/.test(pattern)) return false;
  // What is left after the escapes that are safe: \d \w \b and escaped punctuation.
  const rest = pattern.replaceAll(/\\[dwb!-/:-@[-`{-~]/g, "");
  // deno-lint-ignore no-control-regex
  return !/[\\^\x00-\x1f\x7f]/.test(rest);
}
