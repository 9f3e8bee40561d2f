/**
 * Keeping one cursor for questions to different tasks.
 *
 * @module
 */

import { decodeCursor, encodeCursor } from "./log_cursor.ts";

/**
 * The place of each task by the newer cursor, and by the older one for tasks that the newer one does not name. Nothing
 * is kept of tasks that the project does not have.
 *
 * @throws {TaskmuxError} E500 if the newer one is no cursor.
 */
export function mergeCursors(
  older: string | null,
  newer: string,
  tasks: readonly string[],
): string {
  const known = new Set(tasks);
  const positions = new Map([
    ...(older === null ? [] : decodeCursor(older)),
    ...decodeCursor(newer),
  ]);
  return encodeCursor(
    new Map([...positions].filter(([task]) => known.has(task))),
  );
}
