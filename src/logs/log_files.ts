/**
 * The files of a log: `path`, and the rotated `path.1` (newest) to `path.N`.
 *
 * Opening is synchronous: it takes some microseconds per file, where a hop to another thread and back takes a hundred.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";

/** A file of a log, open for reading. */
export interface OpenLogFile {
  readonly file: Deno.FsFile;
  readonly ino: number;
  /** Wall time of its creation in milliseconds; 0 = unknown. */
  readonly bornAt: number;
  readonly size: number;
}

/** How often the files are opened anew because they were rotated meanwhile. Each time takes less than a millisecond. */
const MAX_ATTEMPTS = 20;

/**
 * Opens all files of a log, newest first; none if there are none. The caller closes them.
 *
 * One rotation meanwhile does no harm: files move to higher numbers only, so one may be met twice, which is noticed, but
 * none that stays is missed. Several could bring a newer file under a higher number, so everything is opened anew until
 * the newest one still has its name at the end.
 *
 * @throws {TaskmuxError} E900 if a file may not be read.
 */
export function openLogFiles(path: string): OpenLogFile[] {
  for (let attempt = 1;; attempt++) {
    const opened = new Map<number, OpenLogFile>();
    try {
      openInto(opened, path);
      if (attempt === MAX_ATTEMPTS || isUnmoved(opened, path)) {
        return [...opened.values()];
      }
    } catch (error) {
      for (const { file } of opened.values()) file.close();
      if (error instanceof Deno.errors.PermissionDenied) {
        throw unreadable(path, error);
      }
      throw error;
    }
    for (const { file } of opened.values()) file.close();
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
    const numbers = rotatedNumbers(path);
    for (const each of [0, ...numbers].map((n) => nameOf(path, n))) {
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

function rotatedNumbers(path: string): number[] {
  const { folder, name } = splitPath(path);
  const numbers: number[] = [];
  try {
    for (const entry of Deno.readDirSync(folder)) {
      if (entry.name !== name && belongsToLog(entry.name, name)) {
        numbers.push(Number(entry.name.slice(name.length + 1)));
      }
    }
  } catch (error) {
    if (!isMissing(error, path)) throw error;
  }
  return numbers.sort((a, b) => a - b);
}

/** What an open file is now. */
export function describeLogFile(file: Deno.FsFile): OpenLogFile {
  const { ino, size, birthtime } = file.statSync();
  return { file, ino: ino ?? 0, bornAt: birthtime?.getTime() ?? 0, size };
}

/** Opens the files by number, 0 being the current one. */
function openInto(opened: Map<number, OpenLogFile>, path: string): void {
  const inodes = new Set<number>();
  const last = Math.max(0, ...rotatedNumbers(path));
  // One more, for a rotation since the folder was listed.
  for (let number = 0; number <= last + 1; number++) {
    const one = openLogFile(nameOf(path, number));
    if (one === null) continue;
    if (inodes.has(one.ino)) one.file.close();
    else opened.set(number, one);
    inodes.add(one.ino);
  }
}

/** Whether the newest of the opened files is still the newest. An open file's inode is given to no other. */
function isUnmoved(
  opened: ReadonlyMap<number, OpenLogFile>,
  path: string,
): boolean {
  const [newest] = opened;
  if (newest === undefined) return true;
  for (let number = 0; number <= newest[0]; number++) {
    const ino = inodeOf(nameOf(path, number));
    if (ino !== (number === newest[0] ? newest[1].ino : null)) return false;
  }
  return true;
}

function inodeOf(path: string): number | null {
  try {
    return Deno.statSync(path).ino;
  } catch (error) {
    if (isMissing(error, path)) return null;
    throw error;
  }
}

function nameOf(path: string, number: number): string {
  return number === 0 ? path : `${path}.${number}`;
}

function openLogFile(path: string): OpenLogFile | null {
  try {
    // Opening a pipe to read would wait for a writer.
    if (!Deno.statSync(path).isFile) return null;
    return describeLogFile(Deno.openSync(path));
  } catch (error) {
    if (isMissing(error, path)) return null;
    throw error;
  }
}

async function removeFile(path: string): Promise<boolean> {
  try {
    await Deno.remove(path);
    return true;
  } catch (error) {
    if (isMissing(error, path)) return false;
    throw error;
  }
}

/** Where Deno lets nobody look without all permissions. No log is there. */
const SYSTEM_PATH_REGEXP = /^\/(?:dev|proc|sys)(?:\/|$)/;

/** No file of ours has this name, also because what should be a folder is a file. */
function isMissing(error: unknown, path: string): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.NotCapable && SYSTEM_PATH_REGEXP.test(path);
}

function unreadable(path: string, cause: Error): TaskmuxError {
  return new TaskmuxError(
    "E900",
    `Cannot read log "${path}": permission denied`,
    { hint: `ls -l ${path}*`, details: { path }, cause },
  );
}
