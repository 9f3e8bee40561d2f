/**
 * Asks git which checkout a folder is in.
 *
 * @module
 */

import type { Checkout } from "../domain/worktree_id.ts";
import { baseName, folderOf, resolvePath } from "../kit/path.ts";
import { askGit, type GitOptions } from "./git.ts";

/** Exit status of git when it can or will not work with the folder. */
const GIT_FATAL = 128;

/** A checkout and the repository it belongs to. */
export interface GitCheckout extends Checkout {
  /** The checkout that the repository was cloned or initialised in; the repository itself when that is bare. */
  readonly primaryPath: string;
  /** Where git keeps what it knows of this checkout; it stays when the checkout is moved. */
  readonly gitDir: string;
  /** Where git keeps what all checkouts of the repository share. */
  readonly commonDir: string;
}

/**
 * The checkout a folder is in. Two questions to git, at most three, each bounded.
 *
 * @returns Null if there is no repository or no git; `"unknown"` if git did not answer in time or was ended.
 */
export async function readCheckout(
  folder: string,
  options: GitOptions,
): Promise<GitCheckout | "unknown" | null> {
  const [places, symbolic] = await Promise.all([
    askGit(folder, PLACES, options),
    askGit(folder, ["symbolic-ref", "--quiet", "--short", "HEAD"], options),
  ]);
  if (places.kind === "not_started") return null;
  if (places.kind === "timed_out" || symbolic.kind !== "exited") {
    return "unknown";
  }
  if (places.code !== 0) {
    return places.code === GIT_FATAL && !await isInRepository(folder)
      ? null
      : "unknown";
  }
  const [gitDir, commonDir, path] = places.output.split("\n");
  if (!gitDir || !commonDir || !path) return null;
  const common = resolvePath(folder, commonDir);
  const own = resolvePath(folder, gitDir);
  const isLinked = own !== common;
  return {
    gitDir: own,
    commonDir: common,
    isLinked,
    branch: symbolic.code === 0 ? symbolic.output.trimEnd() : null,
    path,
    head: isLinked ? await readHead(folder, options) : null,
    primaryPath: !isLinked
      ? path
      : baseName(common) === ".git"
      ? folderOf(common)
      : common,
  };
}

const PLACES = [
  "rev-parse",
  "--git-dir",
  "--git-common-dir",
  "--show-toplevel",
] as const;

async function readHead(
  folder: string,
  options: GitOptions,
): Promise<string | null> {
  const head = await askGit(folder, ["rev-parse", "--short", "HEAD"], options);
  return head.kind === "exited" && head.code === 0
    ? head.output.trimEnd()
    : null;
}

/** Whether git refused although there is a repository, such as one it does not trust or cannot read. */
async function isInRepository(folder: string): Promise<boolean> {
  for (let at = folder;; at = folderOf(at)) {
    try {
      await Deno.lstat(`${at}/.git`);
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    if (folderOf(at) === at) return false;
  }
}
