/**
 * Giving way: work that never waits for anything still has to let others have their turn.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Calls `next` in a later turn of the event loop, after timers and input that are due. Costs about 10 µs. */
export function inLaterTurn(next: () => void): void {
  setImmediate(next);
}
