/**
 * Ends the daemon and waits until its process is gone.
 *
 * @module
 */

import { type Client, connect } from "../client/client.ts";
import { isLockHeld } from "../client/lock_probe.ts";
import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import { DeadlineError, settledWithin, withDeadline } from "../kit/deadline.ts";
import type { Context } from "./context.ts";
import { findOrReviveDaemon } from "./daemon_access.ts";

/** Pause between two looks whether it is gone. */
const POLL_MS = 20;

/** How the daemon is ended. */
export interface StopOptions {
  /** Leave tasks to the next daemon. */
  readonly keepTasks: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A daemon that is gone. */
export interface StoppedDaemon {
  readonly pid: number;
  /** What it stopped first, in that order. */
  readonly tasks: readonly string[];
}

/**
 * Ends the daemon, whichever protocol it speaks. It is asked, never killed.
 *
 * @returns Null if none was running.
 * @throws {TaskmuxError} E602 if it is still there after the time; it goes on stopping then.
 */
export async function stopDaemon(
  context: Context,
  { keepTasks, timeoutMs, signal }: StopOptions,
): Promise<StoppedDaemon | null> {
  const { paths } = context;
  await using client = await connect(paths.daemonSocket, {
    signal,
    anyProtocol: true,
  }) ?? await reviveDaemon(context, { keepTasks, timeoutMs, signal });
  if (client === null) return null;
  const { pid } = client.hello;
  const deadline = { clock: systemClock, ms: timeoutMs, signal };
  try {
    return await withDeadline(deadline, async (signal) => {
      const tasks = await askToStop(client, keepTasks, signal);
      // It answers before it ends; the end of the connection and the lock tell when it has.
      await settledWithin(client.closed(), { ...deadline, signal });
      while (await isLockHeld(paths.daemonLock)) {
        await systemClock.sleep(POLL_MS, signal);
      }
      return { pid, tasks };
    });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new TaskmuxError(
      "E602",
      `Cannot stop daemon within ${timeoutMs / 1000} s: it is still stopping`,
      {
        hint: "taskmux daemon stop --timeout 300",
        details: { pid },
        cause: error,
      },
    );
  }
}

/** Tasks that a crashed daemon left behind can only be stopped by another one. */
async function reviveDaemon(
  context: Context,
  { keepTasks, timeoutMs, signal }: StopOptions,
): Promise<Client | null> {
  const deadline = systemClock.monotonic() + timeoutMs;
  const starting = await connectWhenUp(context, deadline, signal);
  if (starting !== null || keepTasks) return starting;
  return await findOrReviveDaemon(context, signal);
}

/** A daemon that has its lock but not yet its socket is coming up, and is waited for. Null if there is none. */
async function connectWhenUp(
  { paths }: Context,
  deadline: number,
  signal: AbortSignal,
): Promise<Client | null> {
  while (
    systemClock.monotonic() < deadline && await isLockHeld(paths.daemonLock)
  ) {
    const client = await connect(paths.daemonSocket, {
      signal,
      anyProtocol: true,
    });
    if (client !== null) return client;
    await systemClock.sleep(POLL_MS, signal);
  }
  return null;
}

/** What it stopped; nothing if it was gone before it could tell. */
async function askToStop(
  client: Client,
  keepTasks: boolean,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const params = { keep_tasks: keepTasks };
  try {
    return (await client.call("daemon.stop", params, { signal })).stopped;
  } catch (error) {
    // Whether it ends is seen by its lock.
    if (error instanceof TaskmuxError && error.code === "E600") return [];
    throw error;
  }
}
