/**
 * Turns: what is done about one carrier is done one after the other, about different ones side by side. Whoever closes
 * something does not wait behind who opens: that one is interrupted, and begins anew afterwards.
 *
 * @module
 */

/** Why a turn was cut short: somebody closes what goes through the same carrier. */
export class Interruption extends Error {
  override readonly name = "Interruption";
}

/** See the module. */
export class Turns {
  /** Resolves when nothing is queued any more. Never rejects. */
  readonly #tails = new Map<string, Promise<void>>();
  readonly #current = new Map<string, AbortController>();

  /**
   * Does work when everything that was queued before it is over. Work that was interrupted is done again, from its
   * beginning, behind what is queued by then.
   *
   * @param work Gets a signal that aborts with `signal`, or with an {@linkcode Interruption}; it must then end soon.
   * @throws The reason of `signal`, and what the work throws unless it was interrupted.
   */
  async take<T>(
    key: string,
    signal: AbortSignal,
    work: (turn: AbortSignal) => Promise<T>,
  ): Promise<T> {
    while (true) {
      const outcome = await this.#once(key, signal, work);
      if (outcome !== null) return outcome.value;
    }
  }

  /** Cuts short what is being done about a carrier now. */
  interrupt(key: string): void {
    this.#current.get(key)?.abort(
      new Interruption("Something is closed meanwhile"),
    );
  }

  /** Resolves when everything that is queued now is over. */
  async over(): Promise<void> {
    await Promise.all(this.#tails.values());
  }

  /** @returns Null if it was interrupted. */
  async #once<T>(
    key: string,
    signal: AbortSignal,
    work: (turn: AbortSignal) => Promise<T>,
  ): Promise<{ readonly value: T } | null> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#tails.get(key) ?? Promise.resolve();
    const tail = before.then(() => promise);
    this.#tails.set(key, tail);
    const current = new AbortController();
    try {
      await before;
      signal.throwIfAborted();
      this.#current.set(key, current);
      return { value: await work(AbortSignal.any([signal, current.signal])) };
    } catch (error) {
      if (!current.signal.aborted || signal.aborted) throw error;
      return null;
    } finally {
      if (this.#current.get(key) === current) this.#current.delete(key);
      resolve();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}
