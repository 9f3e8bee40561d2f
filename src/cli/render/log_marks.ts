/**
 * What stands for lines that an answer of limited size does not show, for people.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { grouped } from "../../kit/grouped.ts";
import { utf8Length } from "../../kit/utf8_length.ts";
import type { Omitted, TextForm } from "../../offline/budgeted_logs.ts";
import { APART, type LogPrinter } from "./logs.ts";

/** What became of lines, as the daemon tells it. */
export interface LogMark {
  readonly omitted?: Omitted | undefined;
  readonly repeated?: number | undefined;
  readonly similar?: true | undefined;
  readonly redrawn?: number | undefined;
}

/** A mark in words. */
export function markText(
  { omitted, repeated, similar, redrawn }: LogMark,
): string {
  if (omitted !== undefined) return `… ${extentText(omitted)} left out …`;
  if (repeated !== undefined) {
    const how = similar === true ? "more like it" : "more times";
    return `… ${grouped(repeated)} ${how} …`;
  }
  return `… ${linesText(redrawn ?? 0)} drawn over …`;
}

/** The last line of an answer that leaves something out. */
export function omittedText(
  omitted: Omitted,
  files: readonly string[],
): string {
  const where = files.length === 0 ? "" : `; all of it: ${files.join(" ")}`;
  return `… ${extentText(omitted)} left out in all${where}`;
}

/** Lines of text, as a pipe gets them. */
export function textForm(
  printer: LogPrinter,
  withTask: boolean,
): TextForm {
  return {
    line: (line, text) => {
      const { ts, task, prefix, repeated, redrawn, isSimilar } = line;
      const similar = isSimilar ? { similar: true as const } : {};
      return [
        ...(redrawn > 0 ? [markText({ redrawn })] : []),
        withTask
          ? printer.line({ ts, task, text })
          : printer.text(stamped(`${prefix}${text}`)),
        ...(repeated > 0 ? [markText({ repeated, ...similar })] : []),
      ];
    },
    apart: APART,
    gap: (omitted) => markText({ omitted }),
    sizeOf: (line) => utf8Length(line) + 1,
    textSize: utf8Length,
  };
}

/** An answer in lines of text. */
export function answerLines(
  { lines, omitted, files }: Result<"log.read">,
  printer: LogPrinter,
): string[] {
  const shown = lines.flatMap((line) => {
    if (typeof line === "string") return [printer.text(stamped(line))];
    if (!("text" in line)) return [markText(line)];
    const { ts, task, text, redrawn, repeated, similar } = line;
    return [
      ...(typeof redrawn === "number" ? [markText({ redrawn })] : []),
      printer.line({ ts: String(ts), task: String(task), text: String(text) }),
      ...(typeof repeated === "number"
        ? [markText({ repeated, ...(similar === true ? { similar } : {}) })]
        : []),
    ];
  });
  if (omitted === undefined || omitted.lines === 0) return shown;
  return [...shown, omittedText(omitted, files ?? [])];
}

/** The time before a line of the file, which is UTC without saying so. */
const STAMP_REGEXP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}) /;

/** A line of the file that says in which zone its time is. */
function stamped(line: string): string {
  return line.replace(STAMP_REGEXP, "$1Z ");
}

function extentText({ lines, bytes }: Omitted): string {
  return `${linesText(lines)} (${grouped(bytes)} bytes)`;
}

function linesText(lines: number): string {
  return `${grouped(lines)} ${lines === 1 ? "line" : "lines"}`;
}
