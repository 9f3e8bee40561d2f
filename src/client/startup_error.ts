/**
 * What a daemon says when it cannot start.
 *
 * @module
 */

import { type ErrorShape, TaskmuxError } from "../domain/error.ts";

/**
 * The error in what a daemon printed; null if there is none. It prints it as one line of JSON.
 */
export function startupError(text: string): TaskmuxError | null {
  for (const line of text.split("\n").reverse()) {
    if (!line.startsWith('{"ok":false,')) continue;
    try {
      return TaskmuxError.fromShape(JSON.parse(line) as ErrorShape);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return null;
}
