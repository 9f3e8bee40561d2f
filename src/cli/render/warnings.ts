/**
 * Warnings that come with an answer, for people.
 *
 * @module
 */

import type { Paint } from "./paint.ts";
import { plainText } from "./text.ts";

/** One line each. */
export function warningLines(
  warnings: readonly string[],
  paint: Paint,
): string[] {
  return warnings.map((warning) =>
    `${paint("yellow", "Warning:")} ${plainText(warning)}`
  );
}
