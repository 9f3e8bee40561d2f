/**
 * A WebSocket client that reads only when it is told to (RFC 6455, as far as tests need it).
 *
 * @module
 */

import type { Frame } from "./web_socket.ts";

/** A connection. Disposal drops it. */
export class RawSocket implements AsyncDisposable {
  readonly #conn: Deno.TcpConn;
  #unread = new Uint8Array(0);

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /** Connects and reads the answer to that. */
  static async open(port: number): Promise<RawSocket> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const raw = new RawSocket(conn);
    await conn.write(new TextEncoder().encode(
      `GET / HTTP/1.1\r\nHost: localhost:${port}\r\nUpgrade: websocket\r\n` +
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ));
    const decoder = new TextDecoder("latin1");
    while (true) {
      const end = decoder.decode(raw.#unread).indexOf("\r\n\r\n");
      if (end >= 0) {
        raw.#unread = raw.#unread.slice(end + 4);
        return raw;
      }
      await raw.#read();
    }
  }

  /** Sends a frame of less than 126 bytes, unmasked in effect: the mask is zero. */
  async send(frame: object): Promise<void> {
    const text = new TextEncoder().encode(JSON.stringify(frame));
    if (text.length > 125) throw new RangeError("Cannot send: too long");
    const head = [0x81, 0x80 | text.length, 0, 0, 0, 0];
    await this.#conn.write(Uint8Array.from([...head, ...text]));
  }

  /** Reads once, at most a megabyte, and gives the texts that are whole by now. */
  async frames(): Promise<Frame[]> {
    await this.#read();
    const frames: Frame[] = [];
    let at = 0;
    while (true) {
      const next = frameAt(this.#unread, at);
      if (next === null) break;
      const { opcode, start, end } = next;
      if (opcode === 1) {
        const text = new TextDecoder().decode(
          this.#unread.subarray(start, end),
        );
        frames.push(JSON.parse(text));
      }
      at = end;
    }
    this.#unread = this.#unread.slice(at);
    return frames;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#conn.close();
    return Promise.resolve();
  }

  async #read(): Promise<void> {
    const chunk = new Uint8Array(1024 * 1024);
    const count = await this.#conn.read(chunk);
    if (count === null) throw new Error("Cannot read: the connection is over");
    const whole = new Uint8Array(this.#unread.length + count);
    whole.set(this.#unread);
    whole.set(chunk.subarray(0, count), this.#unread.length);
    this.#unread = whole;
  }
}

function frameAt(
  bytes: Uint8Array,
  at: number,
): { opcode: number; start: number; end: number } | null {
  if (bytes.length < at + 10) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const opcode = view.getUint8(0) & 0x0f;
  const short = view.getUint8(1) & 0x7f;
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
  const length = short === 126
    ? view.getUint16(2)
    : short === 127
    ? Number(view.getBigUint64(2))
    : short;
  const start = at + 2 + extra;
  const end = start + length;
  return end > bytes.length ? null : { opcode, start, end };
}
