/**
 * Lines of an answer to `logs`.
 *
 * @module
 */

import type { Result } from "../../src/contract/mod.ts";

/** An element of `lines`. */
export type AnswerLine = Result<"log.read">["lines"][number];

/** `2026-01-01T00:00:00.000 ` */
const STAMP_LENGTH = 24;

/** What the task printed. */
export function printedText(line: AnswerLine): string {
  if (typeof line === "string") return line.slice(STAMP_LENGTH);
  if ("text" in line) return String(line.text);
  throw new Error(`Cannot tell the text of ${JSON.stringify(line)}`);
}

/** The same with the task, where it is told. */
export function labelledText(line: AnswerLine): string {
  return typeof line === "object" && "task" in line
    ? `${line.task}: ${line.text}`
    : printedText(line);
}
