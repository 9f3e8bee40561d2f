/**
 * What every file of the state folder has in common: it is private, and when it is damaged it is kept aside.
 *
 * @module
 */

/** Only the user may read state: events and commands can hold secrets. */
export const STATE_FILE_MODE = 0o600;

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
 * Renames a damaged file to `PATH.corrupt-TIME`, and its side files with it. Nothing is overwritten.
 *
 * @param now Wall time in milliseconds.
 * @param sideFiles Suffixes of files that belong to it.
 * @returns The new path.
 */
export function moveAside(
  path: string,
  now: number,
  sideFiles: readonly string[] = [],
): string {
  const aside = freeName(path, now);
  Deno.renameSync(path, aside);
  for (const suffix of sideFiles) {
    try {
      Deno.renameSync(path + suffix, aside + suffix);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return aside;
}

/** A name beside `path` for a damaged copy of it, not taken yet: `PATH.corrupt-20261120T100000000Z`. */
export function freeName(path: string, now: number): string {
  const time = new Date(now).toISOString().replaceAll(/[-:.]/g, "");
  for (let number = 1;; number++) {
    const name = `${path}.corrupt-${time}${number === 1 ? "" : `-${number}`}`;
    if (!exists(name)) return name;
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
