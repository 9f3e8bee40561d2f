/**
 * Asks git which checkout a folder is in.
 *
 * Reads only. Never trusts the environment about repositories: a command that runs inside a git hook carries the
 * repository of that hook.
 *
 * @module
 */

import type { Checkout } from "../domain/worktree_id.ts";
import { baseName, folderOf, resolvePath } from "../kit/path.ts";
import type { Clock } from "../kit/clock.ts";
import { type CommandOutcome, runCommand } from "../kit/run_command.ts";

/** Longest time for one question to git. A network file system may take for ever. */
const GIT_TIMEOUT_MS = 2_000;

const GIT_KILL_GRACE_MS = 200;
const GIT_OUTPUT_BYTES = 64 * 1024;

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

/** What asking needs. */
export interface GitOptions {
  /** Where git is looked for (`PATH`) and finds its settings (`HOME`). */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
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
    git(folder, PLACES, options),
    git(folder, ["symbolic-ref", "--quiet", "--short", "HEAD"], options),
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
  const head = await git(folder, ["rev-parse", "--short", "HEAD"], options);
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

function git(
  folder: string,
  args: readonly string[],
  { env, clock, signal }: GitOptions,
): Promise<CommandOutcome> {
  return runCommand({
    // The owner of the folder does not matter: none of these questions runs anything the repository configures.
    argv: ["git", "-c", "safe.directory=*", ...args],
    cwd: folder,
    env: withoutRepository(env),
    timeoutMs: GIT_TIMEOUT_MS,
    killGraceMs: GIT_KILL_GRACE_MS,
    outputLimitBytes: GIT_OUTPUT_BYTES,
    stderr: "discard",
    leftovers: "leave",
    clock,
    signal,
  });
}

function withoutRepository(
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith("GIT_"));
  return { ...Object.fromEntries(kept), LC_ALL: "C", GIT_OPTIONAL_LOCKS: "0" };
}
