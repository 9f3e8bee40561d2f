/**
 * One subscription to logs: lines in pieces, each with the cursor from which somebody can go on behind it.
 *
 * Items are taken from the source one after the other, and none while the client has to read first. So a slow client
 * slows the reading of files, and nothing piles up.
 *
 * @module
 */

import type { JsonObject } from "../kit/json.ts";
import type { Outbox } from "./outbox.ts";
import { answerOfError } from "./refusal.ts";

/** Lines in one frame: as many as come together, so that most frames have a cursor. */
const MOST_LINES = 512;

/** Characters in one frame, beyond which it is sent. */
const MOST_LENGTH = 64 * 1024;

/** What is subscribed to. */
export interface LogSubscriptionOptions {
  readonly number: number;
  readonly outbox: Outbox;
  /** Items of `log.follow` with cursors. */
  readonly items: AsyncIterator<JsonObject>;
  /** Aborts with the subscription; items end then. */
  readonly signal: AbortSignal;
  onEnd(): void;
}

/** See the module. */
export class LogSubscription {
  readonly #options: LogSubscriptionOptions;
  #lines: JsonObject[] = [];
  #length = 0;
  #cursor: string | null = null;
  /** Whether lines were sent that wait for a cursor. */
  #isOpen = false;

  constructor(options: LogSubscriptionOptions) {
    this.#options = options;
  }

  /**
   * Feeds the client until the signal aborts or there is nothing left to come. Never rejects.
   *
   * @param first The item that was taken already, to see whether there are any.
   */
  async run(first: IteratorResult<JsonObject>): Promise<void> {
    const { items, outbox, signal, onEnd } = this.#options;
    try {
      for (let next = first; !next.done; next = await items.next()) {
        if (signal.aborted) return;
        this.#take(next.value);
        if (!await outbox.room()) return;
      }
      this.#flush(null);
      if (!signal.aborted) this.#push("end", { ok: true });
    } catch (error) {
      if (!signal.aborted) this.#push("end", answerOfError(error));
    } finally {
      onEnd();
      await items.return?.();
    }
  }

  #take(item: JsonObject): void {
    const { cursor = null, dropped, ...line } = item;
    if (typeof dropped === "number") {
      this.#flush(null);
      this.#push("gap", { cursor, bytes: dropped });
    }
    if (typeof cursor === "string") {
      this.#flush(cursor);
      return;
    }
    this.#lines.push(line);
    this.#length += String(line["text"]).length;
    if (this.#lines.length >= MOST_LINES || this.#length >= MOST_LENGTH) {
      this.#flush(null);
    }
  }

  /** Sends what there is. A cursor goes alone if lines wait for it at the client, or if it leads past what is not shown. */
  #flush(cursor: string | null): void {
    const isNews = cursor !== null &&
      (this.#isOpen || cursor !== this.#cursor);
    if (this.#lines.length === 0 && !isNews) return;
    this.#push("log", { cursor, data: this.#lines });
    this.#isOpen = cursor === null;
    this.#cursor = cursor ?? this.#cursor;
    this.#lines = [];
    this.#length = 0;
  }

  #push(type: "log" | "gap" | "end", keys: JsonObject): void {
    const { number: subscription, outbox } = this.#options;
    outbox.send(JSON.stringify({ type, subscription, ...keys }));
  }
}
