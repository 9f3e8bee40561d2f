/**
 * Whether a process of ours lives, told by the lock it holds for its whole life: the kernel releases it however the
 * process ends, so that neither a stale socket nor a reused pid can lie.
 *
 * @module
 */

import type { Paths } from "../config/paths.ts";
import { kindOf } from "../kit/set_aside.ts";

/**
 * Whether somebody holds the lock of a file. Takes the lock for a moment if not, so it must not be asked while a process
 * that wants the lock may be starting.
 *
 * @returns False too if there is no such file.
 */
export async function isLockHeld(path: string): Promise<boolean> {
  try {
    // To open a pipe would wait for its other end.
    if (!(await Deno.stat(path)).isFile) return false;
    using file = await Deno.open(path, { read: true });
    const free = await file.tryLock(false);
    if (free) await file.unlock();
    return !free;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Whether a keeper lives, which may hold tasks although no daemon does. Connects to nothing.
 *
 * The socket is looked at first: it appears after the lock was taken, so that a keeper that is just starting is never
 * disturbed.
 */
export async function isKeeperAlive(paths: Paths): Promise<boolean> {
  try {
    await Deno.lstat(paths.keeperSocket);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  // A keeper never removes its lock. Where somebody else has, only a daemon can find out.
  if (kindOf(paths.keeperLock) !== "file") return true;
  return await isLockHeld(paths.keeperLock);
}
