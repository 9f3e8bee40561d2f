/**
 * One line of a log file: `YYYY-MM-DDTHH:MM:SS.mmm text`, in UTC.
 *
 * Only a newline ends a line. A line of a foreign writer may lack the time; it then continues the line before it.
 *
 * @module
 */

/** Length of the time at the start of a line, without the space after it. */
export const TIMESTAMP_LENGTH = 23;

const TIMESTAMP_REGEXP = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?=[ \r\n]|$)/y;

/** Earliest and latest time that has this form. */
const MIN_TIME_MS = Date.UTC(1970, 0, 1);
const MAX_TIME_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The time as it stands in a log file. Two of them compare as texts like the times they mean. */
export function timestampText(ms: number): string {
  const within = Math.min(Math.max(ms, MIN_TIME_MS), MAX_TIME_MS);
  return new Date(within).toISOString().slice(0, TIMESTAMP_LENGTH);
}

/** The time at the start of the line that begins at `index`, or null. */
export function timestampAt(text: string, index: number): string | null {
  TIMESTAMP_REGEXP.lastIndex = index;
  return TIMESTAMP_REGEXP.test(text)
    ? text.slice(index, index + TIMESTAMP_LENGTH)
    : null;
}

/** Where the text of the line that begins at `index` begins. */
export function textStart(text: string, index: number): number {
  if (timestampAt(text, index) === null) return index;
  const end = index + TIMESTAMP_LENGTH;
  return text[end] === " " ? end + 1 : end;
}

/** A copy of a short text that does not keep alive the long one it was cut from, as V8's slices do. */
export function detached(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}
