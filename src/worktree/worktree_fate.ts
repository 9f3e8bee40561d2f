/**
 * What became of a linked worktree whose files are gone.
 *
 * Reads what git has written down about it instead of asking git: that takes microseconds, and works where git does not.
 * The files are those of gitrepository-layout(5): `worktrees/ID/gitdir` and `worktrees/ID/locked`.
 *
 * @module
 */

import { folderOf, resolvePath } from "../kit/path.ts";

/** A linked worktree as it was when it was seen last. */
export interface WorktreePlace {
  /** Absolute folder of the checkout. */
  readonly path: string;
  /** Where git keeps what it knows of this checkout. */
  readonly gitDir: string;
  /** Where git keeps what all checkouts of the repository share. */
  readonly commonDir: string;
  /** Device of the file system that the checkout is on. */
  readonly device: number;
}

/** What became of it. */
export type WorktreeFate =
  /** It is there: only some of its files are not. */
  | { readonly kind: "present" }
  /** `git worktree move` put it there. */
  | { readonly kind: "moved"; readonly path: string }
  /** By `git worktree remove`, or its folder was deleted. */
  | { readonly kind: "removed" }
  /** It may come back: its file system or its repository is out of reach, or git was told to keep it (`lock`). */
  | { readonly kind: "out_of_reach" };

/** What is to be kept of a worktree for {@linkcode worktreeFate}; null if it cannot be seen. */
export async function placeOf(
  where: Omit<WorktreePlace, "device">,
): Promise<WorktreePlace | null> {
  const info = await infoOf(where.path);
  const { path, gitDir, commonDir } = where;
  return info === null ? null : { path, gitDir, commonDir, device: info.dev };
}

/**
 * What became of a worktree. Some system calls.
 *
 * Only what is certain is told as `removed`: a folder that is missing while the file system it was on is missing too, is
 * out of reach.
 */
export async function worktreeFate(
  place: WorktreePlace,
): Promise<WorktreeFate> {
  try {
    return await findFate(place);
  } catch (error) {
    // What may not be looked at is not proven gone.
    if (error instanceof Deno.errors.PermissionDenied) {
      return { kind: "out_of_reach" };
    }
    throw error;
  }
}

async function findFate(place: WorktreePlace): Promise<WorktreeFate> {
  const { path, gitDir, commonDir } = place;
  if (await infoOf(commonDir) === null) return { kind: "out_of_reach" };
  if (await infoOf(gitDir) === null) {
    // Removed and added again, git may know it by another folder.
    return { kind: await isCheckout(path) ? "present" : "removed" };
  }
  const link = await readLink(gitDir);
  if (link === null) return { kind: "out_of_reach" };
  const now = folderOf(link);
  const isThere = await infoOf(link) !== null;
  if (now !== path && (!isThere || await realPath(now) !== path)) {
    return isThere ? { kind: "moved", path: now } : { kind: "out_of_reach" };
  }
  if (isThere) return { kind: "present" };
  const isLocked = await infoOf(`${gitDir}/locked`) !== null;
  return isLocked || await deviceAbove(path) !== place.device
    ? { kind: "out_of_reach" }
    : { kind: "removed" };
}

/** Whether the folder is a checkout of a repository that is there. */
async function isCheckout(path: string): Promise<boolean> {
  const text = await readText(`${path}/.git`);
  const target = text?.match(/^gitdir: (.*)$/m)?.[1];
  return target !== undefined &&
    await infoOf(resolvePath(path, target)) !== null;
}

/** Where git believes the `.git` file of the checkout to be. */
async function readLink(gitDir: string): Promise<string | null> {
  const link = (await readText(`${gitDir}/gitdir`))?.replace(/\n$/, "") ?? "";
  return link === "" ? null : resolvePath(gitDir, link);
}

async function readText(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (isOutOfSight(error)) return null;
    throw error;
  }
}

/** The device of a folder, or of the nearest one above it that is there. */
async function deviceAbove(path: string): Promise<number | null> {
  for (let at = path;; at = folderOf(at)) {
    const info = await infoOf(at);
    if (info !== null) return info.dev;
    if (folderOf(at) === at) return null;
  }
}

async function realPath(path: string): Promise<string | null> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (isOutOfSight(error)) return null;
    throw error;
  }
}

async function infoOf(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (isOutOfSight(error)) return null;
    throw error;
  }
}

function isOutOfSight(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.FilesystemLoop;
}
