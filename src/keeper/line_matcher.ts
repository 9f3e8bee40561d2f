/**
 * Waiting for a line of a run's output.
 *
 * @module
 */

import { STAMP_BYTES } from "../logs/line_assembler.ts";
import { plainLine } from "../logs/plain_line.ts";

/** Lines are cut at this many characters before they are matched. Bounds what a pattern can cost. */
export const MAX_MATCHED_LENGTH = 4 * 1024;

/** Most waits on one run. */
export const MAX_WAITS = 256;

interface Wait {
  readonly pattern: RegExp;
  readonly resolve: (line: string | null) => void;
}

/** The plain text of finished log lines, without their stamps. */
export function plainLinesOf(logLines: Uint8Array): string[] {
  const lines = new TextDecoder().decode(logLines).split("\n");
  lines.pop();
  return lines.map((line) =>
    plainLine(line.slice(STAMP_BYTES)).slice(0, MAX_MATCHED_LENGTH)
  );
}

/** The waits on one run. */
export class LineMatcher {
  readonly #waits = new Set<Wait>();

  /** Whether anybody waits. While nobody does, lines need not be offered. */
  get isWaiting(): boolean {
    return this.#waits.size > 0;
  }

  /** Whether no further wait is taken. */
  get isFull(): boolean {
    return this.#waits.size >= MAX_WAITS;
  }

  /** Shows lines to all who wait. */
  offer(lines: readonly string[]): void {
    for (const line of lines) {
      for (const wait of this.#waits) {
        if (!wait.pattern.test(line)) continue;
        this.#waits.delete(wait);
        wait.resolve(line);
      }
    }
  }

  /**
   * The next line that matches; null when the output ends before.
   *
   * @throws The reason of the signal.
   */
  async next(pattern: RegExp, signal: AbortSignal): Promise<string | null> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<string | null>();
    const wait: Wait = { pattern, resolve };
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#waits.add(wait);
    try {
      return await promise;
    } finally {
      this.#waits.delete(wait);
      signal.removeEventListener("abort", abort);
    }
  }

  /** No line will come any more. */
  end(): void {
    for (const wait of this.#waits) wait.resolve(null);
    this.#waits.clear();
  }
}
