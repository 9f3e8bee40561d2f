/**
 * What a task printed, as a model and whoever watches it may see it: nothing that hides, turns around or redraws the rest.
 *
 * @module
 */

import { visibleText } from "../domain/visible_text.ts";
import type { Json } from "../kit/json.ts";

/**
 * Characters that nobody sees and models read: they turn text around (Unicode TR 36 §2.10), or are letters without a shape
 * (the block of tags), with which instructions are hidden in plain output.
 */
const HIDING =
  /[\u061c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u{e0000}-\u{e0fff}]/gu;

/** Stands for one of them, in no more bytes. */
const REPLACEMENT = "\ufffd";

/** Nearly every text. */
const PLAIN = /^[\t\n -~]*$/;

/** The text without control sequences and characters, but for tabs and newlines; what hides is shown as U+FFFD. */
export function shownText(text: string): string {
  if (PLAIN.test(text)) return text;
  return visibleText(text).text.replaceAll(HIDING, REPLACEMENT);
}

/** The same for every text in a value. Names of fields stay. */
export function shownJson(value: Json): Json {
  if (typeof value === "string") return shownText(value);
  if (Array.isArray(value)) return value.map(shownJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, shownJson(each)]),
  );
}
