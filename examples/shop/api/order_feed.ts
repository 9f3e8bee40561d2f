/**
 * Changes of orders as server-sent events. The `order_events` table is the queue: it is the database that sees what the
 * worker, another process, does. A subscriber is a cursor into it, so a slow one costs no memory and misses nothing.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";

/** How often the table is asked for news while somebody listens. */
const POLL_INTERVAL_MS = 200;
/** A comment is sent this often, so that nobody on the way thinks the connection dead. */
const KEEP_ALIVE_MS = 15_000;
/** Rows read for one subscriber per poll. */
const BATCH_ROWS = 100;

interface Subscriber {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** `seq` of the last row sent. */
  cursor: number;
  /** When something was last sent, on the monotonic clock. */
  sentAt: number;
}

/** Streams `order_events` to any number of subscribers with one timer, which runs only while there are some. */
export class OrderFeed implements Disposable {
  readonly #db: DatabaseSync;
  readonly #subscribers = new Set<Subscriber>();
  readonly #encoder = new TextEncoder();
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /**
   * A stream of events after row `after`, or from now on when it is null. Ends
   * when the reader cancels or the feed is disposed.
   */
  subscribe(after: number | null): ReadableStream<Uint8Array> {
    let subscriber: Subscriber | null = null;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        subscriber = {
          controller,
          cursor: after ?? this.#newest(),
          sentAt: performance.now(),
        };
        this.#subscribers.add(subscriber);
        // Sent at once: the client then knows that no later change is missed.
        controller.enqueue(this.#encoder.encode("retry: 1000\n\n"));
        this.#timer ??= setInterval(() => this.#poll(), POLL_INTERVAL_MS);
      },
      cancel: () => {
        if (subscriber !== null) this.#remove(subscriber);
      },
    });
  }

  [Symbol.dispose](): void {
    for (const subscriber of this.#subscribers) {
      subscriber.controller.close();
      this.#remove(subscriber);
    }
  }

  #newest(): number {
    const row = this.#db.prepare(
      "select coalesce(max(seq), 0) as seq from order_events",
    ).get();
    return Number(row?.seq);
  }

  #poll(): void {
    const newest = this.#newest();
    for (const subscriber of this.#subscribers) {
      // What the client does not read is asked for again later.
      if ((subscriber.controller.desiredSize ?? 0) <= 0) continue;
      const text = subscriber.cursor < newest
        ? this.#next(subscriber)
        : performance.now() - subscriber.sentAt >= KEEP_ALIVE_MS
        ? ": keep-alive\n\n"
        : "";
      if (text === "") continue;
      subscriber.sentAt = performance.now();
      subscriber.controller.enqueue(this.#encoder.encode(text));
    }
  }

  /** The next rows as event-stream text; moves the cursor behind them. */
  #next(subscriber: Subscriber): string {
    const rows = this.#db.prepare(
      "select seq, order_id, status, at from order_events where seq > ? order by seq limit ?",
    ).all(subscriber.cursor, BATCH_ROWS);
    subscriber.cursor = Number(rows.at(-1)?.seq ?? subscriber.cursor);
    return rows.map((row) =>
      `id: ${row.seq}\nevent: order\ndata: ${JSON.stringify(row)}\n\n`
    ).join("");
  }

  #remove(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }
}
