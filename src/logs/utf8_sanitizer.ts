/**
 * Makes any bytes valid UTF-8 without NUL, however the stream was cut into chunks.
 *
 * What is not UTF-8 becomes U+FFFD, as a terminal shows it. NUL becomes U+2400 "␀": visible, and tools that take NUL for
 * the mark of a binary file go on treating the log as text. Valid chunks pass without being copied.
 *
 * @module
 */

import { isUtf8 } from "node:buffer";

const NOTHING = new Uint8Array(0);

/** Stream of chunks in, stream of clean chunks out. Holds back at most three bytes. */
export class Utf8Sanitizer {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #encoder = new TextEncoder();
  /** The beginning of a character whose end has not come yet. */
  #torn: Uint8Array = NOTHING;

  /** The next clean bytes. May be the very chunk, a part of it, or nothing yet. */
  push(chunk: Uint8Array): Uint8Array {
    const bytes = this.#torn.length === 0 ? chunk : concat(this.#torn, chunk);
    const tornAt = incompleteTail(bytes);
    this.#torn = tornAt === bytes.length ? NOTHING : bytes.slice(tornAt);
    const whole = tornAt === bytes.length ? bytes : bytes.subarray(0, tornAt);
    return isUtf8(whole) && !whole.includes(0) ? whole : this.#repair(whole);
  }

  /** What was held back, repaired. Call it when the stream has ended. */
  finish(): Uint8Array {
    const rest = this.#torn;
    this.#torn = NOTHING;
    return rest.length === 0 ? NOTHING : this.#repair(rest);
  }

  #repair(bytes: Uint8Array): Uint8Array {
    const text = this.#decoder.decode(bytes);
    return this.#encoder.encode(text.replaceAll("\0", "\u2400"));
  }
}

/** Index at which a character begins that the end of the bytes cuts off; their length if there is none. */
function incompleteTail(bytes: Uint8Array): number {
  const { length } = bytes;
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = bytes[length - back] ?? 0;
    if (byte < 0x80) return length;
    if (byte >= 0xc0) {
      return sequenceLength(byte) > back ? length - back : length;
    }
  }
  return length;
}

/** Length of the character that a lead byte announces; 1 for bytes that lead nothing. */
function sequenceLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 1;
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
