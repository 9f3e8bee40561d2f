/**
 * A client of the WebSocket API as a script of the Python original would be: frames out, frames in.
 *
 * @module
 */

import assert from "node:assert/strict";
import { until } from "./until.ts";

/** A frame, read. */
export type Frame = { readonly [key: string]: unknown };

/** Where to connect, and how. */
export interface WebSocketOptions {
  readonly port: number;
  /** With its `?`. */
  readonly query?: string;
}

/** A connection that keeps what came. Disposal closes it. */
export class TestWebSocket implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #frames: Frame[] = [];
  readonly #closed: Promise<CloseEvent>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#frames.push(JSON.parse(data));
    const { promise, resolve } = Promise.withResolvers<CloseEvent>();
    socket.onclose = resolve;
    this.#closed = promise;
  }

  /** Connects; fails if that is refused. */
  static async open(
    { port, query = "" }: WebSocketOptions,
  ): Promise<TestWebSocket> {
    const socket = new WebSocket(`ws://localhost:${port}/${query}`);
    const opened = Promise.withResolvers<void>();
    socket.onopen = () => opened.resolve();
    socket.onerror = () => opened.reject(new Error("Cannot connect: refused"));
    await opened.promise;
    return new TestWebSocket(socket);
  }

  /** Sends a frame, or a text as it is. */
  send(frame: object | string | Uint8Array<ArrayBuffer>): void {
    const isRaw = typeof frame === "string" || frame instanceof Uint8Array;
    this.#socket.send(isRaw ? frame : JSON.stringify(frame));
  }

  /** The next frame of those that fit; it is taken out. */
  async next(fits: (frame: Frame) => boolean = () => true): Promise<Frame> {
    const index = await until(() => {
      const found = this.#frames.findIndex(fits);
      return found < 0 ? null : { found };
    }, { what: `a frame that fits ${fits}` });
    return this.#frames.splice(index.found, 1)[0]!;
  }

  /** Waits for so many frames and lets go of them. */
  async drop(count: number): Promise<void> {
    await until(() => this.#frames.length >= count);
    this.#frames.splice(0, count);
  }

  /** The answer to a command; pushes stay for {@linkcode next}. */
  async ask(command: string, params?: object): Promise<Frame> {
    this.send({ command, ...params === undefined ? {} : { params } });
    const answer = await this.next((frame) => !("type" in frame));
    assert.equal(answer["command"], command);
    return answer;
  }

  /** What has come and was not taken. */
  get frames(): readonly Frame[] {
    return this.#frames;
  }

  /** How the other side ended the connection. */
  get closed(): Promise<CloseEvent> {
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#closed;
  }
}
