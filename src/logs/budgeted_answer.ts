/**
 * Answers to questions about logs that are bounded in bytes, all that stands around the lines included.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { RecordRedactor } from "../domain/record_redactor.ts";
import { inLaterTurn } from "../kit/turn.ts";
import { utf8Length } from "../kit/utf8_length.ts";
import type { BudgetForm, JsonElement } from "./budget_form.ts";
import { ALL_TASKS_FORM, ONE_TASK_FORM } from "./budget_form.ts";
import { type Extent, NO_EXTENT } from "./budget_line.ts";
import { isAtLeast } from "./log_level.ts";
import { LogBudget, MIN_BUDGET_BYTES } from "./log_budget.ts";
import type { LogQuery } from "./log_query.ts";
import { cursorOf } from "./log_reader.ts";
import { streamRecords } from "./log_stream.ts";
import { splitPath } from "./log_files.ts";

/** Part of an answer that paths of files may take. */
const FILES_SHARE = 1 / 4;

/** The lines of an answer, before it is known which of them fit. */
export interface BudgetPage {
  readonly budget: LogBudget;
  /** All lines that were read. */
  readonly total: Extent;
  /** Leads to what comes after all that was read, the lines that are left out included. */
  readonly cursor: string;
  readonly dropped: number;
  readonly hasMore: boolean;
  /** Paths of the logs. */
  readonly paths: readonly string[];
}

/** How large an answer may be. */
export interface BudgetLimit {
  /** Of all that is printed, its last newline included. */
  readonly maxBytes: number;
  /** Bytes of it that others take, such as events that are added to the answer. */
  readonly spentBytes?: number;
}

/** An answer in the shape of `log.read`. */
export type BudgetAnswer = {
  readonly ok: true;
  readonly task?: string;
  readonly lines: JsonElement[];
  readonly cursor: string;
  readonly dropped: number;
  readonly has_more: boolean;
  readonly omitted: Extent;
  readonly files?: string[];
};

/**
 * Reads all lines that a question means, however many, into a budget. Memory holds what the reader does and a few times
 * the budget.
 *
 * @throws {TaskmuxError} E500 as `readLogs`.
 * @throws The reason of the signal when it aborts, before the next piece.
 */
export async function readIntoBudget(
  query: LogQuery,
  { maxBytes, secrets }: {
    readonly maxBytes: number;
    /** Takes secrets out, before a line is cut in the middle of one; null = they are shown. */
    readonly secrets: RecordRedactor | null;
  },
): Promise<BudgetPage> {
  const { grep, level = null, fields = [] } = query;
  const isWhole = grep === null && level === null && fields.length === 0;
  const budget = new LogBudget({ maxBytes, isWhole, isError });
  const paths = query.sources.map(({ path }) => path);
  const stream = streamRecords(query);
  while (true) {
    const { value, done } = await stream.next();
    if (done) {
      const { dropped, hasMore, resume } = value;
      const cursor = cursorOf(resume);
      return { budget, total: budget.end(), cursor, dropped, hasMore, paths };
    }
    const records = secrets?.lines(value.records) ?? value.records;
    for (const record of records) budget.add(record);
    // Others get their turn in between: a daemon has more to do.
    await new Promise<void>(inLaterTurn);
  }
}

/**
 * The JSON answer.
 *
 * @param task The one task that was named; null = several, or all.
 * @throws {TaskmuxError} E500 if not even an answer without lines is that small.
 */
export function budgetAnswer(
  page: BudgetPage,
  task: string | null,
  limit: BudgetLimit,
): BudgetAnswer {
  const { cursor, dropped, hasMore, total } = page;
  const form = task === null ? ALL_TASKS_FORM : ONE_TASK_FORM;
  const answer = (
    lines: readonly JsonElement[],
    omitted: Extent,
    files: readonly string[],
  ): BudgetAnswer => ({
    ok: true,
    ...task === null ? {} : { task },
    lines: [...lines],
    cursor,
    dropped,
    has_more: hasMore,
    omitted,
    ...omitted.lines === 0 ? {} : { files: [...files] },
  });
  const sizeOf = (value: unknown) => utf8Length(JSON.stringify(value));
  const files = filesWithin(page.paths, limit.maxBytes);
  const around = sizeOf(answer([], total, files)) + 1;
  const { elements, omitted } = chooseWithin(page, { around, form, limit });
  return answer(elements, omitted, files);
}

/**
 * The elements for which there is room beside `around` bytes.
 *
 * @throws {TaskmuxError} E500 if there is not even room for a remark that everything is left out.
 */
export function chooseWithin<T>(
  { budget, total }: BudgetPage,
  { around, form, limit: { maxBytes, spentBytes = 0 } }: {
    readonly around: number;
    readonly form: BudgetForm<T>;
    readonly limit: BudgetLimit;
  },
): { readonly elements: readonly T[]; readonly omitted: Extent } {
  const least = around + spentBytes + form.sizeOf(form.gap(total));
  if (maxBytes < least) throw tooSmall(maxBytes, least);
  if (total.lines === 0) return { elements: [], omitted: NO_EXTENT };
  return budget.choose(maxBytes - around - spentBytes, form);
}

/**
 * Checks the size of an answer before anything is read for it.
 *
 * @throws {TaskmuxError} E500 below {@linkcode MIN_BUDGET_BYTES}.
 */
export function checkBudget(maxBytes: number): void {
  if (maxBytes < MIN_BUDGET_BYTES) throw tooSmall(maxBytes, MIN_BUDGET_BYTES);
}

/** The paths, or their folders if those would take too much of the answer, or none. */
export function filesWithin(
  paths: readonly string[],
  maxBytes: number,
): readonly string[] {
  const folders = [...new Set(paths.map((path) => splitPath(path).folder))];
  return [paths, folders].find((each) =>
    utf8Length(JSON.stringify(each)) <= maxBytes * FILES_SHARE
  ) ?? [];
}

function isError(text: string): boolean {
  return isAtLeast(text, "error");
}

function tooSmall(maxBytes: number, least: number): TaskmuxError {
  return new TaskmuxError(
    "E500",
    `Cannot answer in ${maxBytes} bytes: this question needs at least ${least}`,
    { hint: `--max-bytes ${least}`, details: { max_bytes: maxBytes, least } },
  );
}
