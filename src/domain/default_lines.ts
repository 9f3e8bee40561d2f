/**
 * How many lines of a log are meant when nobody says.
 *
 * @module
 */

const USUAL_LINES = 100;

/** More are looked at when only what fits is shown. */
const LINES_WITH_BUDGET = 1_000;

/** What a question says about the lines it means. */
export interface LineQuestion {
  /** Whether the answer is limited in size. */
  readonly hasBudget: boolean;
  /** Whether it names lines in another way: by what they say, by their time, or by a cursor. */
  readonly isSelective: boolean;
}

/** The number of the last lines, or null for all of those that are named otherwise. */
export function defaultLines(
  { hasBudget, isSelective }: LineQuestion,
): number | null {
  if (!hasBudget) return USUAL_LINES;
  return isSelective ? null : LINES_WITH_BUDGET;
}
