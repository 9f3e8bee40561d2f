/**
 * A queue between a producer that must never wait and one consumer that may be slow.
 *
 * @module
 */

/** Stands, in order, for items that were dropped because the consumer was too slow. */
export interface Gap {
  /** How many items, at least 1. */
  readonly gap: number;
}

/**
 * A queue of at most `limit` items for one consumer. When it is full the oldest item goes, and the consumer is told how
 * many went before it gets the next one.
 */
export class BoundedQueue<T> {
  readonly #limit: number;
  /** A ring: the oldest item is at `#first`, `#count` items follow one another. */
  readonly #ring: (T | undefined)[] = [];
  #first = 0;
  #count = 0;
  #dropped = 0;
  #isClosed = false;
  #isConsumed = false;
  #wake: (() => void) | null = null;

  /** @param limit Most items held, at least 1. */
  constructor(limit: number) {
    if (!Number.isInteger(limit) || limit < 1) {
      throw new RangeError(
        `Cannot create queue: limit must be a positive integer, is ${limit}`,
      );
    }
    this.#limit = limit;
  }

  /** Items waiting for the consumer. */
  get size(): number {
    return this.#count;
  }

  /** Adds an item at the end; O(1), never waits. After {@linkcode close} the item is ignored. */
  push(item: T): void {
    if (this.#isClosed) return;
    if (this.#count === this.#limit) {
      this.#shift();
      this.#dropped++;
    }
    this.#ring[(this.#first + this.#count) % this.#limit] = item;
    this.#count++;
    this.#wake?.();
  }

  /** Lets the consumer have what is queued and then ends it. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  /**
   * The items in order, each once, with a {@linkcode Gap} where items were dropped.
   *
   * Ends when the queue is closed and empty, and at once, without an error, when the signal aborts. After that a new
   * iteration may start and goes on where this one ended.
   *
   * @throws {TypeError} If somebody is consuming already.
   */
  async *items(signal?: AbortSignal): AsyncGenerator<T | Gap, void, void> {
    if (this.#isConsumed) {
      throw new TypeError("Cannot consume queue: it has a consumer already");
    }
    this.#isConsumed = true;
    const wake = () => this.#wake?.();
    signal?.addEventListener("abort", wake);
    try {
      while (!signal?.aborted) {
        if (this.#dropped > 0) {
          const gap = this.#dropped;
          this.#dropped = 0;
          yield { gap };
        } else if (this.#count > 0) {
          yield this.#shift();
        } else if (this.#isClosed) {
          return;
        } else {
          await this.#pushed();
        }
      }
    } finally {
      signal?.removeEventListener("abort", wake);
      this.#isConsumed = false;
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<T | Gap, void, void> {
    return this.items();
  }

  /** Takes the oldest item; there must be one. */
  #shift(): T {
    const item = this.#ring[this.#first] as T;
    this.#ring[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#limit;
    this.#count--;
    return item;
  }

  /** Resolves at the next push, close or abort. */
  #pushed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = () => {
      this.#wake = null;
      resolve();
    };
    return promise;
  }
}
