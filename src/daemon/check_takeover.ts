/**
 * Whether a daemon of this version can go on where another one has been: before that one ends, or anything is changed.
 *
 * @module
 */

import { loadHostConfig } from "../config/host_config.ts";
import type { Paths } from "../config/paths.ts";
import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import { settledWithin } from "../kit/deadline.ts";
import {
  type GreetedKeeper,
  isSilence,
  KeeperClient,
} from "../pty/keeper_client.ts";
import { readStateText } from "../store/state_file.ts";
import { parseRegistry } from "../store/registry_file.ts";
import { Store } from "../store/store.ts";
import { requireAccess } from "./state_access.ts";

/** How long a keeper may take to end its runs and itself: SIGTERM, 3 s, SIGKILL, 5 s, and the end of their output. */
const KEEPER_END_MS = 30_000;

/** Tasks that an error names. */
const TASKS_TOLD_MAX = 10;

/**
 * Checks that state, settings and keeper are of a kind that this version can use. Changes nothing, unless it is told to.
 *
 * @param options `replaceKeeper`: a keeper that it cannot talk to is ended, which ends its tasks first. `isQuestion`:
 * there is a daemon which goes on, so that a keeper that stands still is a reason; otherwise it is waited for later.
 * @returns Whether a keeper was ended.
 * @throws {TaskmuxError} E601 for a newer state or a keeper of another protocol (`details.obstacle` is `keeper` then);
 * E600 for one that does not answer; E900 for files that must not be used; E10x for settings that cannot be read; E900 if the keeper does not end.
 */
export async function checkTakeover(
  paths: Paths,
  options: {
    readonly replaceKeeper?: boolean;
    readonly isQuestion?: boolean;
  } = {},
): Promise<boolean> {
  if (options.isQuestion === true) await requireAccess(paths);
  await loadHostConfig(paths.hostConfig);
  await refuseNewerRegistry(paths);
  const tasks = tasksOf(paths);
  using keeper = await greetKeeper(paths, options);
  if (keeper === null || keeper.isCompatible) return false;
  if (options.replaceKeeper !== true) throw namingTasks(keeper.mismatch, tasks);
  await endKeeper(keeper);
  return true;
}

/** A damaged one is moved aside, and told, by whoever opens it. */
async function refuseNewerRegistry({ registry }: Paths): Promise<void> {
  const text = await readStateText(registry);
  if (typeof text === "string") parseRegistry(text);
}

/** Tasks that may live. What is damaged is dealt with when it is opened. */
function tasksOf(paths: Paths): string[] {
  try {
    using store = Store.openReadOnly(paths);
    return store?.runs.live().map((run) => `${run.session}/${run.task}`) ?? [];
  } catch (error) {
    if (error instanceof TaskmuxError && error.code !== "E601") return [];
    throw error;
  }
}

/** Null if there is none, or it is just going. */
async function greetKeeper(
  paths: Paths,
  { isQuestion = false }: { readonly isQuestion?: boolean },
): Promise<GreetedKeeper | null> {
  try {
    return await KeeperClient.greet(paths.keeperSocket);
  } catch (error) {
    if (isQuestion && isSilence(error)) throw error;
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.ConnectionRefused ||
      error instanceof Deno.errors.ConnectionReset ||
      (error instanceof TaskmuxError && error.code === "E600")
    ) return null;
    throw error;
  }
}

function namingTasks(
  error: TaskmuxError,
  tasks: readonly string[],
): TaskmuxError {
  const told = tasks.slice(0, TASKS_TOLD_MAX).join(", ");
  const more = tasks.length > TASKS_TOLD_MAX ? ", …" : "";
  const { message, hint, details } = error;
  return new TaskmuxError(
    error.code,
    tasks.length === 0 ? message : `${message}. It holds ${told}${more}`,
    {
      ...(hint === undefined ? {} : { hint }),
      details: { ...details, tasks: [...tasks] },
    },
  );
}

/** What every keeper understands: SIGTERM. It is connected, so its pid is its own. */
async function endKeeper(keeper: GreetedKeeper): Promise<void> {
  const { pid } = keeper.hello;
  Deno.kill(pid, "SIGTERM");
  const { signal } = new AbortController();
  const limit = { clock: systemClock, ms: KEEPER_END_MS, signal };
  if (await settledWithin(keeper.closed(), limit)) return;
  throw new TaskmuxError(
    "E900",
    `Cannot end the keeper of another version: pid ${pid} goes on`,
    { hint: `ps -fp ${pid}`, details: { pid } },
  );
}
