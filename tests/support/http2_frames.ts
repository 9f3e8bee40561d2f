/**
 * HTTP/2 frame by frame (RFC 9113), for what no client library would send: as much of it as a test needs.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Wire } from "./wire.ts";

/** Types of frames. */
export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const GOAWAY = 7;

const ACK = 0x1;
const END_STREAM = 0x1;
const END_HEADERS = 0x4;
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const CANCEL = 8;

/** First bytes of header blocks that begin with these (RFC 7541, appendix A). */
const STATUS: Readonly<Record<number, number>> = { 0x88: 200, 0x8b: 304 };

/** A frame. */
export interface Http2Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** One connection. */
export class Http2Frames {
  readonly #wire: Wire;

  /** @param wire A connection that was agreed to speak `h2`. */
  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Begins the connection. */
  async begin(): Promise<void> {
    await this.#wire.write(PREFACE);
    await this.#wire.write(frame(SETTINGS, 0, { stream: 0 }));
  }

  /** The next frame; null at the end of the connection. Settings are acknowledged. */
  async read(): Promise<Http2Frame | null> {
    const head = await this.#wire.read(9);
    if (head === null) return null;
    const bytes = Buffer.from(head);
    const length = bytes.readUIntBE(0, 3);
    const payload = length === 0 ? null : await this.#wire.read(length);
    const found: Http2Frame = {
      type: bytes[3]!,
      flags: bytes[4]!,
      stream: bytes.readUInt32BE(5),
      payload: Buffer.from(payload ?? new Uint8Array()),
    };
    if (found.type === SETTINGS && (found.flags & ACK) === 0) {
      await this.#wire.write(frame(SETTINGS, ACK, { stream: 0 }));
    }
    return found;
  }

  /** Begins streams, each `GET /` with an ETag that is known already. */
  async ask(authority: string, streams: readonly number[]): Promise<void> {
    const block = Buffer.concat([
      // :method GET, :scheme https, :path /
      Buffer.from([0x82, 0x87, 0x84]),
      literal([0x01], authority),
      // if-none-match
      literal([0x0f, 41 - 15], '"known"'),
    ]);
    const flags = END_STREAM | END_HEADERS;
    await this.#wire.write(Buffer.concat(
      streams.map((stream) =>
        frame(HEADERS, flags, { stream, payload: block })
      ),
    ));
  }

  /** Resets streams, as Chromium does with each answer 304. */
  async cancel(streams: readonly number[]): Promise<void> {
    const payload = Buffer.from([0, 0, 0, CANCEL]);
    await this.#wire.write(Buffer.concat(
      streams.map((stream) => frame(RST_STREAM, 0, { stream, payload })),
    ));
  }
}

/** The status that a frame of headers begins with; null if it is another frame or status. */
export function statusOf({ type, payload }: Http2Frame): number | null {
  return type === HEADERS ? STATUS[payload[0]!] ?? null : null;
}

/** Whether a frame is the last one of its stream. */
export function isLast({ type, flags }: Http2Frame): boolean {
  return (type === HEADERS || type === DATA) && (flags & END_STREAM) !== 0;
}

/** A field that is not to be remembered. */
function literal(name: readonly number[], value: string): Buffer {
  return Buffer.concat([
    Buffer.from([...name, value.length]),
    Buffer.from(value, "latin1"),
  ]);
}

function frame(
  type: number,
  flags: number,
  { stream, payload = Buffer.alloc(0) }: {
    readonly stream: number;
    readonly payload?: Buffer;
  },
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
