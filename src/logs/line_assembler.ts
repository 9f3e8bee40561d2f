/**
 * Turns the raw output of a terminal into finished log lines, `YYYY-MM-DDTHH:MM:SS.mmm text\n` in UTC.
 *
 * Works on bytes in one pass and builds no string per line: this is the hot path of a log flood. Escape sequences are
 * kept; carriage-return redraws collapse to what stands at the end; output that is not UTF-8 is repaired. It neither
 * reads nor writes anything and has no timers: whoever owns it says what time it is and when there was silence.
 *
 * @module
 */

import { Utf8Sanitizer } from "./utf8_sanitizer.ts";

/** Bytes of `YYYY-MM-DDTHH:MM:SS.mmm ` before the text of each line. */
export const STAMP_BYTES = 24;

/** Longest text of one line in bytes. Longer ones are split between two characters. */
export const MAX_LINE_BYTES = 64 * 1024;

/** Finished bytes that are handed over at once, without waiting for {@linkcode LineAssembler.drain}. */
export const BATCH_BYTES = 64 * 1024;

const FIRST_BUFFER_BYTES = 1024;
const LF = 10;
const CR = 13;

/** Assembles the lines of one stream. Holds at most {@linkcode MAX_LINE_BYTES} of unfinished text. */
export class LineAssembler {
  readonly #sink: (lines: Uint8Array) => void;
  readonly #sanitizer = new Utf8Sanitizer();
  readonly #stamp = new Uint8Array(STAMP_BYTES);
  #stampedAt = NaN;
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  /** Where the unfinished line begins, its stamp included. All before it is finished. */
  #line = 0;
  /** Where the next byte of text goes. */
  #end = STAMP_BYTES;
  /** Whether the last byte was a carriage return whose meaning the next byte decides. */
  #returned = false;
  /** Whether the text so far was already handed over as a line, so that a bare newline adds nothing. */
  #continues = false;

  /** @param sink Gets finished lines in order. The bytes are valid only during the call. */
  constructor(sink: (lines: Uint8Array) => void) {
    this.#sink = sink;
  }

  /** Whether text waits for its newline. */
  get hasUnfinished(): boolean {
    return this.#end > this.#line + STAMP_BYTES;
  }

  /** Whether finished lines wait to be handed over. */
  get hasFinished(): boolean {
    return this.#line > 0;
  }

  /**
   * Takes output that arrived at one moment. Lines that it finishes carry this moment.
   *
   * @param at Wall time in milliseconds.
   */
  push(chunk: Uint8Array, at: number): void {
    this.#stampAs(at);
    this.#consume(this.#sanitizer.push(chunk));
  }

  /** Hands over all finished lines. */
  drain(): void {
    if (this.#line === 0) return;
    this.#sink(this.#buffer.subarray(0, this.#line));
    this.#buffer.copyWithin(0, this.#line, this.#end);
    this.#end -= this.#line;
    this.#line = 0;
  }

  /** Makes a line of the unfinished text, if there is any, because nothing followed it for a while. Drain it after. */
  finishLine(at: number): void {
    this.#stampAs(at);
    this.#returned = false;
    if (!this.hasUnfinished) return;
    this.#ensure(1);
    this.#endLine();
    this.#continues = true;
  }

  /** Ends the stream: the rest becomes a line, and everything is handed over. */
  finish(at: number): void {
    this.#stampAs(at);
    this.#consume(this.#sanitizer.finish());
    this.finishLine(at);
    this.drain();
  }

  #consume(bytes: Uint8Array): void {
    const { length } = bytes;
    let index = 0;
    while (index < length) {
      index = this.#consumeText(bytes, index);
      if (index === length) return;
      const byte = bytes[index]!;
      if (byte === LF) {
        this.#returned = false;
        this.#endOrSkipLine();
        index++;
      } else if (byte === CR) {
        this.#returned = true;
        index++;
      } else this.#split(byte);
    }
  }

  /**
   * Takes text up to the next LF or CR, or until the line is full.
   *
   * @returns The index of the first byte not taken.
   */
  #consumeText(bytes: Uint8Array, from: number): number {
    const { length } = bytes;
    this.#ensure(length - from + 1);
    // Locals, because a field access per byte makes this loop four times slower.
    const buffer = this.#buffer;
    const start = this.#line + STAMP_BYTES;
    const limit = start + MAX_LINE_BYTES;
    let end = this.#end;
    let index = from;
    if (this.#returned) {
      const byte = bytes[index]!;
      if (byte === LF || byte === CR) return index;
      // What follows is drawn over what stands there.
      this.#returned = false;
      end = start;
    }
    for (; index < length && end < limit; index++) {
      const byte = bytes[index]!;
      if (byte === LF || byte === CR) break;
      buffer[end++] = byte;
    }
    this.#end = end;
    return index;
  }

  /** A bare newline after text that was handed over already finishes that line, it is no empty line of its own. */
  #endOrSkipLine(): void {
    if (this.#continues && !this.hasUnfinished) this.#continues = false;
    else this.#endLine();
  }

  #endLine(): void {
    this.#buffer.set(this.#stamp, this.#line);
    this.#buffer[this.#end] = LF;
    this.#line = this.#end + 1;
    this.#end = this.#line + STAMP_BYTES;
    this.#continues = false;
    if (this.#line >= BATCH_BYTES) this.drain();
  }

  /** Ends a line that is full, but not inside the character to which the next byte belongs. */
  #split(next: number): void {
    let cut = this.#end;
    if (isContinuation(next)) {
      do cut--; while (isContinuation(this.#buffer[cut]!));
    }
    const carried = this.#buffer.slice(cut, this.#end);
    this.#end = cut;
    this.#ensure(1);
    this.#endLine();
    this.#continues = true;
    this.#ensure(carried.length);
    this.#buffer.set(carried, this.#end);
    this.#end += carried.length;
  }

  /** Makes room for this many bytes after the unfinished text, plus the stamp of a line after it. */
  #ensure(count: number): void {
    const needed = this.#end + count + STAMP_BYTES;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#end));
    this.#buffer = larger;
  }

  #stampAs(at: number): void {
    if (at === this.#stampedAt) return;
    this.#stampedAt = at;
    writeStamp(this.#stamp, at);
  }
}

/**
 * Writes the stamp of a moment, {@linkcode STAMP_BYTES} long, at the beginning of `target`.
 *
 * @param at Wall time in milliseconds, within the years 0 to 9999.
 */
export function writeStamp(target: Uint8Array, at: number): void {
  const text = new Date(at).toISOString();
  for (let index = 0; index < STAMP_BYTES - 1; index++) {
    target[index] = text.charCodeAt(index);
  }
  target[STAMP_BYTES - 1] = 32;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
