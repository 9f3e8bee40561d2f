/**
 * Values of options: from words to what they mean.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { MAX_WAIT_S, parseDuration, parseTime } from "../kit/duration.ts";

/**
 * A number of seconds to wait, or null when the option was not given. Takes `30`, `1.5`, `2m`; a week at most.
 *
 * @throws {TaskmuxError} E500 if it is no duration or longer.
 */
export function seconds(
  option: string,
  text: string | null,
  { zero = true }: { readonly zero?: boolean } = {},
): number | null {
  if (text === null) return null;
  const ms = parseDuration(text);
  const isRight = ms !== null && (ms > 0 || zero) && ms <= MAX_WAIT_S * 1000;
  if (isRight) return ms / 1000;
  throw invalid(
    option,
    text,
    `it must be a duration${zero ? "" : " above 0"}, a week at most`,
    "30",
  );
}

/** Longest time after which something ends by itself: a year. */
const MAX_EXPIRY_S = 365 * 24 * 3600;

/**
 * Seconds after which something ends by itself, 0 for `never`, or null when the option was not given.
 *
 * @throws {TaskmuxError} E500 if it is neither `never` nor a duration of a second to a year.
 */
export function durationOrNever(
  option: string,
  text: string | null,
): number | null {
  if (text === null) return null;
  if (text === "never") return 0;
  const s = Math.round((parseDuration(text) ?? 0) / 1000);
  if (s >= 1 && s <= MAX_EXPIRY_S) return s;
  throw invalid(
    option,
    text,
    "it must be a duration from 1s to 52w, or never",
    "2h",
  );
}

/**
 * A whole number, or null when the option was not given.
 *
 * @throws {TaskmuxError} E500 if it is anything else or outside the range.
 */
export function wholeNumber(
  option: string,
  text: string | null,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: {
    readonly min?: number;
    readonly max?: number;
  } = {},
): number | null {
  if (text === null) return null;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER
    ? `of at least ${min}`
    : `from ${min} to ${max}`;
  throw invalid(
    option,
    text,
    `it must be a whole number ${range}`,
    String(Math.max(min, 10)),
  );
}

/**
 * One of some words, or null when the option was not given.
 *
 * @throws {TaskmuxError} E500 if it is another one.
 */
export function oneOf<W extends string>(
  option: string,
  text: string | null,
  words: readonly [W, ...W[]],
): W | null {
  if (text === null) return null;
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw invalid(option, text, `it must be ${words.join(", ")}`, words[0]);
}

/**
 * A point in time as ISO text in UTC, or null when the option was not given. Takes `5m` (ago) and ISO times, which are
 * local to this shell unless they have a zone: the daemon may live in another one.
 *
 * @throws {TaskmuxError} E500 if it is neither.
 */
export function pointInTime(
  option: string,
  text: string | null,
  nowMs: number,
): string | null {
  if (text === null) return null;
  const time = parseTime(text, nowMs);
  if (time !== null) return new Date(time).toISOString();
  throw invalid(
    option,
    text,
    "it must be a duration such as 5m or a time such as 2026-01-31T14:00",
    "5m",
  );
}

function invalid(
  option: string,
  text: string,
  state: string,
  example: string,
): TaskmuxError {
  return new TaskmuxError(
    "E500",
    `Cannot use --${option} "${text}": ${state}`,
    {
      hint: `Write --${option} ${example}`,
      details: { option, value: text },
    },
  );
}
