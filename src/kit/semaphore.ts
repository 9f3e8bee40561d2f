/**
 * A limit on how much is done at the same time.
 *
 * @module
 */

/** Lets at most `limit` jobs run at once; the others wait in the order in which they came. */
export class Semaphore {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param limit At least 1. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Runs a job when it is its turn.
   *
   * @throws The reason of the signal, if it aborts before the job begins. What the job throws.
   */
  async run<T>(signal: AbortSignal, job: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limit) this.#running++;
    // Whoever ends passes its place on, so the count stays.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      signal.throwIfAborted();
      return await job();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
