/**
 * Log lines for tests of answers of limited size.
 *
 * @module
 */

import type { JsonElement } from "../../src/logs/budget_form.ts";
import { type BudgetRecord, LogBudget } from "../../src/logs/log_budget.ts";
import { START_MS, timeOf } from "./log_folder.ts";

/** Room enough for everything. */
export const AMPLE_BYTES = 1_000_000;

/** What these tests take for an error. */
export function isErrorText(text: string): boolean {
  return /^ERROR\b/.test(text);
}

/** A record as the reader gives it. */
export function recordOf(
  styled: string,
  { task = "web", at = 0, isContext = false }: {
    readonly task?: string;
    readonly at?: number;
    readonly isContext?: boolean;
  } = {},
): BudgetRecord {
  const time = timeOf(START_MS + at);
  return { ts: `${time}Z`, task, styled, raw: `${time} ${styled}`, isContext };
}

/** A budget that has taken these lines of one task, one per millisecond, and was ended. */
export function budgetOf(
  lines: readonly string[],
  { maxBytes = AMPLE_BYTES, isWhole = true }: {
    readonly maxBytes?: number;
    readonly isWhole?: boolean;
  } = {},
): LogBudget {
  const budget = new LogBudget({ maxBytes, isWhole, isError: isErrorText });
  for (const [at, line] of lines.entries()) budget.add(recordOf(line, { at }));
  budget.end();
  return budget;
}

/** An element without the stamp of a line. */
export function withoutStamp(element: JsonElement): JsonElement {
  return typeof element === "string" ? element.slice(24) : element;
}
