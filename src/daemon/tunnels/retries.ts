/**
 * When what failed is tried again.
 *
 * @module
 */

import type { Clock } from "../../kit/clock.ts";

/** Pause before the second attempt, doubled with each, up to the longest. */
const RETRY_MS = 5_000;
const MAX_RETRY_MS = 60_000;

interface Retry {
  /** What is tried. */
  readonly aim: string;
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly pauseMs: number;
}

/** Attempts by key. Another aim does not wait for the pause of the one before. */
export class Retries {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #retries = new Map<string, Retry>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Milliseconds until the next attempt is due; Infinity = none is, or it was told by {@linkcode isDue}. */
  get nextInMs(): number {
    const now = this.#clock.monotonic();
    return Math.min(
      Infinity,
      ...this.#retries.values().map(({ at }) => at - now).filter((ms) =>
        ms > 0
      ),
    );
  }

  /** Whether to try now. @param firstPauseMs Before the first attempt. */
  isDue(key: string, aim: string, firstPauseMs: number): boolean {
    const now = this.#clock.monotonic();
    const known = this.#retries.get(key);
    if (known?.aim === aim) return known.at <= now;
    if (firstPauseMs === 0) this.#retries.delete(key);
    else this.#set(key, aim, firstPauseMs);
    return firstPauseMs === 0;
  }

  /** It failed, and is due again after a longer pause. */
  failed(key: string, aim: string): void {
    const known = this.#retries.get(key);
    const pauseMs = known?.aim === aim ? known.pauseMs * 2 : RETRY_MS;
    this.#set(key, aim, Math.min(MAX_RETRY_MS, pauseMs));
  }

  /** It is not tried any more. */
  forget(key: string): void {
    this.#retries.delete(key);
  }

  #set(key: string, aim: string, pauseMs: number): void {
    const at = this.#clock.monotonic() + pauseMs;
    this.#retries.set(key, { aim, at, pauseMs });
  }
}
