/**
 * The last bytes of a stream, in bounded memory that grows only as far as it is used.
 *
 * Knows nothing of lines or characters: what it hands out may begin in the middle of either.
 *
 * @module
 */

/** First allocation. Most streams never say more. */
const FIRST_BYTES = 4 * 1024;

/** Keeps the last `limit` bytes written to it. */
export class ByteRing {
  readonly #limit: number;
  #bytes = new Uint8Array(0);
  /** Where the next byte goes once the ring is full; until then the number of bytes held. */
  #next = 0;
  #full = false;
  #written = 0;

  /** @param limit Bytes kept, 1 or more. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes held now. */
  get length(): number {
    return this.#full ? this.#limit : this.#next;
  }

  /** Whether older bytes were dropped, so that the content may begin in the middle of something. */
  get hasDropped(): boolean {
    return this.#written > this.length;
  }

  /** Bytes ever written: the position behind the last one. */
  get written(): number {
    return this.#written;
  }

  /** Appends bytes; the oldest make room. Copies, so the caller may reuse its buffer. */
  write(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const limit = this.#limit;
    this.#written += chunk.length;
    if (chunk.length >= limit) {
      this.#grow(limit);
      this.#bytes.set(chunk.subarray(chunk.length - limit));
      this.#next = 0;
      this.#full = true;
      return;
    }
    if (!this.#full) {
      const room = limit - this.#next;
      this.#grow(Math.min(limit, this.#next + chunk.length));
      if (chunk.length < room) {
        this.#bytes.set(chunk, this.#next);
        this.#next += chunk.length;
        return;
      }
      this.#bytes.set(chunk.subarray(0, room), this.#next);
      this.#full = true;
      this.#next = 0;
      chunk = chunk.subarray(room);
      if (chunk.length === 0) return;
    }
    const first = Math.min(chunk.length, limit - this.#next);
    this.#bytes.set(chunk.subarray(0, first), this.#next);
    this.#bytes.set(chunk.subarray(first), 0);
    this.#next = (this.#next + chunk.length) % limit;
  }

  /** A copy of the content, oldest byte first. */
  snapshot(): Uint8Array<ArrayBuffer> {
    if (!this.#full) return this.#bytes.slice(0, this.#next);
    const whole = new Uint8Array(this.#limit);
    whole.set(this.#bytes.subarray(this.#next));
    whole.set(this.#bytes.subarray(0, this.#next), this.#limit - this.#next);
    return whole;
  }

  /**
   * A copy of what was written from a position on, as far as it is still there.
   *
   * @param position Bytes written before it.
   */
  since(position: number): Uint8Array<ArrayBuffer> {
    const wanted = Math.max(0, this.#written - position);
    const held = this.snapshot();
    return held.subarray(Math.max(0, held.length - wanted));
  }

  #grow(needed: number): void {
    if (needed <= this.#bytes.length) return;
    let size = Math.max(FIRST_BYTES, this.#bytes.length);
    while (size < needed) size *= 2;
    const larger = new Uint8Array(Math.min(size, this.#limit));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
