/**
 * Lines that go on with what the line before them said: stack traces, notes below an error, the rest of an object.
 *
 * @module
 */

/** Most lines that are shown after a line that they continue. */
export const MAX_CONTINUATION_LINES = 100;

const CONTINUATION =
  /^(?:\s+\S|at \S|Caused by\b|Suppressed: |\.\.\. \d+ (?:more|common)|[}\])]+[,;]?$|\^|~+$|During handling of the above|The above exception was|goroutine \d+ \[|created by |exit status \d|stack backtrace:|note: |help: |= note: |= help: |--> |\d+ +\||#\d+ |Stack trace:|Node\.js v\d|(?:[\w$@*()/-]+\.)+[\w$().*[\]-]+\(.*\)$)/;

/** Whether a line may belong to the one before it. Without its time and control sequences. */
export function isContinuation(text: string): boolean {
  return CONTINUATION.test(text.length > 200 ? text.slice(0, 200) : text);
}
