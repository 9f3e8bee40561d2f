/**
 * A clock for code that waits between attempts: its pauses cost no time, and the test sees which there were.
 *
 * @module
 */

import { type Clock, systemClock } from "../../src/kit/clock.ts";

/** See the module. */
export interface HastyClock extends Clock {
  /** Lengths of the pauses so far, in milliseconds. */
  readonly pauses: readonly number[];
}

/**
 * Time goes on by the pauses only.
 *
 * @param patienceMs Pauses of this length or more are limits, not waits: they last as long as they say.
 */
export function hastyClock(patienceMs = 10_000): HastyClock {
  const pauses: number[] = [];
  const passed = (): number => pauses.reduce((sum, ms) => sum + ms, 0);
  return {
    pauses,
    now: () => systemClock.now() + passed(),
    monotonic: () => systemClock.monotonic() + passed(),
    sleep: async (ms, signal) => {
      if (ms >= patienceMs) return await systemClock.sleep(ms, signal);
      pauses.push(ms);
      await systemClock.sleep(0, signal);
    },
  };
}
