/**
 * Text on a terminal: how wide it is, what of it is safe to print, how it is cut.
 *
 * @module
 */

import { hasControls } from "../../domain/visible_text.ts";

// Blocks of wide letters and emoji, close enough to Unicode's East Asian Width for columns to line up.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const INVISIBLE = /[\p{Mn}\p{Me}\p{Cf}]/u;
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const CONTROL = /[\x00-\x1f\x7f-\x9f]+/g;
// Every escape sequence of ECMA-48: §5.4, and the strings of §5.6.
const ESCAPE =
  // deno-lint-ignore no-control-regex -- escape sequences are made of them
  /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]/g;
// deno-lint-ignore no-control-regex -- Select Graphic Rendition, the only sequence that changes nothing but looks
const COLOUR = /^\x1b\[[0-9;:]*m$/;

/** Columns that a text takes. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (INVISIBLE.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

/** A text on one line without anything that a terminal would act on. */
export function plainText(text: string): string {
  return text.replace(ESCAPE, "").replace(CONTROL, " ").trim();
}

/** A line of output as a terminal may have it: colours stay, everything that moves the cursor or asks questions goes. */
export function colouredText(text: string): string {
  const kept = text.replace(
    ESCAPE,
    (sequence) => COLOUR.test(sequence) ? sequence : "",
  );
  // deno-lint-ignore no-control-regex -- everything but tab and escape
  const safe = kept.replace(/[\x00-\x08\x0a-\x1a\x1c-\x1f\x7f]/g, "");
  return safe.includes("\x1b") ? `${safe}\x1b[0m` : safe;
}

/** A line of output for a program: no colours, no control characters but tabs. */
export function strippedText(text: string): string {
  if (!hasControls(text)) return text;
  // deno-lint-ignore no-control-regex -- everything but tab
  return text.replace(ESCAPE, "").replace(/[\x00-\x08\x0a-\x1f\x7f]/g, "");
}

/** The text filled up with spaces to a number of columns. */
export function padText(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - textWidth(text)));
}

/** The text cut to a number of columns, with an ellipsis where something is missing. */
export function cutText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  if (columns <= 0) return "";
  let kept = "";
  let width = 0;
  for (const character of text) {
    width += textWidth(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}
