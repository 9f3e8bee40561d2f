/**
 * An error for people.
 *
 * @module
 */

import type { Paint } from "./paint.ts";

/** What of an error is printed. */
export interface PrintedError {
  readonly error_code: string;
  readonly error: string;
  readonly hint?: string;
}

/** The code with the message, and the next thing to type. */
export function errorLines(shape: PrintedError, paint: Paint): string[] {
  const lines = [
    `${paint("red", `Error [${shape.error_code}]:`)} ${shape.error}`,
  ];
  if (shape.hint !== undefined) {
    lines.push(`${paint("cyan", "hint:")} ${shape.hint}`);
  }
  return lines;
}
