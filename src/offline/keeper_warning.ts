/**
 * What to tell when no daemon answers but tasks may still live.
 *
 * @module
 */

/** Why nothing is known to run. */
export const NO_DAEMON = "the daemon is not running";

/** A warning if a keeper is left: its tasks live although nothing watches over them. */
export function keeperWarnings(isKeeperAlive: boolean): string[] {
  return isKeeperAlive
    ? [
      "Tasks may still be running without a daemon to watch over them; " +
      '"taskmux daemon start" takes them over again',
    ]
    : [];
}

/** Why a task is not said to run whose end nobody saw. Null if its end was seen, or no keeper can hold it. */
export function unwatchedReason(
  run: { readonly pid: number; readonly exit: unknown } | undefined,
  isKeeperAlive: boolean,
): string | null {
  return isKeeperAlive && run !== undefined && run.exit === null
    ? `may still run as pid ${run.pid}, but ${NO_DAEMON}`
    : null;
}
