/**
 * A stream of events on its way to a client that may read slowly or not at all.
 *
 * The SDK puts into its stream whatever there is to say, and would do so without end. Here it is taken out at once and
 * waits in a queue with a budget; a client that exceeds it loses the stream, not the session, and can resume.
 *
 * @module
 */

/** Bytes that wait for one client. One message alone may be longer. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Bytes that wait for all clients together; beyond it, those go for whom the least may wait. */
const MAX_TOTAL_BYTES = 64 * 1024 * 1024;

/** What may wait for a client even then. */
const FAIR_SHARE_BYTES = 64 * 1024;

/** How far into an event its id is looked for: `event: message`, then `id: `, at most 80 long. */
const ID_WITHIN_BYTES = 128;

const ID_REGEXP = /^id: (\S+)$/m;

/** What waits for all clients. */
export interface StreamBudget {
  waitingBytes: number;
}

/** How a stream ended: whole, because the client went, or because it did not read. */
export type StreamEnd = "whole" | "gone" | "unread";

/** How to pass a stream on. */
export interface BoundedStreamOptions {
  /** Whole events, one to a chunk. */
  readonly source: ReadableStream<Uint8Array>;
  readonly budget: StreamBudget;
  /** Goes before everything else. */
  readonly beginning?: Uint8Array;
  /** Id of the event after which nothing can come; null = the source says when it is over. */
  readonly lastEvent?: string | null;
  /** The connection has taken the event. */
  onTaken(eventId: string): void;
  /** Called once; what was not taken by then never will be. */
  onEnd(end: StreamEnd): void;
}

interface Chunk {
  readonly bytes: Uint8Array;
  /** Null for what is no event, such as a comment that keeps a connection alive. */
  readonly eventId: string | null;
}

/** See the module. */
export class BoundedStream {
  /** For the answer. */
  readonly body: ReadableStream<Uint8Array>;
  readonly #options: BoundedStreamOptions;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #waiting: Chunk[] = [];
  #waitingBytes = 0;
  /** Given to the connection; it has taken it when it asks for more. */
  #given: Chunk | null = null;
  readonly #ending = Promise.withResolvers<void>();
  #isComplete = false;
  #hasEnded = false;
  #isCancelled = false;
  #wake: (() => void) | null = null;

  constructor(options: BoundedStreamOptions) {
    this.#options = options;
    this.#reader = options.source.getReader();
    if (options.beginning !== undefined) this.#add(options.beginning);
    this.body = new ReadableStream<Uint8Array>({
      pull: (controller) => this.#give(controller),
      cancel: () => {
        this.#isCancelled = true;
        this.#end("gone");
      },
    }, { highWaterMark: 0 });
  }

  /** Whether nothing goes through any more. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Takes what the source has until it ends, or the stream does. Never rejects. */
  async run(): Promise<void> {
    const { lastEvent = null } = this.#options;
    while (!this.#hasEnded) {
      const { done, value } = await this.#reader.read();
      if (done) break;
      if (!this.#add(value)) return this.#end("unread");
      if (lastEvent !== null && this.#waiting.at(-1)?.eventId === lastEvent) {
        await this.#reader.cancel();
        break;
      }
    }
    this.#isComplete = true;
    this.#wake?.();
  }

  /** Resolves when nothing goes through any more. */
  get ended(): Promise<void> {
    return this.#ending.promise;
  }

  /** Ends it now; what waits is not sent. Idempotent. */
  close(): void {
    this.#end("gone");
  }

  /** @returns Whether there was room. */
  #add(bytes: Uint8Array): boolean {
    const { budget } = this.#options;
    const size = this.#waitingBytes + bytes.length;
    const isTight = budget.waitingBytes + bytes.length > MAX_TOTAL_BYTES;
    const limit = isTight ? FAIR_SHARE_BYTES : MAX_WAITING_BYTES;
    if (this.#waiting.length > 0 && size > limit) return false;
    this.#waiting.push({ bytes, eventId: eventIdOf(bytes) });
    this.#waitingBytes = size;
    budget.waitingBytes += bytes.length;
    this.#wake?.();
    return true;
  }

  async #give(
    controller: ReadableStreamDefaultController<Uint8Array>,
  ): Promise<void> {
    this.#confirm();
    while (!this.#hasEnded) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.#release(next.bytes.length);
        this.#given = next;
        controller.enqueue(next.bytes);
        return;
      }
      if (this.#isComplete) this.#end("whole");
      else await this.#woken();
    }
    if (!this.#isCancelled) controller.close();
  }

  #confirm(): void {
    const eventId = this.#given?.eventId ?? null;
    this.#given = null;
    if (eventId !== null && !this.#hasEnded) this.#options.onTaken(eventId);
  }

  #end(end: StreamEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#release(this.#waitingBytes);
    this.#waiting = [];
    this.#wake?.();
    this.#options.onEnd(end);
    this.#ending.resolve();
    // The source learns that nobody listens. It is memory, and does not fail.
    if (!this.#isComplete) void this.#reader.cancel();
  }

  #release(bytes: number): void {
    this.#waitingBytes -= bytes;
    this.#options.budget.waitingBytes -= bytes;
  }

  #woken(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = () => {
      this.#wake = null;
      resolve();
    };
    return promise;
  }
}

const decoder = new TextDecoder();

function eventIdOf(bytes: Uint8Array): string | null {
  const head = decoder.decode(bytes.subarray(0, ID_WITHIN_BYTES));
  return ID_REGEXP.exec(head)?.[1] ?? null;
}
