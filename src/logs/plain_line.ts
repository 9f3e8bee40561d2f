/**
 * The text of a line as a reader of plain text sees it.
 *
 * @module
 */

import { plainText } from "./plain_text.ts";

/** C0 controls except tab, and DEL: bells, backspaces and the like. */
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f]/g;

/** A line without escape sequences and control characters. Tabs stay. */
export function plainLine(line: string): string {
  return plainText(line).replace(CONTROLS, "");
}
