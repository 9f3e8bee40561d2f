/**
 * Lines at the bottom of the terminal that are drawn again and again, then taken away.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";

/** Pause between two drawings. */
export const FRAME_MS = 100;

/** What a live block needs. */
export interface LiveBlockOptions {
  /** The lines as they are now; none wider than the terminal. */
  readonly render: () => readonly string[];
  /** Lines that stay, above the block: those since it was last asked. */
  readonly above?: () => readonly string[];
  /** Writes to the terminal. */
  readonly write: (text: string) => Promise<void>;
  readonly clock: Clock;
}

/**
 * Draws a block while work is done, and removes it however the work ends. The work's result or error is passed on.
 */
export async function withLiveBlock<T>(
  options: LiveBlockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const drawing = draw(options, over.signal);
  try {
    return await work();
  } finally {
    over.abort();
    await drawing;
  }
}

async function draw(
  { render, above, write, clock }: LiveBlockOptions,
  signal: AbortSignal,
): Promise<void> {
  let height = 0;
  try {
    while (!signal.aborted) {
      // Most actions are over before anything needs to be shown.
      await clock.sleep(FRAME_MS, signal);
      const lines = render();
      await write(erase(height) + textOf(above?.()) + textOf(lines));
      height = lines.length;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const rest = erase(height) + textOf(above?.());
  if (rest !== "") await write(rest);
}

function textOf(lines: readonly string[] = []): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** Up to the first line of the block, and nothing below it. */
function erase(height: number): string {
  return height === 0 ? "" : `\x1b[${height}A\r\x1b[J`;
}
