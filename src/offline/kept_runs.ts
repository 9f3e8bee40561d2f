/**
 * What the keeper still holds when no daemon answers. It is asked, not guessed: a task that lives is not called stopped.
 *
 * @module
 */

import { isKeeperAlive } from "../client/lock_probe.ts";
import type { Paths } from "../config/paths.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { TaskSnapshot } from "../domain/task_view.ts";
import { KeeperClient } from "../pty/keeper_client.ts";
import type { KeeperRun } from "../pty/protocol.ts";
import type { RunRow } from "../store/run_table.ts";

/** Why nothing is known to run. */
export const NO_DAEMON = "the daemon is not running";

/** How long the keeper may take to answer. */
const ANSWER_TIMEOUT_MS = 2_000;

/** What can be known of the keeper's runs. */
export type KeptRuns =
  /** No keeper lives, so no task does. */
  | { readonly keeper: "none" }
  /** A keeper lives and does not answer. */
  | { readonly keeper: "silent" }
  | {
    readonly keeper: "present";
    readonly pid: number;
    /** By run id; those that ended too, as long as no daemon has been told. */
    readonly runs: ReadonlyMap<string, KeeperRun>;
  };

/** Asks the keeper for its runs, if one lives. Bounded, and starts nothing. */
export async function askKeeper(paths: Paths): Promise<KeptRuns> {
  const asked = await observeKeeper(paths, async (client, signal) => {
    const { runs } = await client.request("list", {}, { signal });
    return {
      keeper: "present",
      pid: client.hello.pid,
      runs: new Map(runs.map((run) => [run.runId, run])),
    } as const;
  });
  return typeof asked === "string" ? { keeper: asked } : asked;
}

/**
 * Asks the keeper something, if one lives. Bounded, and starts nothing.
 *
 * @returns The answer, or why there is none, as in {@linkcode KeptRuns}.
 */
export async function observeKeeper<T extends object>(
  paths: Paths,
  ask: (client: KeeperClient, signal: AbortSignal) => Promise<T>,
): Promise<T | "none" | "silent"> {
  if (!await isKeeperAlive(paths)) return "none";
  try {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    using client = await KeeperClient.observe(paths.keeperSocket, { signal });
    return await ask(client, signal);
  } catch (error) {
    if (isSilence(error)) return "silent";
    throw error;
  }
}

/** Another version of it, one that is stuck or just going away, or a CLI that was installed without this permission. */
function isSilence(error: unknown): boolean {
  return error instanceof TaskmuxError ||
    error instanceof Deno.errors.NotCapable ||
    error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.ConnectionRefused ||
    (error instanceof DOMException && error.name === "TimeoutError");
}

/** Number of the runs that live. */
export function livingRuns(kept: KeptRuns): number {
  if (kept.keeper !== "present") return 0;
  return kept.runs.values().filter((run) => run.ended === null)
    .toArray().length;
}

/** A warning if tasks live, or may live, with nobody to watch over them. */
export function keptWarnings(kept: KeptRuns): string[] {
  const remedy = '"taskmux daemon start" takes them over again';
  if (kept.keeper === "silent") {
    return [
      `Tasks may still be running without a daemon to watch over them; ${remedy}`,
    ];
  }
  const count = livingRuns(kept);
  if (count === 0) return [];
  const tasks = count === 1 ? "1 task runs" : `${count} tasks run`;
  return [`${tasks} without a daemon to watch over them; ${remedy}`];
}

/**
 * What the keeper adds to what was stored of a task whose end no daemon saw.
 *
 * @param run The last run of the task.
 */
export function keptSnapshot(
  run: RunRow | undefined,
  kept: KeptRuns,
): Partial<TaskSnapshot> {
  if (run === undefined || run.exit !== null || kept.keeper === "none") {
    return {};
  }
  if (kept.keeper === "silent") {
    return { reason: `may still run as pid ${run.pid}, but ${NO_DAEMON}` };
  }
  const held = kept.runs.get(run.runId);
  if (held === undefined) return {};
  if (held.ended !== null) {
    const { code, signal, at } = held.ended;
    return {
      state: "stopped",
      lastExit: { code, signal, at },
      reason: `ended by itself while ${NO_DAEMON}`,
    };
  }
  const { runId, pid, startTime, startedAt } = held;
  return {
    state: "running",
    run: { runId, pid, startTime, startedAt, port: run.port },
    reason: `nobody watches over it: ${NO_DAEMON}`,
  };
}
