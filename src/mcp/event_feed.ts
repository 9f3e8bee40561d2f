/**
 * What happens, for all connections: one subscription to the events of the daemon, however many listen.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { EventRecord } from "../domain/event.ts";
import { systemClock } from "../kit/clock.ts";
import { inLaterTurn } from "../kit/turn.ts";
import type { FrameDispatcher } from "../transports/socket_server.ts";
import { ask, follow } from "../transports/ask.ts";

/** Pause after a subscription was refused or lost. Over stdio the daemon may be down for any time. */
const RETRY_MS = 500;

/** Listeners who are told of an event before others, such as requests, have their turn. */
const LISTENERS_PER_TURN = 100;

/** An event, or how many could not be told. */
export type FeedItem = EventRecord | { readonly gap: number };

/** Who listens. */
export interface FeedListener {
  /** Aborts when it no longer does. */
  readonly signal: AbortSignal;
  /** Cheap; must not throw. The same frozen item for all. */
  onItem(item: FeedItem): void;
}

/** What a feed needs. */
export interface EventFeedOptions {
  readonly dispatcher: FrameDispatcher;
  /** Aborts when it is to end. */
  readonly lifetime: AbortSignal;
  log(level: "info" | "warning" | "error", message: string): void;
}

/** See the module. */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #listeners = new Set<FeedListener>();
  /** Resolved once everything that happens from then on will be told. */
  #ready: PromiseWithResolvers<void> | null = null;

  constructor(options: EventFeedOptions) {
    this.#options = options;
  }

  /** Tells a listener what happens, about from now on; {@linkcode ready} tells from when exactly. */
  listen(listener: FeedListener): void {
    const { signal } = listener;
    if (signal.aborted) return;
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener), {
      once: true,
    });
    this.#begin();
  }

  /** Resolves when nothing that happens from now on is missed, or the signal aborts. */
  async ready(signal: AbortSignal): Promise<void> {
    const gone = Promise.withResolvers<void>();
    const leave = (): void => gone.resolve();
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    await Promise.race([this.#begin(), gone.promise]);
    signal.removeEventListener("abort", leave);
  }

  #begin(): Promise<void> {
    if (this.#ready === null) {
      this.#ready = Promise.withResolvers();
      const { lifetime, log } = this.#options;
      this.#follow().catch((error) => {
        if (!lifetime.aborted) log("error", `mcp events: ${error}`);
      });
    }
    return this.#ready.promise;
  }

  /** Goes on after a lost subscription exactly where it was. */
  async #follow(): Promise<void> {
    const { dispatcher, lifetime } = this.#options;
    const asking = { dispatcher, lifetime, signal: lifetime };
    let cursor: string | null = null;
    while (!lifetime.aborted) {
      try {
        cursor ??= (await ask(asking, "event.list", { limit: 1 })).cursor;
        this.#ready?.resolve();
        for await (const item of follow(asking, "event.follow", { cursor })) {
          const event = Object.freeze(item) as FeedItem;
          if (!("gap" in event)) cursor = String(event.seq);
          await this.#tell(event);
        }
      } catch (error) {
        if (!(error instanceof TaskmuxError)) throw error;
      }
      await systemClock.sleep(RETRY_MS, lifetime);
    }
  }

  async #tell(item: FeedItem): Promise<void> {
    let told = 0;
    for (const listener of this.#listeners) {
      listener.onItem(item);
      if (++told % LISTENERS_PER_TURN === 0) await laterTurn();
    }
    await laterTurn();
  }
}

function laterTurn(): Promise<void> {
  return new Promise((resolve) => inLaterTurn(resolve));
}
