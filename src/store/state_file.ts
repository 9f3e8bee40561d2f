/**
 * What every file of the state folder has in common: it is private, and it is a file.
 *
 * @module
 */

import { kindOf } from "../kit/set_aside.ts";

/** Only the user may read state: events and commands can hold secrets. */
export const STATE_FILE_MODE = 0o600;

/** A file of the state folder that could not be used as it was. */
export interface StateDamage {
  /** Absolute path. */
  readonly file: string;
  /** Where it is now; null if it was not moved. */
  readonly aside: string | null;
  /** A sentence without a full stop. */
  readonly message: string;
  /** It was no damage: the first taskmux left it. */
  readonly isLegacy?: true;
}

/** Files of text that are larger than this are none of ours. */
export const MAX_STATE_TEXT_BYTES = 64 * 1024 * 1024;

/**
 * Makes sure that a file exists and nobody but its owner may read it. A wider mode is narrowed.
 *
 * Never opens a file that exists: closing it again would drop the locks that SQLite holds on it in this process.
 *
 * @throws {Deno.errors.NotFound} If the folder does not exist.
 */
export function makePrivate(path: string): void {
  try {
    Deno.openSync(path, {
      createNew: true,
      write: true,
      mode: STATE_FILE_MODE,
    }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    const { isFile, mode } = Deno.statSync(path);
    if (isFile && mode !== null && (mode & 0o077) !== 0) {
      Deno.chmodSync(path, STATE_FILE_MODE);
    }
  }
}

/**
 * The content of a file of text, invalid UTF-8 replaced. Never waits for the other end of a pipe.
 *
 * @returns Null if nothing has the name; undefined if what has it is no file, or larger than
 * {@linkcode MAX_STATE_TEXT_BYTES}.
 */
export async function readStateText(
  path: string,
): Promise<string | null | undefined> {
  const kind = kindOf(path);
  if (kind === "absent") return null;
  if (kind !== "file") return undefined;
  try {
    if ((await Deno.stat(path)).size > MAX_STATE_TEXT_BYTES) return undefined;
    return await Deno.readTextFile(path);
  } catch (error) {
    // Between the two looks.
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
