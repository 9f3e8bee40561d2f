/**
 * Texts of which a model needs the beginning only.
 *
 * @module
 */

import { isHighSurrogate } from "../../kit/utf8_length.ts";

/** One line of at most `length` UTF-16 units; `…` stands for what is missing. */
export function shortText(text: string, length: number): string {
  const line = text.trim().replaceAll(/\s*\n\s*/g, " | ");
  if (line.length <= length) return line;
  const end = isHighSurrogate(line.charCodeAt(length - 2)) ? 2 : 1;
  return `${line.slice(0, length - end)}…`;
}

/** At most `count` of the items, each as short as that, and how many are left out. */
export function shortList(
  items: readonly string[],
  { count, length }: { readonly count: number; readonly length: number },
): string[] {
  const shown = items.slice(0, count).map((item) => shortText(item, length));
  const rest = items.length - shown.length;
  return rest === 0 ? shown : [...shown, `and ${rest} more`];
}

/** Seconds as a whole number of one unit: `119s`, `5m`, `3h`, `2d`. */
export function shortAge(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole}s`;
  if (whole < 7_200) return `${Math.floor(whole / 60)}m`;
  if (whole < 172_800) return `${Math.floor(whole / 3_600)}h`;
  return `${Math.floor(whole / 86_400)}d`;
}
