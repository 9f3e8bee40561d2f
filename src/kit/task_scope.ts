/**
 * Background work with an owner: nothing is fire-and-forget.
 *
 * @module
 */

/**
 * Owns concurrent work. Disposing aborts the signal and waits until everything has ended.
 * An error of the work goes to `onError`, except the signal's own reason.
 */
export class TaskScope implements AsyncDisposable {
  readonly #controller = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Aborts when the scope is disposed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts work. After disposal nothing is started. */
  run(work: (signal: AbortSignal) => Promise<void>): void {
    if (this.signal.aborted) return;
    const running = this.#guard(work);
    this.#running.add(running);
    running.then(() => this.#running.delete(running));
  }

  async #guard(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await work(this.signal);
    } catch (error) {
      if (!this.signal.aborted) this.#onError(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#controller.abort(new DOMException("Scope is closed", "AbortError"));
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
}
