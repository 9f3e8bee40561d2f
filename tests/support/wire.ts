/**
 * A connection byte by byte, with the frames of RFC 6455: either end of a WebSocket, for whatever no library would send.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";

/** A frame. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Uint8Array;
  /** Whether it is the last one of its message. */
  readonly fin: boolean;
  /** Set by permessage-deflate on what is compressed. */
  readonly rsv1: boolean;
  readonly isMasked: boolean;
}

/** Opcodes. */
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** One end of a connection. Disposal closes it at once. */
export class Wire implements Disposable {
  readonly #conn: Deno.Conn;
  /** What was read from the connection and not from here. */
  #chunks: Buffer[] = [];
  #length = 0;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Sends all of it; characters as a byte each. */
  async write(data: string | Uint8Array): Promise<void> {
    const bytes = Buffer.from(
      typeof data === "string" ? Buffer.from(data, "latin1") : data,
    );
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#conn.write(bytes.subarray(sent));
    }
  }

  /** A head with the empty line behind it. */
  async readHead(): Promise<string> {
    while (true) {
      const read = this.#joined();
      const end = read.indexOf("\r\n\r\n");
      if (end !== -1) return this.#take(end + 4).toString("latin1");
      assert(await this.#fill(), `no head: ${read.toString("latin1")}`);
    }
  }

  /** Exactly so many bytes. Null if the connection ends before the first. */
  async read(count: number): Promise<Uint8Array | null> {
    while (this.#length < count) {
      if (await this.#fill()) continue;
      assert.equal(this.#length, 0, "the connection ended in between");
      return null;
    }
    return this.#take(count);
  }

  /** Everything up to the end of the connection. */
  async readAll(): Promise<string> {
    while (await this.#fill());
    return this.#take(this.#length).toString("latin1");
  }

  /** Null = the connection has ended without one. */
  async readFrame(): Promise<Frame | null> {
    const start = await this.read(2);
    if (start === null) return null;
    const [first, second] = start as unknown as [number, number];
    const length = await this.#readLength(second & 0x7f);
    const isMasked = (second & 0x80) !== 0;
    const mask = isMasked ? await this.read(4) : null;
    const payload = length === 0 ? new Uint8Array() : await this.read(length);
    assert(payload !== null);
    if (mask !== null) applyMask(payload, mask);
    return {
      opcode: first & 0x0f,
      fin: (first & 0x80) !== 0,
      rsv1: (first & 0x40) !== 0,
      payload,
      isMasked,
    };
  }

  /** Sends a frame; what is left out is as in a whole, plain message of a server. */
  async sendFrame(frame: Partial<Frame>): Promise<void> {
    await this.write(frameBytes(frame));
  }

  [Symbol.dispose](): void {
    try {
      this.#conn.close();
    } catch (error) {
      // Closed by the test itself.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #readLength(short: number): Promise<number> {
    if (short < 126) return short;
    const bytes = await this.read(short === 126 ? 2 : 8);
    assert(bytes !== null);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return short === 126 ? view.getUint16(0) : Number(view.getBigUint64(0));
  }

  #take(count: number): Buffer {
    const read = this.#joined();
    this.#chunks = [read.subarray(count)];
    this.#length -= count;
    return Buffer.from(read.subarray(0, count));
  }

  /** As one, which is done once for all that was read since. */
  #joined(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }

  /** False at the end, whichever way it came. */
  async #fill(): Promise<boolean> {
    const chunk = new Uint8Array(64 * 1024);
    const count = await this.#conn.read(chunk).catch((error: unknown) => {
      if (!isBroken(error)) throw error;
      return null;
    });
    if (count === null) return false;
    this.#chunks.push(Buffer.from(chunk.buffer, 0, count));
    this.#length += count;
    return true;
  }
}

/** The bytes of a frame; see {@linkcode Wire.sendFrame}. */
export function frameBytes(frame: Partial<Frame>): Uint8Array {
  const { opcode = TEXT, payload = new Uint8Array() } = frame;
  const { fin = true, rsv1 = false, isMasked = false } = frame;
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = opcode | (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0);
  head[1] = (isMasked ? 0x80 : 0) |
    (head.length === 2 ? length : head.length === 4 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  if (!isMasked) return Buffer.concat([head, payload]);
  const mask = crypto.getRandomValues(new Uint8Array(4));
  const body = Uint8Array.from(payload);
  applyMask(body, mask);
  return Buffer.concat([head, mask, body]);
}

function applyMask(bytes: Uint8Array, mask: Uint8Array): void {
  for (let at = 0; at < bytes.length; at++) bytes[at]! ^= mask[at & 3]!;
}

function isBroken(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.BrokenPipe;
}
