/**
 * Logs from their files in answers of limited size.
 *
 * @module
 */

import { utf8Length } from "../kit/utf8_length.ts";
import type { BudgetForm } from "../logs/budget_form.ts";
import type { Extent } from "../logs/budget_line.ts";
import {
  type BudgetAnswer,
  budgetAnswer,
  type BudgetPage,
  checkBudget,
  chooseWithin,
  filesWithin,
  readIntoBudget,
} from "../logs/budgeted_answer.ts";
import { type LogParams, queryOf } from "./logs.ts";
import type { Disk } from "./project_files.ts";

/** How lines of text are made of an answer, and what they cost. */
export type TextForm = BudgetForm<string>;

/** Lines that are left out, and their bytes in the files. */
export type Omitted = Extent;

/** What was read, before it is known how much of it fits. */
export type ReadBudget = BudgetPage;

/** What an answer is made of. */
export interface BudgetQuestion {
  /** The tasks that were named; empty = all. */
  readonly tasks: readonly string[];
  /** Most bytes of all that is printed. */
  readonly maxBytes: number;
  /** Bytes of it that others take. */
  readonly spentBytes?: number;
}

/**
 * The lines that a question means, however many there are.
 *
 * @throws {TaskmuxError} As `readLogFiles`, and E500 for a budget in which no answer fits.
 */
export async function readLogFilesIntoBudget(
  disk: Disk,
  params: LogParams,
  limit: Parameters<typeof readIntoBudget>[1],
): Promise<ReadBudget> {
  checkBudget(limit.maxBytes);
  return await readIntoBudget(await queryOf(disk, params), limit);
}

/** The answer of `log.read`. Errors as {@linkcode readLogFilesIntoBudget}. */
export function budgetedJson(
  page: ReadBudget,
  { tasks, ...limit }: BudgetQuestion,
): BudgetAnswer {
  return budgetAnswer(page, tasks.length === 1 ? tasks[0]! : null, limit);
}

/**
 * The answer as lines of text. Errors as {@linkcode readLogFilesIntoBudget}.
 *
 * @param last The line at the end if something is left out; grows with the numbers.
 */
export function budgetedText(
  page: ReadBudget,
  { form, last, ...limit }: BudgetQuestion & {
    readonly form: TextForm;
    readonly last: (omitted: Omitted, files: readonly string[]) => string;
  },
): readonly string[] {
  const files = filesWithin(page.paths, limit.maxBytes);
  const { elements, omitted } = chooseWithin(page, {
    around: utf8Length(last(page.total, files)) + 1,
    form,
    limit,
  });
  return omitted.lines === 0 ? elements : [...elements, last(omitted, files)];
}
