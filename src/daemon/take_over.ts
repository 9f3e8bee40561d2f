/**
 * A daemon that a service manager starts takes the place of one that was started by hand: tasks run on, and from then on
 * the service manager is told the truth.
 *
 * @module
 */

import { type Client, connect } from "../client/client.ts";
import type { Paths } from "../config/paths.ts";
import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import { type Claim, claimStateFolder } from "./state_folder.ts";

/** How long the other one may take to end. */
const TAKE_OVER_MS = 60_000;

/** Pause between two looks whether it has. */
const POLL_MS = 50;

/**
 * Claims the state folder, from another daemon if need be.
 *
 * @returns Null if that one is run by a service manager, too.
 * @throws {TaskmuxError} E602 if it does not end in time; E900 as `claimStateFolder` does.
 */
export async function takeOver(paths: Paths): Promise<Claim | null> {
  const deadline = systemClock.monotonic() + TAKE_OVER_MS;
  while (true) {
    const claim = await claimStateFolder(paths, { isService: true });
    if (claim !== null) return claim;
    if (systemClock.monotonic() >= deadline) {
      throw new TaskmuxError(
        "E602",
        "Cannot take over from the running daemon: it does not end",
        { hint: "taskmux daemon stop" },
      );
    }
    await using other = await connect(paths.daemonSocket, {
      anyProtocol: true,
      signal: AbortSignal.timeout(TAKE_OVER_MS),
    });
    if (other !== null && !await askToLeave(other)) return null;
    await systemClock.sleep(POLL_MS);
  }
}

/** @returns False if it stays. */
async function askToLeave(other: Client): Promise<boolean> {
  const signal = AbortSignal.timeout(TAKE_OVER_MS);
  try {
    const { managed } = await other.call("daemon.ping", {}, { signal });
    // One of a version without services does not tell.
    if (managed === true) return false;
    await other.call("daemon.stop", { keep_tasks: true }, { signal });
  } catch (error) {
    // It ends already.
    if (!(error instanceof TaskmuxError)) throw error;
  }
  return true;
}
