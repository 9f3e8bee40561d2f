/**
 * Damaged files are kept beside the place they had, for whoever wants to look into them, but not for ever.
 *
 * Synchronous, because nothing may happen between looking and renaming.
 *
 * @module
 */

/** What is between the name of a file and the time at which it was set aside. */
export const ASIDE_MARK = ".corrupt-";

/** Copies of one file that are kept; the oldest go first. */
export const MAX_ASIDE = 5;

/**
 * Renames a damaged file, or whatever has its name, to `PATH.corrupt-TIME`, and its side files with it. Overwrites
 * nothing; removes the oldest of more than {@linkcode MAX_ASIDE} such copies.
 *
 * @param now Wall time in milliseconds.
 * @param sideFiles Suffixes of files that belong to it.
 * @returns The new path.
 * @throws {Deno.errors.NotFound} If there is nothing to rename.
 */
export function setAside(
  path: string,
  now: number,
  sideFiles: readonly string[] = [],
): string {
  const aside = asideName(path, now);
  Deno.renameSync(path, aside);
  for (const suffix of sideFiles) {
    try {
      Deno.renameSync(path + suffix, aside + suffix);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  dropOldest(path, sideFiles);
  return aside;
}

/** A name beside `path` for a damaged copy of it, later than all there are: `PATH.corrupt-20261120T100000000Z`. */
export function asideName(path: string, now: number): string {
  const time = new Date(now).toISOString().replaceAll(/[-:.]/g, "");
  const first = `${path}${ASIDE_MARK}${time}`;
  const start = first.slice(first.lastIndexOf("/") + 1);
  const numbers = asideCopies(path).filter((name) => name.startsWith(start))
    .map((name) => Number(name.slice(start.length + 1) || 1));
  // Not the first that is free: of the same moment, older ones may be gone already.
  return numbers.length === 0 ? first : `${first}-${Math.max(...numbers) + 1}`;
}

/**
 * Sets aside what has the name of a file and is none: a folder, a pipe, a link into nowhere. To open a pipe would wait
 * for ever for its other end.
 *
 * @returns The new path; null if nothing was in the way.
 */
export function clearObstacle(path: string, now: number): string | null {
  const kind = kindOf(path);
  if (kind === "absent" || kind === "file" || kind === "device") return null;
  return setAside(path, now);
}

/** What has a name. A link is what it leads to; `device` is one of characters, such as `/dev/null`. */
export type FileKind =
  | "absent"
  | "file"
  | "folder"
  | "socket"
  | "device"
  | "pipe"
  | "dangling link"
  | "other";

/** What a path leads to. Opens nothing. */
export function kindOf(path: string): FileKind {
  const info = infoOf(path);
  if (info === null) return "absent";
  try {
    return kindOfInfo(info.isSymlink ? Deno.statSync(path) : info);
  } catch (error) {
    const { FilesystemLoop, NotADirectory, NotFound } = Deno.errors;
    if (
      error instanceof NotFound || error instanceof FilesystemLoop ||
      error instanceof NotADirectory
    ) return "dangling link";
    throw error;
  }
}

function kindOfInfo(info: Deno.FileInfo): FileKind {
  if (info.isFile) return "file";
  if (info.isDirectory) return "folder";
  if (info.isSocket) return "socket";
  if (info.isCharDevice) return "device";
  return info.isFifo ? "pipe" : "other";
}

/** Names of the copies of a file that were set aside, oldest first. */
export function asideCopies(path: string): string[] {
  const slash = path.lastIndexOf("/");
  const start = `${path.slice(slash + 1)}${ASIDE_MARK}`;
  return [...Deno.readDirSync(path.slice(0, slash) || "/")]
    .map(({ name }) => name)
    .filter((name) =>
      name.startsWith(start) && /^\w+Z(?:-\d+)?$/.test(name.slice(start.length))
    )
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

function dropOldest(path: string, sideFiles: readonly string[]): void {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  for (const name of asideCopies(path).slice(0, -MAX_ASIDE)) {
    for (const suffix of ["", ...sideFiles]) {
      try {
        Deno.removeSync(`${folder}${name}${suffix}`, { recursive: true });
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }
}

function infoOf(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    const { NotADirectory, NotFound } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) {
      return null;
    }
    throw error;
  }
}
