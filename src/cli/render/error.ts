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
  readonly details?:
    | { readonly output_tail?: unknown; readonly error_lines?: unknown }
    | undefined;
}

/** The code with the message, and the next thing to type. */
export function errorLines(shape: PrintedError, paint: Paint): string[] {
  const lines = [
    `${paint("red", `Error [${shape.error_code}]:`)} ${shape.error}`,
  ];
  // Plain text by the time it gets here: the keeper and the hooks strip what a terminal would act on.
  const earlier = shape.details?.error_lines;
  if (Array.isArray(earlier)) {
    lines.push(...earlier.map((line) => `  | ${line}`), "  | …");
  }
  const tail = shape.details?.output_tail;
  if (typeof tail === "string" && tail !== "") {
    for (const line of tail.split("\n")) lines.push(`  | ${line}`);
  }
  if (shape.hint !== undefined) {
    lines.push(`${paint("cyan", "hint:")} ${shape.hint}`);
  }
  return lines;
}
