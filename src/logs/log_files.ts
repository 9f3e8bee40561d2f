/**
 * The files of a log: `path`, and the rotated `path.1` (newest) to `path.N`.
 *
 * @module
 */

/** A file of a log, open for reading. */
export interface OpenLogFile {
  readonly file: Deno.FsFile;
  readonly ino: number;
  readonly size: number;
}

/**
 * Opens all files of a log, newest first; none if there are none. The caller closes them.
 *
 * Rotation may happen meanwhile: files only move to higher numbers, so opening from the newest on may meet one twice,
 * which is noticed, but misses none that stays.
 */
export async function openLogFiles(path: string): Promise<OpenLogFile[]> {
  const opened: OpenLogFile[] = [];
  try {
    const last = Math.max(0, ...await rotatedNumbers(path));
    // One more, for a rotation since the folder was listed.
    for (let number = 0; number <= last + 1; number++) {
      const one = await openLogFile(number === 0 ? path : `${path}.${number}`);
      if (one === null) continue;
      if (opened.some((other) => other.ino === one.ino)) one.file.close();
      else opened.push(one);
    }
    return opened;
  } catch (error) {
    for (const { file } of opened) file.close();
    throw error;
  }
}

/**
 * Deletes logs with their rotated files. A writer notices and goes on in a new file.
 *
 * @param paths Current files; what does not exist is skipped.
 * @returns How many files were deleted.
 */
export async function cleanLogs(paths: readonly string[]): Promise<number> {
  let count = 0;
  for (const path of paths) {
    const numbers = await rotatedNumbers(path);
    for (const each of [path, ...numbers.map((n) => `${path}.${n}`)]) {
      if (await removeFile(each)) count++;
    }
  }
  return count;
}

/** Folder and name of a path. */
export function splitPath(path: string): { folder: string; name: string } {
  const slash = path.lastIndexOf("/");
  return {
    folder: slash === -1 ? "." : path.slice(0, slash) || "/",
    name: path.slice(slash + 1),
  };
}

/** Whether a file name is that of a log or one of its rotated files. */
export function belongsToLog(fileName: string, logName: string): boolean {
  return fileName.startsWith(logName) &&
    /^(?:\.[1-9]\d*)?$/.test(fileName.slice(logName.length));
}

async function rotatedNumbers(path: string): Promise<number[]> {
  const { folder, name } = splitPath(path);
  const numbers: number[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (entry.name !== name && belongsToLog(entry.name, name)) {
        numbers.push(Number(entry.name.slice(name.length + 1)));
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return numbers.sort((a, b) => a - b);
}

async function openLogFile(path: string): Promise<OpenLogFile | null> {
  try {
    // Opening a pipe to read would wait for a writer.
    if (!(await Deno.stat(path)).isFile) return null;
    const file = await Deno.open(path);
    const { ino, size } = await file.stat();
    return { file, ino: ino ?? 0, size };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function removeFile(path: string): Promise<boolean> {
  try {
    await Deno.remove(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
