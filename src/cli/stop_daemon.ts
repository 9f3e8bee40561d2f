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
 * Ends the daemon, whichever protocol it speaks. It is asked, never killed. One that dies while it takes tasks down is
 * started again to finish that.
 *
 * @returns Null if none was running.
 * @throws {TaskmuxError} E602 if it is still there after the time; it goes on stopping then. E900 if it is gone, and
 * something of its tasks may still run.
 */
export async function stopDaemon(
  context: Context,
  options: StopOptions,
): Promise<StoppedDaemon | null> {
  const { timeoutMs, signal } = options;
  const limit = { clock: systemClock, ms: timeoutMs, signal };
  let pid: number | null = null;
  try {
    return await withDeadline(limit, async (limited) => {
      const tasks: string[] = [];
      while (true) {
        await using client = await reach(context, options, limited);
        if (client === null) break;
        pid = client.hello.pid;
        const stopped = await askToStop(client, options.keepTasks, limited);
        // It answers before it ends; the end of the connection tells when it has, unless it is stuck.
        await settledWithin(client.closed(), { ...limit, signal: limited });
        await untilGone(context, pid, limited);
        if (stopped instanceof TaskmuxError) throw stopped;
        tasks.push(...stopped ?? []);
        if (stopped !== null || options.keepTasks) break;
      }
      return pid === null ? null : { pid, tasks };
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

/** The daemon to be stopped. Tasks that a crashed one left behind can only be stopped by another one. */
async function reach(
  context: Context,
  { keepTasks }: StopOptions,
  signal: AbortSignal,
): Promise<Client | null> {
  const { daemonSocket, home } = context.paths;
  const present =
    await connect(daemonSocket, { signal, home, anyProtocol: true }) ??
      await connectWhenUp(context, signal);
  if (present !== null || keepTasks) return present;
  // To end all tasks includes those of a keeper to which this version cannot talk.
  return await findOrReviveDaemon(context, signal, ["--replace-keeper"]);
}

/** Resolves when that daemon has ended: nobody has its lock, or its successor listens. */
async function untilGone(
  { paths }: Context,
  pid: number,
  signal: AbortSignal,
): Promise<void> {
  while (await isLockHeld(paths.daemonLock)) {
    await using other = await connect(paths.daemonSocket, {
      signal,
      home: paths.home,
      anyProtocol: true,
    });
    if (other !== null && other.hello.pid !== pid) return;
    await systemClock.sleep(POLL_MS, signal);
  }
}

/** A daemon that has its lock but not yet its socket is coming up, and is waited for. Null if there is none. */
async function connectWhenUp(
  { paths }: Context,
  signal: AbortSignal,
): Promise<Client | null> {
  while (await isLockHeld(paths.daemonLock)) {
    const client = await connect(paths.daemonSocket, {
      signal,
      home: paths.home,
      anyProtocol: true,
    });
    if (client !== null) return client;
    await systemClock.sleep(POLL_MS, signal);
  }
  return null;
}

/** What it stopped; null if it was gone before it could tell; or why something of it may still run although it ends. */
async function askToStop(
  client: Client,
  keepTasks: boolean,
  signal: AbortSignal,
): Promise<readonly string[] | TaskmuxError | null> {
  const params = { keep_tasks: keepTasks };
  try {
    const answer = await client.call("daemon.stop", params, { signal });
    // The answer of another version is not promised to be like ours.
    return answer.stopped ?? [];
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    if (error.code === "E600") return null;
    if (error.details?.["left"] !== undefined) return error;
    throw error;
  }
}
