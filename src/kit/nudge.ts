/**
 * Waiting that something else can cut short: a poll that reacts at once to what it knows, and soon to what it does not.
 *
 * @module
 */

/** Wakes everybody who waits. A nudge while nobody waits is lost, so look before waiting, in the same turn. */
export class Nudge {
  #waiting = Promise.withResolvers<void>();

  /** Wakes all who wait now. */
  nudge(): void {
    this.#waiting.resolve();
    this.#waiting = Promise.withResolvers<void>();
  }

  /** Resolves at the next nudge, or after `ms` milliseconds. */
  async wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([promise, this.#waiting.promise]);
    clearTimeout(timer);
  }
}
