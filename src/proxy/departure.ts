/**
 * That a client went away before its answer was complete.
 *
 * @module
 */

/** Most requests need no signal, and one costs more than the rest of their bookkeeping: it is made when asked for. */
export class Departure {
  #isGone = false;
  #controller: AbortController | null = null;
  #leave: (() => void) | null = null;

  /** Whether the client went away. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Aborts when the client goes away. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isGone) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Has this called when the client goes away, instead of what was to be called before; null = nothing. */
  onGone(leave: (() => void) | null): void {
    this.#leave = leave;
  }

  /** The client went away. */
  tell(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#controller?.abort();
    this.#leave?.();
  }
}
