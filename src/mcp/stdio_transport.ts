/**
 * JSON-RPC in lines: the transport of clients that start their server themselves.
 *
 * The one of the SDK needs Node's streams, and ends without a word at a line that is too long.
 *
 * @module
 */

import {
  ErrorCode,
  type JSONRPCMessage,
  JSONRPCMessageSchema,
  type RequestId,
  type Transport,
} from "./sdk.ts";

/** Longest message that is taken, as over HTTP. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** Bytes that a client may leave unread before nothing more is read from it. */
export const MAX_UNREAD_BYTES = 1024 * 1024;

/** Requests that a client may have under way. */
export const MAX_REQUESTS = 512;

const NEWLINE = 10;

/** Where lines come from and go to, such as `Deno.stdin` and `Deno.stdout`. */
export interface LineStreams {
  readonly input: { read(buffer: Uint8Array): Promise<number | null> };
  readonly output: { write(bytes: Uint8Array): Promise<number> };
}

/** See the module. Lines that are no messages are answered with an error, and the next one counts again. */
export class StdioTransport implements Transport {
  onmessage?: (message: JSONRPCMessage) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  readonly #streams: LineStreams;
  readonly #encoder = new TextEncoder();
  readonly #unanswered = new Set<RequestId>();
  readonly #ended = Promise.withResolvers<void>();
  #idle = Promise.withResolvers<void>();
  #writing: Promise<unknown> = Promise.resolve();
  #unreadBytes = 0;
  #isClosed = false;

  constructor(streams: LineStreams) {
    this.#streams = streams;
    this.#idle.resolve();
  }

  /** Resolves when the client has nothing more to say, or is gone. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Resolves when every request has its answer. */
  get answered(): Promise<void> {
    return this.#idle.promise;
  }

  start(): Promise<void> {
    this.#read().catch((error) => {
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }).finally(() => this.#ended.resolve());
    return Promise.resolve();
  }

  /** Resolves once the client's end of the pipe has taken it. */
  send(message: JSONRPCMessage): Promise<void> {
    if (this.#isClosed) return Promise.reject(closed());
    const line = this.#encoder.encode(`${JSON.stringify(message)}\n`);
    this.#unreadBytes += line.length;
    const written = this.#writing.then(() => this.#write(line));
    // One line after the other, whatever becomes of each.
    this.#writing = Promise.allSettled([written]);
    return written.finally(() => {
      this.#unreadBytes -= line.length;
      const isAnswer = "result" in message || "error" in message;
      if (isAnswer && message.id !== undefined) this.#answered(message.id);
    });
  }

  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#ended.resolve();
      this.onclose?.();
    }
    return Promise.resolve();
  }

  async #write(line: Uint8Array): Promise<void> {
    if (this.#isClosed) throw closed();
    try {
      for (let sent = 0; sent < line.length;) {
        sent += await this.#streams.output.write(line.subarray(sent));
      }
    } catch (error) {
      // Nobody reads.
      this.#ended.resolve();
      throw error;
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    const line = new LineBuffer();
    while (!this.#isClosed) {
      const count = await this.#streams.input.read(buffer);
      if (count === null) return;
      let start = 0;
      while (start < count) {
        const found = buffer.indexOf(NEWLINE, start);
        const isEnd = found !== -1 && found < count;
        const end = isEnd ? found : count;
        line.add(buffer.subarray(start, end));
        start = end + 1;
        if (isEnd) this.#take(line.end());
      }
      if (this.#unreadBytes > MAX_UNREAD_BYTES) await this.#writing;
    }
  }

  /** @param text Null = it was too long. */
  #take(text: string | null): void {
    if (text === null) {
      return this.#refuse(
        ErrorCode.InvalidRequest,
        `Cannot read message: it is longer than ${MAX_LINE_BYTES} bytes`,
      );
    }
    if (text.trim() === "") return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return this.#refuse(
        ErrorCode.ParseError,
        "Cannot read message: it is not JSON",
      );
    }
    const parsed = JSONRPCMessageSchema.safeParse(value);
    if (!parsed.success) {
      return this.#refuse(
        ErrorCode.InvalidRequest,
        "Cannot read message: it is not JSON-RPC 2.0",
      );
    }
    const message = parsed.data;
    if ("method" in message && "id" in message) {
      if (this.#unanswered.size >= MAX_REQUESTS) {
        return this.#refuse(
          ErrorCode.InvalidRequest,
          `Cannot take request: ${MAX_REQUESTS} are under way`,
          message.id,
        );
      }
      if (this.#unanswered.size === 0) this.#idle = Promise.withResolvers();
      this.#unanswered.add(message.id);
    }
    // A request that is withdrawn gets no answer.
    if ("method" in message && message.method === "notifications/cancelled") {
      const id = message.params?.["requestId"];
      if (typeof id === "string" || typeof id === "number") this.#answered(id);
    }
    this.onmessage?.(message);
  }

  #answered(id: RequestId): void {
    this.#unanswered.delete(id);
    if (this.#unanswered.size === 0) this.#idle.resolve();
  }

  /** @param id JSON-RPC 2.0, 5: null if it could not be read. */
  #refuse(code: number, message: string, id: RequestId | null = null): void {
    const answer = { jsonrpc: "2.0", id, error: { code, message } };
    const sent = this.send(answer as unknown as JSONRPCMessage);
    sent.catch((error) => this.onerror?.(error));
  }
}

function closed(): Error {
  return new Error("Cannot send message: the connection is closed");
}

/** A line that comes in pieces. */
class LineBuffer {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** @param part May be overwritten afterwards. */
  add(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes > MAX_LINE_BYTES) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part.slice());
  }

  /** The line, and begins the next one; null = it was too long. */
  end(): string | null {
    const isTooLong = this.#bytes > MAX_LINE_BYTES;
    const whole = new Uint8Array(isTooLong ? 0 : this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#bytes = 0;
    return isTooLong ? null : new TextDecoder().decode(whole);
  }
}
