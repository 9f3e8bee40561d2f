/**
 * The chain of rotated files: `x.log` → `x.log.1` (newest) → … → `x.log.N` (oldest).
 *
 * Renames only; whoever holds the current file open reopens it afterwards. When to rotate is the writer's business.
 *
 * @module
 */

/** Path of the nth rotated file, 1 being the newest. */
export function rotatedPath(path: string, n: number): string {
  return `${path}.${n}`;
}

/**
 * Moves the current file out of the way and drops what is beyond the limit, also files left from a higher limit.
 * Missing files are skipped. Afterwards nothing has the name `path`.
 *
 * @param maxFiles Rotated files kept; 0 drops the current file.
 * @throws An error of the file system. Then the files that were moved stay moved; calling again goes on.
 */
export function rotateFiles(path: string, maxFiles: number): void {
  if (maxFiles === 0) removeIfThere(path);
  for (let n = Math.max(maxFiles, 1);; n++) {
    if (!removeIfThere(rotatedPath(path, n)) && n > maxFiles) break;
  }
  for (let n = maxFiles - 1; n >= 1; n--) {
    renameIfThere(rotatedPath(path, n), rotatedPath(path, n + 1));
  }
  if (maxFiles > 0) renameIfThere(path, rotatedPath(path, 1));
}

function removeIfThere(path: string): boolean {
  try {
    Deno.removeSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
