/**
 * Asks git questions that change nothing.
 *
 * Never trusts the environment about repositories: a command that runs inside a git hook carries the repository of that
 * hook.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { type CommandOutcome, runCommand } from "../kit/run_command.ts";

/** Longest time for one question to git. A network file system may take for ever. */
const GIT_TIMEOUT_MS = 2_000;

const GIT_KILL_GRACE_MS = 200;
const GIT_OUTPUT_BYTES = 64 * 1024;

/** What asking needs. */
export interface GitOptions {
  /** Where git is looked for (`PATH`) and finds its settings (`HOME`). */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Largest answer; 64 KiB by default. Of a larger one the end is kept. */
  readonly outputLimitBytes?: number;
}

/** One question, bounded in time. */
export function askGit(
  folder: string,
  args: readonly string[],
  options: GitOptions,
): Promise<CommandOutcome> {
  const { env, clock, signal } = options;
  return runCommand({
    // The owner of the folder does not matter: none of these questions runs anything the repository configures.
    argv: ["git", "-c", "safe.directory=*", ...args],
    cwd: folder,
    env: withoutRepository(env),
    timeoutMs: GIT_TIMEOUT_MS,
    killGraceMs: GIT_KILL_GRACE_MS,
    outputLimitBytes: options.outputLimitBytes ?? GIT_OUTPUT_BYTES,
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
