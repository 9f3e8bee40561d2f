/**
 * Questions that take their time, asked of one daemon after the other: the end of a daemon is not the end of a wait.
 *
 * @module
 */

import type { Client } from "../client/client.ts";
import type { CallName, ParamsInput, Result } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import type { Context } from "./context.ts";
import { findDaemon, needDaemon } from "./daemon_access.ts";
import type { OnProgress } from "./live_view.ts";

/** Pause between two looks for the next daemon. */
const POLL_MS = 100;

/** How long somebody else, such as `daemon restart`, has to start the next daemon. */
const REVIVE_AFTER_MS = 1_000;

/** How long a daemon may take to answer beyond the time that it was given. */
const ANSWER_GRACE_MS = 2_000;

/** A question whose answer is waited for. It must do no harm when it is put twice. */
export interface PatientCall<N extends CallName> {
  readonly name: N;
  /** The parameters, after so many seconds of waiting. */
  readonly params: (waitedS: number) => ParamsInput<N>;
  readonly timeoutS: number;
  /** What is waited for, as an error says it: "healthy". */
  readonly what: string;
  readonly signal: AbortSignal;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * Asks a daemon, which is started if there is none. If it ends meanwhile, the next one is asked: the one that somebody
 * starts, or one that is started here if tasks live on without a daemon.
 *
 * @throws {TaskmuxError} What the daemon answers; E602 if nobody answers in time; E600 if the daemon was stopped with its
 * tasks, so that there is nothing to wait for.
 */
export async function callPatiently<N extends CallName>(
  context: Context,
  call: PatientCall<N>,
): Promise<Result<N>> {
  const began = systemClock.monotonic();
  const late = AbortSignal.timeout(call.timeoutS * 1000 + ANSWER_GRACE_MS);
  const signal = AbortSignal.any([call.signal, late]);
  const waitedS = (): number => (systemClock.monotonic() - began) / 1000;
  const { name, params, onProgress } = call;
  try {
    let client = await needDaemon(context, signal);
    while (true) {
      let lost: unknown;
      try {
        return await client.call(name, params(waitedS()), {
          signal,
          onProgress,
        });
      } catch (error) {
        if (!isLost(error)) throw error;
        lost = error;
      } finally {
        await client.close();
      }
      const { pid } = client.hello;
      client = await nextDaemon(context, { pid, error: lost, signal });
      if (waitedS() >= call.timeoutS) throw unanswered(call);
    }
  } catch (error) {
    if (late.aborted && error === late.reason) throw unanswered(call);
    throw error;
  }
}

function isLost(error: unknown): boolean {
  return error instanceof TaskmuxError && error.code === "E600";
}

function unanswered<N extends CallName>(
  { what, timeoutS }: PatientCall<N>,
): TaskmuxError {
  return new TaskmuxError(
    "E602",
    `Not ${what} after ${timeoutS} s: the daemon does not answer`,
    { hint: "taskmux daemon status", details: { for: what } },
  );
}

/** The daemon that was asked, and how it answered. */
interface LostDaemon {
  readonly pid: number;
  readonly error: unknown;
  readonly signal: AbortSignal;
}

/**
 * The next daemon.
 *
 * @throws The error of the one before, if that one goes on; E600 if it is gone with its keeper.
 */
async function nextDaemon(
  context: Context,
  { pid, error, signal }: LostDaemon,
): Promise<Client> {
  const since = systemClock.monotonic();
  while (true) {
    signal.throwIfAborted();
    const isLong = systemClock.monotonic() - since >= REVIVE_AFTER_MS;
    const client = await lookFor(context);
    if (client !== null) {
      if (client.hello.pid !== pid) return client;
      await client.close();
      // It lives: what it said was not about its end.
      if (isLong) throw error;
    } else if (isLong && !await isEnding(context)) {
      return await revive(context, signal);
    }
    await systemClock.sleep(POLL_MS, signal);
  }
}

/** Null also for one that is so busy, or so near its end, that it does not say who it is. */
async function lookFor(context: Context): Promise<Client | null> {
  try {
    return await findDaemon(context);
  } catch (error) {
    if (isLost(error)) return null;
    throw error;
  }
}

/** Whether the daemon still has something to do before it is gone, such as ending its keeper. */
async function isEnding({ paths }: Context): Promise<boolean> {
  const { isLockHeld } = await import("../client/lock_probe.ts");
  return await isLockHeld(paths.daemonLock);
}

async function revive(context: Context, signal: AbortSignal): Promise<Client> {
  const { isKeeperAlive } = await import("../client/lock_probe.ts");
  if (await isKeeperAlive(context.paths)) {
    return await needDaemon(context, signal);
  }
  throw new TaskmuxError(
    "E600",
    "Cannot wait any longer: the daemon was stopped, and its tasks with it",
    { hint: "taskmux start" },
  );
}
