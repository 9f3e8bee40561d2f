/**
 * Asks git for all checkouts of a repository.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { GitWorktree } from "../domain/worktree_list.ts";
import { askGit, type GitOptions } from "./git.ts";

/** A few thousand worktrees. */
const MAX_LIST_BYTES = 1024 * 1024;

/** Exit status of git for an option that it does not know, such as `-z` before 2.36. */
const GIT_USAGE = 129;

/**
 * All checkouts of the repository that a folder is in, the primary one first. One question to git, seldom two.
 *
 * @returns Null if there is no repository or no git; `"unknown"` if git did not answer in time or was ended.
 */
export async function listWorktrees(
  folder: string,
  options: GitOptions,
): Promise<readonly GitWorktree[] | "unknown" | null> {
  const bounded = { ...options, outputLimitBytes: MAX_LIST_BYTES };
  const args = ["worktree", "list", "--porcelain"];
  const answer = await askGit(folder, [...args, "-z"], bounded);
  const isOld = answer.kind === "exited" && answer.code === GIT_USAGE;
  const { outcome, end } = isOld
    ? { outcome: await askGit(folder, args, bounded), end: "\n" }
    : { outcome: answer, end: "\0" };
  if (outcome.kind === "timed_out") return "unknown";
  if (outcome.kind === "not_started") return null;
  if (outcome.signal !== null) return "unknown";
  return outcome.code === 0 ? parseWorktrees(outcome.output, end) : null;
}

/**
 * As {@linkcode listWorktrees}.
 *
 * @throws {TaskmuxError} E730 if there is no repository, or git does not tell.
 */
export async function requireWorktrees(
  folder: string,
  options: GitOptions,
): Promise<readonly GitWorktree[]> {
  const found = await listWorktrees(folder, options);
  if (found !== null && found !== "unknown") return found;
  const state = found === null
    ? "it is in no git repository"
    : "git does not answer";
  throw new TaskmuxError(
    "E730",
    `Cannot list the worktrees of "${folder}": ${state}`,
    {
      hint: found === null ? "taskmux daemon list" : "git worktree list",
      details: { path: folder },
    },
  );
}

/** @param end What each line ends with; an empty line ends a checkout. */
function parseWorktrees(output: string, end: string): GitWorktree[] {
  return output.split(end + end).flatMap((block, index) => {
    const facts = new Map(
      block.split(end).map((line) => {
        const [name = "", ...words] = line.split(" ");
        return [name, words.join(" ")] as const;
      }),
    );
    const path = facts.get("worktree");
    if (path === undefined || path === "") return [];
    return [{
      path,
      branch: facts.get("branch")?.replace(/^refs\/heads\//, "") ?? null,
      isPrimary: index === 0,
      isBare: facts.has("bare"),
      isLocked: facts.has("locked"),
      isPrunable: facts.has("prunable"),
    }];
  });
}
