/**
 * Pushes of a subscription, across connections: each once, in order, with what was lost told.
 *
 * A subscription ends with its connection, and also when whoever reads is far behind. It is then begun again behind the
 * last piece that was given out, so nothing is lost and nothing comes twice.
 *
 * @module
 */

import { systemClock } from "../kit/clock.ts";
import type { JsonObject } from "../kit/json.ts";
import { isUnreachable } from "./api_error.ts";
import { type ApiSocket, refusalOf } from "./api_socket.ts";

/** Pauses between attempts to connect. */
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 2_000;

/** Characters of pushes that wait to be read. */
const MOST_WAITING = 4 * 1024 * 1024;

/** What is subscribed to. */
export interface FeedOptions {
  /** Parameters of `subscribe`. */
  readonly params: JsonObject;
  /** Ends the feed, without an error. */
  readonly signal: AbortSignal;
  /** A connection: the present one, or a new one. */
  connection(): Promise<ApiSocket>;
}

/**
 * Pushes of the types `event`, `log` and `gap`.
 *
 * @throws {ApiError} If the subscription is refused, or ends with an error. Not for a lack of connection.
 */
export async function* feed(
  { params, signal, connection }: FeedOptions,
): AsyncGenerator<JsonObject, void, void> {
  let wanted = params;
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      const subscription = await subscribe(await connection(), wanted);
      wanted = after(wanted, subscription.cursor);
      pause = FIRST_PAUSE_MS;
      try {
        for await (const push of subscription.queue.pushes(signal)) {
          if (push["type"] === "end") return refuse(push);
          wanted = after(wanted, push["cursor"]);
          yield push;
        }
      } finally {
        subscription.end();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isUnreachable(error)) throw error;
      await pauseFor(pause, signal);
      pause = Math.min(pause * 2, LAST_PAUSE_MS);
    }
  }
}

/** Throws what a subscription ended with, if that was an error. */
function refuse(end: JsonObject): void {
  const refusal = refusalOf(end);
  if (refusal !== null) throw refusal;
}

/** Ends early, without an error, when the signal aborts. */
async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await systemClock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The same subscription behind a place. What begins it otherwise counts no more. */
function after(params: JsonObject, cursor: unknown): JsonObject {
  if (typeof cursor !== "string") return params;
  const { since: _, ...rest } = params;
  return { ...rest, cursor };
}

interface Subscription {
  readonly cursor: unknown;
  readonly queue: PushQueue;
  end(): void;
}

async function subscribe(
  socket: ApiSocket,
  params: JsonObject,
): Promise<Subscription> {
  const queue = new PushQueue();
  socket.onClose(() => queue.close());
  const answer = await socket.ask("subscribe", params, {
    onPush: (push, length) => queue.add(push, length),
  });
  const end = (): void => socket.unsubscribe(Number(answer["subscription"]));
  queue.onCut = end;
  return { cursor: answer["cursor"], queue, end };
}

/** Pushes on their way to one reader. When there are too many, those that come later are left out. */
class PushQueue {
  /** Called when it takes no more. */
  onCut: (() => void) | null = null;
  #waiting: { readonly push: JsonObject; readonly length: number }[] = [];
  #length = 0;
  #isClosed = false;
  #wake: (() => void) | null = null;

  add(push: JsonObject, length: number): void {
    if (this.#isClosed) return;
    this.#waiting.push({ push, length });
    this.#length += length;
    if (this.#length > MOST_WAITING) {
      this.close();
      this.onCut?.();
    }
    this.#wake?.();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  async *pushes(
    signal: AbortSignal,
  ): AsyncGenerator<JsonObject, void, void> {
    const wake = (): void => this.#wake?.();
    signal.addEventListener("abort", wake);
    try {
      while (!signal.aborted) {
        const waiting = this.#waiting;
        this.#waiting = [];
        this.#length = 0;
        for (const { push } of waiting) {
          if (signal.aborted) return;
          yield push;
        }
        if (this.#waiting.length > 0) continue;
        if (this.#isClosed) return;
        await new Promise<void>((resolve) => this.#wake = resolve);
        this.#wake = null;
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }
}
