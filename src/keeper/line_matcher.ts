/**
 * Waiting for a line of a run's output.
 *
 * @module
 */

import { TimeLimitError, withinTime } from "../kit/time_limit.ts";
import { STAMP_BYTES } from "../logs/line_assembler.ts";
import { plainLine } from "../logs/plain_line.ts";
import { Refusal } from "./refusal.ts";

/** Lines are cut at this many characters before they are matched. Bounds what a pattern can cost. */
export const MAX_MATCHED_LENGTH = 4 * 1024;

/** Most waits on one run. */
export const MAX_WAITS = 256;

/** How long an expression may look at a batch of lines. All tasks stand still meanwhile. */
const MATCH_LIMIT_MS = 250;

interface Wait {
  readonly pattern: RegExp;
  readonly resolve: (line: string | null) => void;
  readonly reject: (error: Refusal) => void;
}

/** The plain text of finished log lines, without their stamps. */
export function plainLinesOf(logLines: Uint8Array): string[] {
  const lines = new TextDecoder().decode(logLines).split("\n");
  lines.pop();
  return lines.map((line) =>
    plainLine(line.slice(STAMP_BYTES)).slice(0, MAX_MATCHED_LENGTH)
  );
}

/**
 * The first of the lines that matches.
 *
 * @throws {Refusal} `invalid` if the expression takes so long that it might never end.
 */
export function findLine(
  lines: readonly string[],
  pattern: RegExp,
): string | undefined {
  try {
    return withinTime(
      MATCH_LIMIT_MS,
      () => lines.find((line) => pattern.test(line)),
    );
  } catch (error) {
    if (!(error instanceof TimeLimitError)) throw error;
    throw new Refusal(
      "invalid",
      `Cannot look for a line that matches "${pattern.source}": it takes too long`,
    );
  }
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
    for (const wait of this.#waits) {
      try {
        const line = findLine(lines, wait.pattern);
        if (line === undefined) continue;
        wait.resolve(line);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        wait.reject(error);
      }
      this.#waits.delete(wait);
    }
  }

  /**
   * The next line that matches; null when the output ends before.
   *
   * @throws {Refusal} See {@linkcode findLine}.
   * @throws The reason of the signal.
   */
  async next(pattern: RegExp, signal: AbortSignal): Promise<string | null> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<string | null>();
    const wait: Wait = { pattern, resolve, reject };
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
