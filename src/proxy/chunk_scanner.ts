/**
 * Finds the end of a chunked body (RFC 9112 §7.1) in bytes that pass, and what of them is to go on.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  endToEndHeaders,
  fieldsOf,
  type RawHeaders,
} from "./end_to_end_headers.ts";

/** Longest line that says how long a chunk is, its extensions included. */
const MAX_SIZE_LINE = 4_096;

/** Largest trailers. */
const MAX_TRAILERS = 64 * 1024;

const SIZE_REGEXP = /^([0-9a-f]{1,13})[ \t]*(;.*)?$/i;

const LF = 0x0a;

/** What became of some bytes. */
export interface Scanned {
  /** In order, to be sent on. */
  readonly parts: readonly Uint8Array[];
  /** Bytes that were looked at. Less than all there were = the body ended before the rest. */
  readonly length: number;
  readonly isOver: boolean;
}

/** See the module. Chunks go on as they are; extensions stay behind, trailers of one hop too. */
export class ChunkScanner {
  #state: "size" | "data" | "end_of_data" | "trailers" | "over" = "size";
  /** Bytes of the present chunk that have not come yet, the line end behind it included. */
  #missing = 0;
  /** The beginning of a line that has not come as a whole. */
  #line = "";

  /** @returns Null if it is no chunked body. */
  push(bytes: Uint8Array): Scanned | null {
    const parts: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length && this.#state !== "over") {
      const next = this.#state === "data"
        ? this.#takeData(bytes, at, parts)
        : this.#takeLine(bytes, at, parts);
      if (next === null) return null;
      at = next;
    }
    return { parts, length: at, isOver: this.#state === "over" };
  }

  #takeData(bytes: Uint8Array, at: number, parts: Uint8Array[]): number {
    const end = Math.min(bytes.length, at + this.#missing);
    parts.push(bytes.subarray(at, end));
    this.#missing -= end - at;
    if (this.#missing === 0) this.#state = "end_of_data";
    return end;
  }

  #takeLine(
    bytes: Uint8Array,
    at: number,
    parts: Uint8Array[],
  ): number | null {
    const lf = bytes.indexOf(LF, at);
    const end = lf === -1 ? bytes.length : lf + 1;
    this.#line += textOf(bytes.subarray(at, end));
    const limit = this.#state === "trailers" ? MAX_TRAILERS : MAX_SIZE_LINE;
    if (this.#line.length > limit) return null;
    if (lf === -1) return end;
    if (this.#state === "trailers") return this.#takeTrailers(parts, end);
    const line = this.#line;
    this.#line = "";
    if (!line.endsWith("\r\n")) return null;
    const text = line.slice(0, -2);
    if (this.#state === "end_of_data") {
      if (text !== "") return null;
      parts.push(CRLF);
      this.#state = "size";
      return end;
    }
    const size = SIZE_REGEXP.exec(text)?.[1];
    if (size === undefined) return null;
    this.#missing = Number.parseInt(size, 16);
    this.#state = this.#missing === 0 ? "trailers" : "data";
    // That of the last one goes with the trailers.
    if (this.#missing > 0) parts.push(bytesOf(`${size}\r\n`));
    return end;
  }

  /** Called at the end of each line of them. */
  #takeTrailers(parts: Uint8Array[], end: number): number | null {
    const text = this.#line;
    if (text !== "\r\n" && !text.endsWith("\r\n\r\n")) return end;
    const raw = readTrailers(text);
    if (raw === null) return null;
    let said = "0\r\n";
    for (const [name, value] of fieldsOf(endToEndHeaders(raw))) {
      said += `${name}: ${value}\r\n`;
    }
    parts.push(bytesOf(`${said}\r\n`));
    this.#state = "over";
    return end;
  }
}

const CRLF = new Uint8Array([0x0d, 0x0a]);

function readTrailers(text: string): RawHeaders | null {
  const raw: string[] = [];
  for (const line of text.split("\r\n")) {
    if (line === "") continue;
    const [, name, value] =
      /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/
        .exec(line) ?? [];
    if (name === undefined || value === undefined) return null;
    raw.push(name, value);
  }
  return raw;
}

/** One character per byte. */
export function textOf(bytes: Uint8Array): string {
  const { buffer, byteOffset, length } = bytes;
  return Buffer.from(buffer, byteOffset, length).toString("latin1");
}

/** One byte per character. */
export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}
