/**
 * Where the symbolic links of a file lead. A repository brings its links along: a file of the project may be one of the
 * user by another name.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { baseName, folderOf, resolvePath } from "../kit/path.ts";

/** Links followed, as the kernel does. */
const MAX_LINKS = 40;

/**
 * Where the links end, in a folder without links. What is not there yet has a place, too.
 *
 * @param path Absolute.
 * @throws {TaskmuxError} E500 if the links form a ring.
 */
export async function linkTarget(path: string): Promise<string> {
  let current = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    const info = await lstatIfThere(current);
    if (info?.isSymlink !== true) return await inRealFolder(current);
    current = resolvePath(folderOf(current), await Deno.readLink(current));
  }
  throw new TaskmuxError(
    "E500",
    `Cannot edit "${path}": its symbolic links form a ring`,
    { hint: `ls -l ${path}`, details: { path } },
  );
}

/**
 * The names by which a target lies outside of a folder; null if it is in it.
 *
 * @param folder Absolute; must be there.
 * @param target As of {@linkcode linkTarget}.
 */
export async function namesOutside(
  folder: string,
  target: string,
): Promise<readonly string[] | null> {
  const here = (await Deno.realPath(folder)).split("/");
  const there = target.split("/");
  const shared = here.findIndex((name, index) => name !== there[index]);
  return shared === -1 ? null : there.slice(shared);
}

/** What is there itself, a link if it is one. */
export async function lstatIfThere(
  path: string,
): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Only where the folder is a link itself does it differ. */
async function inRealFolder(path: string): Promise<string> {
  try {
    const folder = await Deno.realPath(folderOf(path));
    return resolvePath(folder, baseName(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return path;
  }
}
