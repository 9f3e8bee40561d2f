/**
 * Time as a dependency, so that waiting code can be driven by a test.
 *
 * @module
 */

/** A source of time. Wall time is for people and files, monotonic time for durations. */
export interface Clock {
  /** Wall time in milliseconds since the Unix epoch. May jump. */
  now(): number;
  /** Milliseconds since an arbitrary start. Never goes back. */
  monotonic(): number;
  /**
   * Resolves after `ms` milliseconds; rejects with the signal's reason as soon as it aborts.
   *
   * @param ms Milliseconds to wait, 0 or more.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal?.aborted) return Promise.reject(signal.reason);
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    function abort(): void {
      clearTimeout(timer);
      reject(signal?.reason);
    }
    signal?.addEventListener("abort", abort, { once: true });
    return promise;
  },
};

/**
 * The machine's time for the CLI's fast path. `setTimeout` makes Deno load Node's timers, a third of the start-up of an
 * empty program; a wait on memory that nobody changes costs nothing. It does not keep the process alive by itself, so
 * it serves only to bound a wait for something that does, such as a socket.
 */
export const lightClock: Clock = {
  ...systemClock,
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const waiting = Atomics.waitAsync(cell, 0, 0, ms);
    const wake = (): void => {
      Atomics.notify(cell, 0);
    };
    signal?.addEventListener("abort", wake, { once: true });
    await waiting.value;
    signal?.removeEventListener("abort", wake);
    signal?.throwIfAborted();
  },
};
