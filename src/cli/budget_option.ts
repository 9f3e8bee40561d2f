/**
 * How large an answer may be: `--max-tokens` and `--max-bytes`.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { OptionSpecs } from "./command.ts";
import { wholeNumber } from "./option_value.ts";

/** What one token is taken for. */
const BYTES_PER_TOKEN = 4;

/** The options. */
export const BUDGET_OPTIONS = {
  "max-tokens": {
    type: "string",
    value: "N",
    summary: "At most that much, keeping both ends and errors (4 bytes each)",
  },
  "max-bytes": { type: "string", value: "N", summary: "The same in bytes" },
} as const satisfies OptionSpecs;

/** What was given for them. */
export interface BudgetValues {
  readonly "max-tokens": string | null;
  readonly "max-bytes": string | null;
}

/**
 * The budget in bytes; of two the smaller one. Null = none.
 *
 * @throws {TaskmuxError} E500 if one is no whole number.
 */
export function budgetBytes(values: BudgetValues): number | null {
  const bytes = wholeNumber("max-bytes", values["max-bytes"], { min: 1 });
  const tokens = wholeNumber("max-tokens", values["max-tokens"], { min: 1 });
  const ofTokens = tokens === null ? null : tokens * BYTES_PER_TOKEN;
  if (bytes === null || ofTokens === null) return bytes ?? ofTokens;
  return Math.min(bytes, ofTokens);
}

/**
 * Refuses options that cannot go with following.
 *
 * @throws {TaskmuxError} E500 if one of them was given.
 */
export function checkNotFollowed(
  values: Readonly<Record<string, unknown>>,
  options: readonly string[],
): void {
  const option = options.find((name) => values[name] !== null);
  if (option === undefined) return;
  throw new TaskmuxError(
    "E500",
    `Cannot use --${option} with --follow: what is still to come has no end`,
    { hint: "Leave out -f", details: { option } },
  );
}
