/**
 * What to tell when no daemon answers but tasks may still live.
 *
 * @module
 */

import { isKeeperAlive } from "../client/lock_probe.ts";
import type { Paths } from "../config/paths.ts";

/** Why nothing is known to run. */
export const NO_DAEMON = "the daemon is not running";

/** A warning if a keeper is left: its tasks live although nothing watches over them. */
export async function keeperWarnings(paths: Paths): Promise<string[]> {
  return await isKeeperAlive(paths)
    ? [
      "Tasks may still be running without a daemon to watch over them; " +
      '"taskmux daemon start" takes them over again',
    ]
    : [];
}
