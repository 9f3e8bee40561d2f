/**
 * The output of one run on its way from the terminal: into the replay ring, the log file, and past those who wait for a
 * line.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { ByteRing } from "../kit/ring.ts";
import { Timer } from "../kit/timer.ts";
import { LineAssembler } from "../logs/line_assembler.ts";
import { findLine, LineMatcher, plainLinesOf } from "./line_matcher.ts";
import type { LogHold } from "./log_files.ts";

/** Raw output kept for replay. */
export const RING_BYTES = 64 * 1024;

/** Lines kept of a run that ended. */
export const TAIL_LINES = 20;

/** Finished lines wait at most this long for others to be written with them. */
const COALESCE_MS = 5;

/** An unfinished line is written after this much silence. */
const SILENCE_MS = 1_000;

/** Some output. */
export interface OutputPiece {
  readonly data: string;
  /** Position behind it. */
  readonly next: number;
  /** Bytes before it that are lost. */
  readonly dropped: number;
  /** Whether no output will follow. */
  readonly isWhole: boolean;
}

/** See the module. */
export class RunOutput {
  readonly #clock: Clock;
  readonly #log: LogHold;
  readonly #ring = new ByteRing(RING_BYTES);
  readonly #matcher = new LineMatcher();
  readonly #assembler = new LineAssembler((lines) => this.#onLines(lines));
  /** Armed for a while after each write: what arrives meanwhile waits for its end. */
  readonly #pause = new Timer(() => this.#onPauseOver());
  readonly #silence = new Timer(() => this.#onSilence());
  #arrivedAt = 0;
  #isDirty = false;
  #isFinished = false;
  /** Fulfilled by the next output or the end; null while nobody waits for it. */
  #news: PromiseWithResolvers<void> | null = null;

  /** @param log Is disposed when the output has ended. */
  constructor(log: LogHold, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Takes what the terminal said. */
  push(chunk: Uint8Array): void {
    if (this.#isFinished) return;
    this.#arrivedAt = this.#clock.now();
    this.#ring.write(chunk);
    this.#assembler.push(chunk, this.#arrivedAt);
    this.#isDirty = true;
    this.#tell();
    if (!this.#pause.isArmed || this.#matcher.isWaiting) this.#write();
  }

  /** Writes all finished lines now. */
  flush(): void {
    if (!this.#isFinished) this.#write();
  }

  /** The output has ended: writes the rest, gives the log back, answers all who wait. */
  finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#assembler.finish(this.#clock.now());
    this.#pause.disarm();
    this.#silence.disarm();
    this.#log[Symbol.dispose]();
    this.#matcher.end();
    this.#tell();
  }

  /**
   * Raw output from a position on. Waits until there is some, or the output has ended.
   *
   * @throws The reason of the signal.
   */
  async read(from: number, signal: AbortSignal): Promise<OutputPiece> {
    while (true) {
      signal.throwIfAborted();
      const piece = this.#pieceFrom(from);
      if (piece.next > from || piece.isWhole) return piece;
      this.#news ??= Promise.withResolvers();
      const { promise } = this.#news;
      await untilAborted(promise, signal);
    }
  }

  #pieceFrom(from: number): OutputPiece {
    const bytes = this.#ring.since(from);
    const end = this.#ring.written;
    const torn = this.#isFinished ? 0 : tornBytes(bytes);
    return {
      data: new TextDecoder().decode(bytes.subarray(0, bytes.length - torn)),
      next: end - torn,
      dropped: Math.max(0, end - bytes.length - from),
      isWhole: this.#isFinished,
    };
  }

  #tell(): void {
    this.#news?.resolve();
    this.#news = null;
  }

  /** The last raw output. Bytes that are not UTF-8, such as half a character at the beginning, are replaced. */
  replay(): string {
    return new TextDecoder().decode(this.#ring.snapshot());
  }

  /** The last lines as plain text. */
  tail(): string[] {
    return this.#ringLines(true).slice(-TAIL_LINES);
  }

  /** Whether no further wait is taken. */
  get isCrowded(): boolean {
    return this.#matcher.isFull;
  }

  /**
   * The first line in the ring that matches, or the next one to come; null when the output ends without one.
   *
   * @throws {Refusal} `invalid` if the expression might never end.
   * @throws The reason of the signal.
   */
  async waitForLine(
    pattern: RegExp,
    signal: AbortSignal,
  ): Promise<string | null> {
    // What the log takes for a line, this takes for one too: an unfinished one counts once there was silence.
    this.flush();
    const isWhole = this.#isFinished || !this.#assembler.hasUnfinished;
    const said = findLine(this.#ringLines(isWhole), pattern);
    if (said !== undefined) return said;
    return this.#isFinished ? null : await this.#matcher.next(pattern, signal);
  }

  /** @param isWhole Whether the unfinished rest counts as a line. */
  #ringLines(isWhole: boolean): string[] {
    const lines: string[] = [];
    const assembler = new LineAssembler((finished) => {
      lines.push(...plainLinesOf(finished));
    });
    assembler.push(this.#ring.snapshot(), 0);
    if (isWhole) assembler.finish(0);
    else assembler.drain();
    // The first one may have lost its beginning.
    if (this.#ring.hasDropped) lines.shift();
    return lines;
  }

  #write(): void {
    this.#isDirty = false;
    this.#assembler.drain();
    this.#pause.arm(COALESCE_MS);
    if (this.#assembler.hasUnfinished) this.#silence.arm(SILENCE_MS);
  }

  #onLines(lines: Uint8Array): void {
    this.#log.write(lines);
    if (this.#matcher.isWaiting) this.#matcher.offer(plainLinesOf(lines));
  }

  #onPauseOver(): void {
    if (this.#isDirty) this.#write();
  }

  #onSilence(): void {
    // Wall time, which the push needs anyway and which is cheaper to ask for; a jump only makes this wait longer.
    const quietMs = this.#clock.now() - this.#arrivedAt;
    if (quietMs >= 0 && quietMs < SILENCE_MS) {
      this.#silence.arm(SILENCE_MS - quietMs);
      return;
    }
    this.#assembler.finishLine(this.#clock.now());
    this.#write();
  }
}

/** Bytes at the end that are the beginning of a character of UTF-8 whose rest has not come yet. */
function tornBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}

/** Waits for a promise that may outlive the wait. */
async function untilAborted(
  promise: Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
