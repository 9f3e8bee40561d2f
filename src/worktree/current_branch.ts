/**
 * Which branch is checked out now, without asking git: for answers that are wanted at every prompt.
 *
 * @module
 */

import { folderOf, resolvePath } from "../kit/path.ts";

/** What a branch is called in the file. */
const BRANCH_REGEXP = /^ref: refs\/heads\/(.+)$/;

/** What git writes there when the branch is noted in another way (reftable). */
const NOT_HERE = ".invalid";

/**
 * The branch of the checkout that a folder is in. Reads one or two small files.
 *
 * @returns Null if none is checked out, or there is no repository; undefined if only git can tell.
 */
export async function currentBranch(
  folder: string,
): Promise<string | null | undefined> {
  try {
    return await readBranch(folder);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}

async function readBranch(folder: string): Promise<string | null | undefined> {
  for (let at = folder;; at = folderOf(at)) {
    const gitDir = await gitDirOf(at);
    const head = gitDir === null ? null : await readIfFile(`${gitDir}/HEAD`);
    if (head !== null) {
      const [, branch] = BRANCH_REGEXP.exec(head.trimEnd()) ?? [];
      if (branch === NOT_HERE || await isLink(`${gitDir}/HEAD`)) {
        return undefined;
      }
      return branch ?? null;
    }
    if (folderOf(at) === at) return null;
  }
}

/** Where git keeps what it knows of a checkout: a folder in it, or elsewhere, as a file there says. */
async function gitDirOf(folder: string): Promise<string | null> {
  const path = `${folder}/.git`;
  try {
    if ((await Deno.stat(path)).isDirectory) return path;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
  const text = await readIfFile(path);
  const [, target] = /^gitdir: (.+)$/.exec(text?.trimEnd() ?? "") ?? [];
  return target === undefined ? null : resolvePath(folder, target);
}

async function readIfFile(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

/** As very old versions of git have it. */
async function isLink(path: string): Promise<boolean> {
  return (await Deno.lstat(path)).isSymlink;
}

function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.IsADirectory;
}
