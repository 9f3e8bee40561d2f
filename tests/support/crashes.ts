/**
 * Killing our own processes, as a test of what comes after.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isRunning } from "./process_state.ts";
import type { TestProject } from "./project.ts";
import { killIfThere, type Taskmux } from "./taskmux.ts";
import { until } from "./until.ts";

/** Kills the daemon. Its keeper and the tasks live on. */
export async function killDaemon(taskmux: Taskmux): Promise<void> {
  const pid = await taskmux.daemonPid();
  assert(pid !== null);
  killIfThere(pid);
  await until(async () => !await isRunning(pid));
}

/** Pid of the keeper, once there is one. */
export async function keeperPid(taskmux: Taskmux): Promise<number> {
  return await until(async () => {
    const { keeper } = await taskmux.call("daemon.status", {});
    return keeper.pid;
  }, { what: "a keeper" });
}

/** Kills the keeper of a daemon that lives, and waits until that knows. Answers with the pid it had. */
export async function killKeeper(taskmux: Taskmux): Promise<number> {
  const pid = await keeperPid(taskmux);
  killIfThere(pid);
  await until(async () => {
    const { keeper } = await taskmux.call("daemon.status", {});
    return keeper.pid !== pid;
  });
  return pid;
}

/**
 * Kills the keeper and puts something in the place of its socket, so that no other one can listen there.
 *
 * @returns The path of the obstacle.
 */
export async function loseKeeper(
  taskmux: Taskmux,
  project: TestProject,
): Promise<string> {
  const { keeperSocket } = taskmux.home.paths;
  const keeper = await keeperPid(taskmux);
  await Deno.remove(keeperSocket);
  await Deno.mkdir(`${keeperSocket}/in/the/way`, { recursive: true });
  killIfThere(keeper);
  await until(async () => {
    const { warnings } = await project.status();
    return warnings.some((text) => text.startsWith("keeper: "));
  });
  return keeperSocket;
}
