/**
 * One subscription to logs: lines in pieces, each with the cursor from which somebody can go on behind it.
 *
 * Items are taken from the source one after the other, and none while the client has to read first. So a slow client
 * slows the reading of files, and nothing piles up.
 *
 * @module
 */

import type { Json, JsonObject } from "../kit/json.ts";
import type { Outbox } from "./outbox.ts";
import { answerOfError } from "./refusal.ts";

/** What is subscribed to. */
export interface LogSubscriptionOptions {
  readonly number: number;
  readonly outbox: Outbox;
  /** Items of `log.feed`. */
  readonly items: AsyncIterator<JsonObject>;
  /** Aborts with the subscription; items end then. */
  readonly signal: AbortSignal;
  onEnd(): void;
}

/** See the module. */
export class LogSubscription {
  readonly #options: LogSubscriptionOptions;
  #cursor: Json = null;
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
      if (!signal.aborted) this.#push("end", { ok: true });
    } catch (error) {
      if (!signal.aborted) this.#push("end", answerOfError(error));
    } finally {
      onEnd();
      await items.return?.();
    }
  }

  #take({ lines = [], dropped = 0, cursor = null }: JsonObject): void {
    if (dropped !== 0) this.#push("gap", { cursor: null, bytes: dropped });
    const isEmpty = Array.isArray(lines) && lines.length === 0;
    // A cursor goes alone if lines wait for it at the client, or if it leads past what is not shown.
    const isPlace = cursor !== null &&
      (this.#isOpen || dropped !== 0 || cursor !== this.#cursor);
    if (isEmpty && !isPlace) return;
    this.#push("log", { cursor, data: lines });
    this.#isOpen = cursor === null;
    this.#cursor = cursor;
  }

  #push(type: "log" | "gap" | "end", keys: JsonObject): void {
    const { number: subscription, outbox } = this.#options;
    outbox.send(JSON.stringify({ type, subscription, ...keys }));
  }
}
