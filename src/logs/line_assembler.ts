/**
 * Turns the raw output of a terminal into finished log lines, `YYYY-MM-DDTHH:MM:SS.mmm text\n` in UTC.
 *
 * Escape sequences are kept; carriage-return redraws collapse to what stands at the end; output that is not UTF-8 is
 * repaired. It neither reads nor writes anything and has no timers: whoever owns it says what time it is and when there
 * was silence.
 *
 * This is the hot path of a log flood, so there is no work per line in JavaScript. Output of one millisecond is taken
 * together, and whole lines without surprises are stamped by one regular expression, which costs half of a loop over
 * bytes. Everything else, such as redraws, goes through that loop.
 *
 * @module
 */

import { MAX_LINE_BYTES } from "../domain/cut_secrets.ts";
import { Utf8Sanitizer } from "./utf8_sanitizer.ts";

/** Bytes of `YYYY-MM-DDTHH:MM:SS.mmm ` before the text of each line. */
export const STAMP_BYTES = 24;

/** Finished bytes that are handed over at once, without waiting for {@linkcode LineAssembler.drain}. */
export const BATCH_BYTES = 64 * 1024;

/** Most output that is taken together. Below {@linkcode MAX_LINE_BYTES}, so that no line in it is too long. */
const RAW_BYTES = 32 * 1024;

const FIRST_BUFFER_BYTES = 1024;

/** Below this the one loop over bytes is faster than strings. */
const FEW_BYTES = 512;

const LF = 10;
const CR = 13;

/** Assembles the lines of one stream. Holds at most {@linkcode MAX_LINE_BYTES} of unfinished text. */
export class LineAssembler {
  readonly #sink: (lines: Uint8Array) => void;
  readonly #sanitizer = new Utf8Sanitizer();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #encoder = new TextEncoder();
  readonly #stamp = new Uint8Array(STAMP_BYTES);
  #stampText = "";
  #stampedAt = NaN;
  /** Output of the moment `#stampedAt` that was not looked at yet. */
  #raw = new Uint8Array(0);
  #rawEnd = 0;
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

  /** Whether text waits for its newline, as of the last {@linkcode drain}. */
  get hasUnfinished(): boolean {
    return this.#end > this.#line + STAMP_BYTES;
  }

  /**
   * Takes output that arrived at one moment. Lines that it finishes carry this moment. They are handed over by
   * {@linkcode drain}, or before it when they are many.
   *
   * @param at Wall time in milliseconds.
   */
  push(chunk: Uint8Array, at: number): void {
    if (
      at !== this.#stampedAt || this.#rawEnd + chunk.length > RAW_BYTES
    ) this.#digest();
    this.#stampAs(at);
    let rest = chunk;
    for (; rest.length > RAW_BYTES; rest = rest.subarray(RAW_BYTES)) {
      this.#take(rest.subarray(0, RAW_BYTES));
    }
    this.#keepRaw(rest);
  }

  /** Hands over all finished lines. */
  drain(): void {
    this.#digest();
    this.#handOver();
  }

  /** Makes a line of the unfinished text, if there is any, because nothing followed it for a while. Drain it after. */
  finishLine(at: number): void {
    this.#digest();
    this.#stampAs(at);
    this.#returned = false;
    if (!this.hasUnfinished) return;
    this.#ensure(1);
    this.#endLine();
    this.#continues = true;
  }

  /** Ends the stream: the rest becomes a line, and everything is handed over. */
  finish(at: number): void {
    this.#digest();
    this.#stampAs(at);
    this.#takeBytes(this.#sanitizer.finish());
    this.finishLine(at);
    this.drain();
  }

  #keepRaw(bytes: Uint8Array): void {
    const end = this.#rawEnd + bytes.length;
    if (end > this.#raw.length) {
      const larger = new Uint8Array(
        Math.min(RAW_BYTES, Math.max(end, this.#raw.length * 2)),
      );
      larger.set(this.#raw.subarray(0, this.#rawEnd));
      this.#raw = larger;
    }
    this.#raw.set(bytes, this.#rawEnd);
    this.#rawEnd = end;
  }

  #digest(): void {
    if (this.#rawEnd === 0) return;
    const raw = this.#raw.subarray(0, this.#rawEnd);
    this.#rawEnd = 0;
    this.#take(raw);
  }

  /** The lines that begin and end within the bytes are taken together if possible, the two ends one by one. */
  #take(bytes: Uint8Array): void {
    const first = bytes.length < FEW_BYTES ? -1 : bytes.indexOf(LF) + 1;
    const last = bytes.lastIndexOf(LF) + 1;
    if (first <= 0 || last - first < FEW_BYTES) {
      this.#takeBytes(this.#sanitizer.push(bytes));
      return;
    }
    this.#takeBytes(this.#sanitizer.push(bytes.subarray(0, first)));
    const lines = bytes.subarray(first, last);
    if (!this.#takeLines(lines)) {
      this.#takeBytes(this.#sanitizer.push(lines));
    }
    this.#takeBytes(this.#sanitizer.push(bytes.subarray(last)));
  }

  /**
   * Takes whole lines at once. The line before them is finished.
   *
   * @returns False, having done nothing, if there is anything in them but text and newlines.
   */
  #takeLines(bytes: Uint8Array): boolean {
    const text = this.#decoder.decode(bytes);
    if (text.includes("\ufffd") || text.includes("\0")) return false;
    const stamped = text.replace(/\r*\n/g, `\n${this.#stampText}`);
    if (stamped.includes("\r")) return false;
    // The stamp of the first line is missing in front, and there is one too many at the end.
    const { length } = stamped;
    this.#ensure(length);
    let written = this.#encoder.encodeInto(stamped, this.#room());
    if (written.read < length) {
      // Not only ASCII.
      this.#ensure(length * 3);
      written = this.#encoder.encodeInto(stamped, this.#room());
    }
    this.#buffer.set(this.#stamp, this.#line);
    this.#end += written.written;
    this.#line = this.#end - STAMP_BYTES;
    if (this.#line >= BATCH_BYTES) this.#handOver();
    return true;
  }

  #room(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#end);
  }

  #handOver(): void {
    if (this.#line === 0) return;
    this.#sink(this.#buffer.subarray(0, this.#line));
    this.#buffer.copyWithin(0, this.#line, this.#end);
    this.#end -= this.#line;
    this.#line = 0;
  }

  /** Takes clean bytes, whatever is in them. */
  #takeBytes(bytes: Uint8Array): void {
    const { length } = bytes;
    let index = 0;
    while (index < length) {
      index = this.#takeText(bytes, index);
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
  #takeText(bytes: Uint8Array, from: number): number {
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
    if (this.#line >= BATCH_BYTES) this.#handOver();
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
    this.#stampText = this.#decoder.decode(this.#stamp);
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
