/**
 * How far a long search is, on the terminal of whoever waits for it.
 *
 * @module
 */

import { type Clock, systemClock } from "../kit/clock.ts";
import type { Output } from "./output.ts";

/** How long nothing may come before the meter shows. */
const QUIET_MS = 1000;

/** Pause between two drawings. */
const FRAME_MS = 200;

/** Takes away the line with the cursor. */
const ERASE = "\r\x1b[K";

/** Bytes that were looked through, of how many. */
export interface Searched {
  readonly readBytes: number;
  readonly totalBytes: number;
}

/** The meter. Shows only where both streams are a terminal. Dispose it to take it away. */
export class SearchMeter implements AsyncDisposable {
  readonly #output: Output;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  readonly #drawing: Promise<void>;
  #searched: Searched | null = null;
  #quietSince: number;
  #isShown = false;

  constructor(output: Output, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
    this.#quietSince = clock.monotonic();
    const isSeen = output.isTerminal && output.isLive;
    if (!isSeen) this.#over.abort();
    this.#drawing = this.#draw(this.#over.signal);
  }

  /** Notes how far the search is. */
  update(searched: Searched): void {
    this.#searched = searched;
  }

  /** Takes it away until nothing has come for a while again. Before lines are printed. */
  async hide(): Promise<void> {
    this.#quietSince = this.#clock.monotonic();
    if (!this.#isShown) return;
    this.#isShown = false;
    await this.#output.raw(ERASE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#drawing;
    await this.hide();
  }

  async #draw(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.#clock.sleep(FRAME_MS, signal);
        const quietMs = this.#clock.monotonic() - this.#quietSince;
        if (quietMs < QUIET_MS || this.#searched === null) continue;
        this.#isShown = true;
        const { readBytes, totalBytes } = this.#searched;
        await this.#output.raw(
          `${ERASE}searched ${megabytes(readBytes)} of ${
            megabytes(totalBytes)
          } MB`,
        );
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/**
 * Searches with a meter. On a terminal Ctrl-C ends the search and takes the meter away; a second one ends the process.
 *
 * @returns Null after Ctrl-C.
 */
export async function withSearchMeter<T>(
  output: Output,
  search: (meter: SearchMeter, signal: AbortSignal) => Promise<T>,
): Promise<T | null> {
  await using meter = new SearchMeter(output, systemClock);
  const interrupted = new AbortController();
  const interrupt = (): void => {
    // Another one ends the process.
    Deno.removeSignalListener("SIGINT", interrupt);
    interrupted.abort();
  };
  // Elsewhere nothing has to be tidied up.
  if (output.isTerminal) Deno.addSignalListener("SIGINT", interrupt);
  try {
    return await search(meter, interrupted.signal);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    return null;
  } finally {
    if (output.isTerminal) Deno.removeSignalListener("SIGINT", interrupt);
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0);
}
