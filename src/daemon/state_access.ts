/**
 * Whether the daemon may use what is in its state folder.
 *
 * @module
 */

import type { Paths } from "../config/paths.ts";
import { diskError } from "../domain/disk_error.ts";
import { kindOf } from "../kit/set_aside.ts";

/**
 * Opens the files without which no daemon starts, and closes them again. Not in a process that has the database open:
 * closing it drops the locks of SQLite.
 *
 * @throws {TaskmuxError} E900 for the first one that must not be read or written.
 */
export async function requireAccess(paths: Paths): Promise<void> {
  const files = [
    paths.daemonLock,
    paths.daemonLog,
    paths.database,
    paths.eventsMirror,
    paths.registry,
  ];
  for (const path of files) {
    // What is none is moved aside later; to open a pipe would wait for its other end.
    if (kindOf(path) !== "file") continue;
    try {
      (await Deno.open(path, { read: true, write: true })).close();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw diskError(error) ?? error;
    }
  }
}
