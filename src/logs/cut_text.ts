/**
 * Cutting the middle out of text that is too long, between characters, saying how much is gone.
 *
 * @module
 */

import { grouped } from "../kit/grouped.ts";
import { isHighSurrogate, isLowSurrogate } from "../kit/utf8_length.ts";
import type { LongText } from "./budget_line.ts";
import { detached } from "./log_line.ts";

/** Text of at most about `units` UTF-16 units, which keeps no longer string alive. */
export function storedText(text: string, units: number): LongText {
  if (text.length <= units) return { head: text, cut: 0, tail: "" };
  const [from, to] = middleOf(text, units);
  return {
    head: detached(text.slice(0, from)),
    cut: countCharacters(text, from, to),
    tail: detached(text.slice(to)),
  };
}

/**
 * The text in one piece whose size is at most `limit`, if need be with less of it. A limit below the size of the remark
 * itself leaves the remark.
 *
 * @param sizeOf Size of a text in the answer; grows with the text.
 */
export function shownText(
  text: LongText,
  { limit, sizeOf }: {
    readonly limit: number;
    readonly sizeOf: (text: string) => number;
  },
): string {
  const whole = text.head + text.tail;
  const isWhole = text.cut === 0;
  if (isWhole && sizeOf(whole) <= limit) return whole;
  const at = text.head.length;
  const shown = (units: number) => {
    // What is cut already lies in what is cut now.
    const [from, to] = isWhole
      ? middleOf(whole, units)
      : around(whole, at, units);
    const cut = text.cut + countCharacters(whole, from, to);
    return `${whole.slice(0, from)}${remark(cut)}${whole.slice(to)}`;
  };
  let fits = 0;
  let low = 1;
  let high = whole.length;
  while (low <= high) {
    const units = (low + high) >> 1;
    if (sizeOf(shown(units)) <= limit) {
      fits = units;
      low = units + 1;
    } else high = units - 1;
  }
  return shown(fits);
}

function remark(cut: number): string {
  return `…[${grouped(cut)} ${cut === 1 ? "character" : "characters"} cut]…`;
}

/** The part to take out so that about `units` stay, as much before as after it. */
function middleOf(text: string, units: number): [from: number, to: number] {
  return between(text, Math.ceil(units / 2), text.length - (units >> 1));
}

/** The same for a text that has a hole at `at`. */
function around(
  text: string,
  at: number,
  units: number,
): [from: number, to: number] {
  const before = Math.min(Math.ceil(units / 2), at);
  return between(text, before, Math.max(at, text.length - (units - before)));
}

/** Moves two places apart to where no pair is torn: less stays rather than more. */
function between(
  text: string,
  from: number,
  to: number,
): [from: number, to: number] {
  return [
    from > 0 && isHighSurrogate(text.charCodeAt(from - 1)) ? from - 1 : from,
    isLowSurrogate(text.charCodeAt(to)) ? to + 1 : to,
  ];
}

function countCharacters(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) {
    const isSecondHalf = at > from && isLowSurrogate(text.charCodeAt(at)) &&
      isHighSurrogate(text.charCodeAt(at - 1));
    if (!isSecondHalf) count++;
  }
  return count;
}
