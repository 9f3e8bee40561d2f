/**
 * Parts of a text, and what stands in their place.
 *
 * @module
 */

/** What stands for a secret. */
export const MASK = "***";

/** Starts and ends in turn; ends are not included. In any order, also overlapping. */
export type Ranges = number[];

/** The ranges in order; those that overlap are one. */
export function merged(ranges: Readonly<Ranges>): Ranges {
  if (ranges.length <= 2) return [...ranges];
  const pairs: [number, number][] = [];
  for (let at = 0; at < ranges.length; at += 2) {
    pairs.push([ranges[at]!, ranges[at + 1]!]);
  }
  pairs.sort(([a], [b]) => a - b);
  const result: Ranges = [];
  for (const [start, end] of pairs) {
    const last = result.length - 1;
    if (last > 0 && start < result[last]!) {
      result[last] = Math.max(result[last]!, end);
    } else result.push(start, end);
  }
  return result;
}

/** What stands in place of so many characters: never more than they are. */
export function maskOf(length: number): string {
  return length >= MASK.length ? MASK : MASK.slice(0, length);
}

/**
 * The text with each range replaced.
 *
 * @param keep What of a replaced part stays, behind the mask. Nothing by default.
 */
export function masked(
  text: string,
  ranges: Readonly<Ranges>,
  keep: (part: string) => { readonly rest: string; readonly hidden: number } =
    allHidden,
): string {
  let result = "";
  let from = 0;
  const ordered = merged(ranges);
  for (let at = 0; at < ordered.length; at += 2) {
    const start = ordered[at]!;
    const end = ordered[at + 1]!;
    const { rest, hidden } = keep(text.slice(start, end));
    result += text.slice(from, start) + maskOf(hidden) + rest;
    from = end;
  }
  return result + text.slice(from);
}

/** Whether the character at an offset is the second one of `\\n` and the like, as JSON and many logs write line breaks. */
export function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (slashes < at && text[at - 1 - slashes] === "\\") slashes++;
  return slashes % 2 === 1;
}

function allHidden(part: string): { rest: string; hidden: number } {
  return { rest: "", hidden: part.length };
}
