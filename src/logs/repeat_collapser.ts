/**
 * Makes one line of many that follow one another and say the same.
 *
 * Identical lines become the first one with a count. Lines that differ only in numbers, times or spinners become, from
 * {@linkcode MIN_SIMILAR} on, the first one with a count and the last one, which tells how it ended.
 *
 * @module
 */

import { type BudgetLine, type Extent, sumOf } from "./budget_line.ts";
import { isSimilar } from "./similar_text.ts";

/** Fewer lines that are not identical are left as they are. */
export const MIN_SIMILAR = 4;

/** Takes lines, gives fewer. Holds at most {@linkcode MIN_SIMILAR} of them. */
export class RepeatCollapser {
  #run: Run | null = null;

  /** The next line. @returns What is finished now, in order. */
  push(line: BudgetLine): readonly BudgetLine[] {
    const run = this.#run;
    if (run !== null && belongs(run, line)) {
      extend(run, line);
      return NOTHING;
    }
    const finished = this.flush();
    this.#run = {
      first: line,
      members: [line],
      count: 1,
      isIdentical: true,
      between: null,
      last: line,
    };
    return finished;
  }

  /** What is still held, in order. */
  flush(): readonly BudgetLine[] {
    const run = this.#run;
    this.#run = null;
    return run === null ? NOTHING : linesOf(run);
  }
}

const NOTHING: readonly BudgetLine[] = [];

interface Run {
  readonly first: BudgetLine;
  /** The first ones, while they are fewer than {@linkcode MIN_SIMILAR}. */
  readonly members: BudgetLine[];
  count: number;
  isIdentical: boolean;
  /** What the lines between the first and the last stand for; null if there are none. */
  between: Extent | null;
  last: BudgetLine;
}

function belongs({ first, last }: Run, line: BudgetLine): boolean {
  return first.task === line.task && first.isError === line.isError &&
    first.isContext === line.isContext && !line.isApart &&
    first.text.cut === 0 && line.text.cut === 0 &&
    isSimilar(last.text.head, line.text.head);
}

function extend(run: Run, line: BudgetLine): void {
  if (run.count > 1) {
    run.between = run.between === null
      ? run.last.extent
      : sumOf(run.between, run.last.extent);
  }
  run.count++;
  run.isIdentical &&= line.text.head === run.first.text.head;
  run.last = line;
  if (run.members.length < MIN_SIMILAR) run.members.push(line);
}

function linesOf(run: Run): readonly BudgetLine[] {
  const { first, last, members, count, isIdentical, between } = run;
  if (count === 1) return members;
  if (isIdentical) {
    const rest = between === null ? last.extent : sumOf(between, last.extent);
    return [standingFor(first, rest, false)];
  }
  if (count < MIN_SIMILAR) return members;
  return [standingFor(first, between ?? first.extent, true), last];
}

function standingFor(
  line: BudgetLine,
  rest: Extent,
  similar: boolean,
): BudgetLine {
  return {
    ...line,
    // Lines that were redrawn are gone for another reason, but into one count.
    repeated: rest.lines,
    isSimilar: similar,
    extent: sumOf(line.extent, rest),
  };
}
