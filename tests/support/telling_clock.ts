/**
 * A clock by which a test sees what it cannot await: that the code under test has come to a pause.
 *
 * @module
 */

import { type Clock, systemClock } from "../../src/kit/clock.ts";

/** The machine's time, telling of each pause when it begins. */
export function tellingClock(onPause: (ms: number) => void): Clock {
  return {
    ...systemClock,
    sleep: (ms, signal) => {
      onPause(ms);
      return systemClock.sleep(ms, signal);
    },
  };
}
