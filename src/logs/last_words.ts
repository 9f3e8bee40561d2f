/**
 * The lines of a run that tell most of its end.
 *
 * @module
 */

import { levelRank } from "../domain/log_levels.ts";
import type { Redactor } from "../domain/redactor.ts";
import { safeCut } from "../domain/safe_cut.ts";
import { levelOf } from "./log_level.ts";
import { readLogs } from "./log_reader.ts";

/** Lines at the end of a run that are looked through. */
const LINES_READ = 200;

/** Longest line that is told, in UTF-16 units. */
const LINE_LENGTH_MAX = 300;

/** How programs without a logger tell why they give up, where no level says that it is an error or that it is none. */
const TROUBLE_REGEXP =
  /\b(?:failed|failure|cannot|can't|could not|unable|refused|denied|not found|no such)\b/i;

/** The name that the system has for what went wrong, such as `EADDRINUSE`. */
const ERRNO_REGEXP = /\bE[A-Z]{4,}\b/;

/** A frame or a detail that belongs to the line before it. */
const FRAME_REGEXP = /^\s+(?:at\s|File "|\^|-->)/;

/** Which output. */
export interface RunOutput {
  readonly task: string;
  /** Absolute path of the current log file. */
  readonly path: string;
  /** Wall milliseconds; null = no bound. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
}

/** How lines are quoted. */
export interface Quoting {
  /** Most lines. */
  readonly count: number;
  /** Takes the secrets out of lines that are cut. */
  readonly redactor: Redactor;
}

/**
 * The most telling of the last lines of a run, in order: those that speak of errors, else the last ones. One read from
 * the end of the log.
 */
export async function lastWords(
  output: RunOutput,
  quoting: Quoting,
): Promise<string[]> {
  return tellingLines(await lastLines(output), quoting);
}

/** The last lines of a run, {@linkcode LINES_READ} at most. One read from the end of the log. */
export async function lastLines(
  { task, path, sinceMs, untilMs }: RunOutput,
): Promise<string[]> {
  const { records } = await readLogs({
    sources: [{ task, path }],
    lines: LINES_READ,
    grep: null,
    context: 0,
    sinceMs,
    untilMs,
    cursor: null,
  });
  return records.map(({ text }) => text);
}

/** The most telling of some lines, in order: those of {@linkcode errorLines}, else the last ones. Pure. */
export function tellingLines(
  lines: readonly string[],
  { count, redactor }: Quoting,
): string[] {
  const said = lines.filter((line) => line.trim() !== "");
  const errors = errorLines(said, count);
  const kept = errors.length === 0 ? said.slice(-count) : errors;
  return kept.map((line) =>
    safeCut(line, { length: LINE_LENGTH_MAX, redactor })
  );
}

/** The last lines that speak of errors, with the frame below each, in order. Pure. */
export function errorLines(lines: readonly string[], count: number): string[] {
  const chosen = new Set<number>();
  for (let at = lines.length - 1; at >= 0 && chosen.size < count; at--) {
    if (!speaksOfError(lines[at]!)) continue;
    chosen.add(at);
    const isFramed = FRAME_REGEXP.test(lines[at + 1] ?? "");
    if (isFramed && chosen.size < count) chosen.add(at + 1);
  }
  return [...chosen].sort((a, b) => a - b).map((at) => lines[at]!);
}

function speaksOfError(line: string): boolean {
  const level = levelOf(line);
  return level === null
    ? TROUBLE_REGEXP.test(line) || ERRNO_REGEXP.test(line)
    : levelRank(level) >= levelRank("error");
}
