/**
 * Tells who was refused, so that a stranger can fill no log: so many lines each minute, and how many more there were.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";

/** Lines each minute. */
export const REFUSALS_PER_MINUTE = 6;

const MINUTE_MS = 60_000;

/** Most characters of what a stranger said. */
const MAX_QUOTE = 80;

/** What a log of refusals writes to. */
export interface RefusalLogOptions {
  readonly clock: Clock;
  log(message: string): void;
}

/** See the module. */
export class RefusalLog {
  readonly #options: RefusalLogOptions;
  #since = Number.NEGATIVE_INFINITY;
  #told = 0;
  #untold = 0;

  constructor(options: RefusalLogOptions) {
    this.#options = options;
  }

  /** Notes a refusal. What was left out in one minute is counted by the first line of a later one. */
  note(message: string): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#since >= MINUTE_MS) {
      this.#since = now;
      this.#told = 0;
    }
    if (this.#told === REFUSALS_PER_MINUTE) {
      this.#untold++;
      return;
    }
    this.#told++;
    const more = this.#untold === 0 ? "" : ` (and ${this.#untold} before)`;
    this.#untold = 0;
    this.#options.log(`${message}${more}`);
  }
}

/** What a stranger said, in quotes, short, on one line and without what a terminal would obey. */
export function quoted(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, "?");
  const cut = plain.length > MAX_QUOTE
    ? `${plain.slice(0, MAX_QUOTE)}…`
    : plain;
  return JSON.stringify(cut);
}
