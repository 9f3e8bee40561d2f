/**
 * Text without what a terminal does not show, and where each shown character stands.
 *
 * @module
 */

/** Control sequences, strings and characters; of these only tab and newline are seen. */
const INVISIBLE =
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  /\x1b(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_][^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?|[ -/]*[0-~]?)|\x9b[0-?]*[ -/]*[@-~]?|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9a\x9c-\x9f]+/g;

// deno-lint-ignore no-control-regex -- control characters are what is looked for
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

/** Nearly every text. Going along one twice as fast as looking for what is not there. */
const PRINTABLE = /^[\t\n -~]*$/;

/** Whether a text holds anything that is not shown as it is. */
export function hasControls(text: string): boolean {
  return !PRINTABLE.test(text) && CONTROL.test(text);
}

/** What a reader sees of a text. */
export interface VisibleText {
  readonly text: string;
  /** Where a character of it stands in the original. */
  originOf(index: number): number;
}

/** The visible part of a text, in time linear in its length. */
export function visibleText(original: string): VisibleText {
  let text = "";
  /** Where pieces begin, in the visible text and in the original. */
  const starts: number[] = [];
  const origins: number[] = [];
  const keep = (from: number, to: number): void => {
    if (to <= from) return;
    starts.push(text.length);
    origins.push(from);
    text += original.slice(from, to);
  };
  let from = 0;
  for (const { index, 0: { length } } of original.matchAll(INVISIBLE)) {
    keep(from, index);
    from = index + length;
  }
  keep(from, original.length);
  return {
    text,
    originOf: (index) => {
      const piece = lastNotAfter(starts, index);
      return origins[piece]! + index - starts[piece]!;
    },
  };
}

/** What a part of the original hides: colours stay, so that what follows looks as it did. */
export function hiddenPart(
  part: string,
): { readonly rest: string; readonly hidden: number } {
  const { text } = visibleText(part);
  // deno-lint-ignore no-control-regex -- Select Graphic Rendition
  const colours = part.match(/\x1b\[[0-9;:]*m/g) ?? [];
  return { rest: colours.join(""), hidden: text.length };
}

/** Index of the last number that is not greater; 0 if there is none. */
function lastNotAfter(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sorted[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
