/**
 * Which resources a client has subscribed to, and telling it when they change: at once, then at most so often.
 *
 * @module
 */

import { Timer } from "../kit/timer.ts";
import type { McpResources } from "./catalogue.ts";
import type { Connection } from "./connection.ts";
import { ErrorCode, McpError } from "./sdk.ts";
import type { Outbox } from "./outbox.ts";

/** Least time between two words about the same resource to one client. */
export const QUIET_MS = 500;

/** Resources that one connection may subscribe to. */
export const MAX_SUBSCRIPTIONS = 64;

/** Tells something at once, and again after a while if it came again meanwhile. */
export class Coalescer implements Disposable {
  readonly #tell: () => boolean;
  readonly #timer = new Timer(() => this.#quietOver());
  #isDue = false;

  /** @param tell Returns false if it could not be told; then it is tried again. */
  constructor(tell: () => boolean) {
    this.#tell = tell;
  }

  /** There is something to tell. */
  notify(): void {
    this.#isDue = true;
    if (!this.#timer.isArmed) this.#quietOver();
  }

  #quietOver(): void {
    if (!this.#isDue) return;
    this.#isDue = !this.#tell();
    this.#timer.arm(QUIET_MS);
  }

  [Symbol.dispose](): void {
    this.#timer.disarm();
  }
}

/** What subscriptions of a connection need. */
export interface SubscriptionsOptions {
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly watch: NonNullable<McpResources["watch"]>;
}

/** See the module. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #endings = new Map<string, AbortController>();

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /**
   * Tells of changes of that resource from now on. Once is as good as twice.
   *
   * @returns False if there is no such resource.
   * @throws {McpError} If it may not be seen, or there are too many.
   */
  async add(uri: string): Promise<boolean> {
    if (this.#endings.has(uri)) return true;
    if (this.#endings.size >= MAX_SUBSCRIPTIONS) {
      throw new McpError(
        ErrorCode.InvalidRequest,
        `Cannot subscribe to more than ${MAX_SUBSCRIPTIONS} resources`,
      );
    }
    const { connection, outbox, watch } = this.#options;
    const ending = new AbortController();
    const signal = AbortSignal.any([ending.signal, connection.signal]);
    const method = "notifications/resources/updated";
    const updated = new Coalescer(() =>
      outbox.send({ method, params: { uri } })
    );
    signal.addEventListener("abort", () => updated[Symbol.dispose](), {
      once: true,
    });
    const onChange = (): void => {
      if (!signal.aborted) updated.notify();
    };
    // At once, so that an end that comes meanwhile finds it.
    this.#endings.set(uri, ending);
    let isThere = false;
    try {
      isThere = await watch(uri, connection, { signal, onChange });
      return isThere;
    } finally {
      if (!isThere) this.#end(uri, ending);
    }
  }

  /** Tells no more of it. */
  remove(uri: string): void {
    const ending = this.#endings.get(uri);
    if (ending !== undefined) this.#end(uri, ending);
  }

  #end(uri: string, ending: AbortController): void {
    ending.abort();
    if (this.#endings.get(uri) === ending) this.#endings.delete(uri);
  }
}
