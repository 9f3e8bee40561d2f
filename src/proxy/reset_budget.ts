/**
 * How many more streams a client may reset before Deno ends its HTTP/2 session.
 *
 * nghttp2 counts streams that clients reset (a guard against CVE-2023-44487): a bucket of 1,000 that gains 33 a second,
 * and GOAWAY when it is empty. Deno cannot set it. Chromium resets a stream with each 304, so that a page of 600 modules
 * fails when it is loaded twice. We count along, and have upstreams answer 200 in time (`docs/decisions/0026`).
 *
 * @module
 */

/** What nghttp2 allows at once. */
const CAPACITY = 1_000;

/** A little less than what nghttp2 adds. */
const TOKENS_PER_SECOND = 30;

/** Below this no more 304 is asked for. The rest is for requests that clients cancel. */
const RESERVE = 450;

/** The budget of one session. */
export class ResetBudget {
  readonly #now: () => number;
  #tokens = CAPACITY;
  #at: number;

  /** @param now Monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#at = now();
  }

  /** Whether an answer may be one that the client resets. */
  get allowsNotModified(): boolean {
    this.#refill();
    return this.#tokens >= RESERVE;
  }

  /** A stream was reset, or will be. */
  spend(): void {
    this.#refill();
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  #refill(): void {
    const now = this.#now();
    const gained = (now - this.#at) / 1_000 * TOKENS_PER_SECOND;
    this.#tokens = Math.min(CAPACITY, this.#tokens + gained);
    this.#at = now;
  }
}
