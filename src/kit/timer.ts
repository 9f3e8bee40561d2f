/**
 * A one-shot timer that can be armed again, for mechanics such as coalescing. Waiting by policy goes through a Clock.
 *
 * @module
 */

/** Calls `fire` some time after it was armed. Armed once at a time; disposing disarms it. */
export class Timer implements Disposable {
  readonly #fire: () => void;
  #handle: ReturnType<typeof setTimeout> | null = null;

  constructor(fire: () => void) {
    this.#fire = fire;
  }

  /** Whether a call of `fire` is ahead. */
  get isArmed(): boolean {
    return this.#handle !== null;
  }

  /** Arms the timer. While it is armed this does nothing, so the first arming decides the time. */
  arm(ms: number): void {
    if (this.#handle !== null) return;
    this.#handle = setTimeout(() => {
      this.#handle = null;
      this.#fire();
    }, ms);
  }

  /** Takes back what {@linkcode arm} promised. */
  disarm(): void {
    if (this.#handle === null) return;
    clearTimeout(this.#handle);
    this.#handle = null;
  }

  [Symbol.dispose](): void {
    this.disarm();
  }
}
