/**
 * Newline-delimited JSON over a byte stream: the frames of every local socket.
 *
 * A frame is one JSON value on one line. A line longer than the limit, or one that is not JSON, ends the connection:
 * the peer is broken and nothing after it can be trusted.
 *
 * @module
 */

/** Longest frame in bytes. Bounds what one peer can make another hold. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** Most bytes waiting to be written to one peer. Beyond it the peer is too slow and is disconnected. */
export const MAX_PENDING_BYTES = 32 * 1024 * 1024;

const NEWLINE = 10;

/** The byte stream below, such as a `Deno.Conn`. */
export interface ByteStream {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/**
 * A connection of frames. Reading and writing are independent; closing is idempotent.
 */
export class FrameConnection implements Disposable {
  readonly #stream: ByteStream;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();
  #outbox: Uint8Array[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | null = null;
  #closed = false;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /** Whether the connection is closed on this side. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /**
   * Queues a frame. Order is kept. Never blocks; a peer that reads too slowly is disconnected.
   *
   * @returns False if the connection is closed, or was closed because the peer is too slow.
   */
  send(frame: unknown): boolean {
    if (this.#closed) return false;
    return this.sendLine(this.#encoder.encode(JSON.stringify(frame) + "\n"));
  }

  /** The same for a frame that is a line of JSON already, with its end. The bytes must not change any more. */
  sendLine(bytes: Uint8Array): boolean {
    if (this.#closed) return false;
    if (this.#pendingBytes + bytes.length > MAX_PENDING_BYTES) {
      this.close();
      return false;
    }
    this.#outbox.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#writing ??= this.#drain();
    return true;
  }

  /** Resolves when everything queued so far is written, or the connection is closed. */
  async flushed(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#outbox.length > 0 && !this.#closed) {
        const batch = this.#outbox.length === 1
          ? this.#outbox[0]!
          : concat(this.#outbox);
        this.#outbox = [];
        for (let sent = 0; sent < batch.length;) {
          sent += await this.#stream.write(batch.subarray(sent));
        }
        this.#pendingBytes -= batch.length;
      }
    } catch {
      // The peer is gone; the reader side reports it.
      this.close();
    } finally {
      this.#writing = null;
    }
  }

  /**
   * The peer's frames in order. Ends when the peer closes or the connection is closed.
   *
   * @throws {SyntaxError} If a line is not JSON or longer than {@linkcode MAX_FRAME_BYTES}.
   */
  async *frames(): AsyncGenerator<unknown, void, void> {
    const chunk = new Uint8Array(64 * 1024);
    let pending: Uint8Array[] = [];
    let pendingBytes = 0;
    while (!this.#closed) {
      const count = await this.#stream.read(chunk).catch(() => null);
      if (count === null) return;
      let start = 0;
      for (
        let end = chunk.indexOf(NEWLINE);
        end !== -1 && end < count;
        end = chunk.indexOf(NEWLINE, start)
      ) {
        pending.push(chunk.subarray(start, end));
        const text = this.#decoder.decode(
          pending.length === 1 ? pending[0] : concat(pending),
        );
        pending = [];
        pendingBytes = 0;
        start = end + 1;
        if (text !== "") yield JSON.parse(text);
      }
      if (start < count) {
        pending.push(chunk.slice(start, count));
        pendingBytes += count - start;
        if (pendingBytes > MAX_FRAME_BYTES) {
          throw new SyntaxError(
            "Cannot read frame: it is longer than the limit",
          );
        }
      }
    }
  }

  /** Closes both directions. What is still queued is dropped; await {@linkcode flushed} first to keep it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#outbox = [];
    try {
      this.#stream.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
