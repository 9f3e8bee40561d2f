/**
 * Bounds for waits: work that must end by a time, and promises that are waited for no longer than a time.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/** Which time ends a wait, and what cancels it before. */
export interface Deadline {
  readonly clock: Clock;
  /** Milliseconds from now. */
  readonly ms: number;
  /** Cancels the wait; its reason is what the waiter gets to see. */
  readonly signal: AbortSignal;
}

/** The time was over before the work was done. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/**
 * Runs work that ends by a deadline.
 *
 * The work gets a signal that aborts when the time is over or the caller's signal aborts. It must then end soon: this
 * function waits for it.
 *
 * @throws {DeadlineError} If the time was over first.
 * @throws The reason of the caller's signal, if that was first.
 */
export async function withDeadline<T>(
  deadline: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  deadline.signal.throwIfAborted();
  const scope = new AbortController();
  const timer = new AbortController();
  const cancel = () => scope.abort(deadline.signal.reason);
  deadline.signal.addEventListener("abort", cancel, { once: true });
  const ticking = deadline.clock.sleep(deadline.ms, timer.signal).then(
    () => scope.abort(new DeadlineError("The time is over")),
    () => {},
  );
  try {
    return await work(scope.signal);
  } catch (error) {
    scope.signal.throwIfAborted();
    throw error;
  } finally {
    deadline.signal.removeEventListener("abort", cancel);
    timer.abort();
    await ticking;
  }
}

/**
 * Waits for a promise, but no longer than the deadline. The promise itself goes on.
 *
 * @returns Whether it was fulfilled in time. A rejection in time is passed on.
 * @throws The reason of the signal, if that aborted first.
 */
export async function settledWithin(
  promise: Promise<unknown>,
  deadline: Deadline,
): Promise<boolean> {
  try {
    await withDeadline(
      deadline,
      (signal) => Promise.race([promise, rejectedOnAbort(signal)]),
    );
    return true;
  } catch (error) {
    if (error instanceof DeadlineError) return false;
    throw error;
  }
}

/** Never fulfilled; rejects with the signal's reason when it aborts. Only for signals that live as briefly as the wait. */
function rejectedOnAbort(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  else {
    signal.addEventListener("abort", () => reject(signal.reason), {
      once: true,
    });
  }
  return promise;
}
