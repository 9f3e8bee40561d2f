/**
 * The digest of errors for people: one block for each error, the newest first.
 *
 * @module
 */

import type { ErrorAnswer, ErrorGroupView } from "../../domain/error_answer.ts";
import { formatDuration } from "../../kit/duration.ts";
import type { Paint } from "./paint.ts";
import { plainText, strippedText } from "./text.ts";

/** How a digest is printed. */
export interface ErrorOptions {
  readonly paint: Paint;
  /** Wall time in milliseconds. */
  readonly nowMs: number;
}

/** The whole answer. Contains nothing that a terminal would act on but the colours of `paint`. */
export function errorDigestLines(
  answer: ErrorAnswer,
  options: ErrorOptions,
): string[] {
  const { groups, omitted_groups: omitted } = answer;
  const blocks = groups.flatMap((group, index) => [
    ...index === 0 ? [] : [""],
    ...groupLines(group, options),
  ]);
  return [
    ...groups.length === 0 && omitted === 0 ? ["No errors found"] : blocks,
    ...omitted === 0
      ? []
      : [options.paint("dim", `(${omitted} more ${plural(omitted, "error")})`)],
    ...scannedLines(answer, options),
  ];
}

function groupLines(
  group: ErrorGroupView,
  { paint, nowMs }: ErrorOptions,
): string[] {
  const { count, message, task, kind, frame, first, last, sample } = group;
  const head = [
    paint("bold", `×${count}`),
    paint("red", plainText(message)),
    paint("cyan", plainText(task)),
    ...frame === null ? [] : [plainText(placeText(frame))],
    paint("dim", `${kind}, ${whenText({ count, first, last, nowMs })}`),
  ].join("  ");
  return [head, ...sample.map((line) => `    ${strippedText(line)}`)];
}

/** `src/server.ts:41:7 (handler)` */
function placeText(frame: NonNullable<ErrorGroupView["frame"]>): string {
  const { file, line, column, function: name } = frame;
  const numbers = [line, column].filter((number) => number !== null);
  return `${[file, ...numbers].join(":")}${name === null ? "" : ` (${name})`}`;
}

function whenText(
  { count, first, last, nowMs }: {
    readonly count: number;
    readonly first: string;
    readonly last: string;
    readonly nowMs: number;
  },
): string {
  if (last === "") return "at an unknown time";
  const age = formatDuration(Math.max(0, nowMs - Date.parse(last)));
  return count === 1
    ? `${age} ago`
    : `first ${timeText(first, last)}, last ${age} ago`;
}

/** A time in UTC; its day only if that is another one. */
function timeText(time: string, other: string): string {
  const [day = "", clock = ""] = time.split("T");
  const short = `${clock.slice(0, 8)}Z`;
  return other.startsWith(day) ? short : `${day} ${short}`;
}

function scannedLines(
  { scanned }: ErrorAnswer,
  { paint }: ErrorOptions,
): string[] {
  const lines: string[] = [];
  if (scanned.skipped_bytes > 0) {
    const from = scanned.since === null ? "" : ` since ${scanned.since}`;
    lines.push(
      `(only the newest ${megabytes(scanned.bytes)} of the logs were read,` +
        `${from}; --since reads more)`,
    );
  }
  return lines.map((line) => paint("dim", line));
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function plural(count: number, word: string): string {
  return count === 1 ? word : `${word}s`;
}
