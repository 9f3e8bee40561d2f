/**
 * A WebSocket of a visitor at a fake edge (RFC 6455, as far as tests need it).
 *
 * @module
 */

import { request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";
import type { FakeEdge } from "./fake_edge.ts";

/** An open one. Disposal drops it. */
export class PublicSocket implements Disposable {
  readonly #stream: Duplex;
  readonly #closed: Promise<void>;
  #unread: Uint8Array;
  #news = Promise.withResolvers<void>();

  private constructor(stream: Duplex, head: Uint8Array) {
    this.#stream = stream;
    this.#unread = head;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = promise;
    stream.on("error", () => stream.destroy());
    stream.on("end", () => stream.destroy());
    stream.on("close", () => {
      resolve();
      this.#news.resolve();
    });
    stream.on("data", (part: Uint8Array) => {
      this.#unread = Uint8Array.from([...this.#unread, ...part]);
      this.#news.resolve();
    });
  }

  /** Connects; fails with the status if that is refused. */
  static open(
    edge: FakeEdge,
    address: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<PublicSocket> {
    const url = new URL(address);
    const { promise, resolve, reject } = Promise.withResolvers<PublicSocket>();
    const request = httpRequest({
      host: "127.0.0.1",
      port: edge.port,
      agent: false,
      path: url.pathname,
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        ...headers,
        host: url.host,
      },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      response.resume();
      reject(new Error(`Cannot connect: ${response.statusCode}`));
    });
    request.on(
      "upgrade",
      (_response, stream, head) => resolve(new PublicSocket(stream, head)),
    );
    request.end();
    return promise;
  }

  /** Sends a text of less than 126 bytes and gives the text of the next frame. */
  async ask(text: string): Promise<string> {
    const bytes = new TextEncoder().encode(text);
    // The mask is zero.
    this.#stream.write(
      Uint8Array.from([0x81, 0x80 | bytes.length, 0, 0, 0, 0, ...bytes]),
    );
    while (true) {
      const length = this.#unread[1] ?? 0;
      if (this.#unread.length >= 2 + length && this.#unread.length > 2) {
        const frame = this.#unread.subarray(2, 2 + length);
        this.#unread = this.#unread.slice(2 + length);
        return new TextDecoder().decode(frame);
      }
      if (this.#stream.destroyed) throw new Error("Cannot ask: it was cut");
      this.#news = Promise.withResolvers<void>();
      await this.#news.promise;
    }
  }

  /** Resolves when it is over, whoever ended it. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
  }
}
