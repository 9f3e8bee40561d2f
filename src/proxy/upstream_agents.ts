/**
 * Connections to tasks: kept ones for requests that can be repeated, new ones for all others.
 *
 * A server may close a kept connection just as a request is sent over it, and nobody can know whether it read the
 * request. So only what may be sent twice goes over a kept connection (RFC 9110 §9.2.2).
 *
 * @module
 */

import { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { connectUpstream } from "./connect_upstream.ts";
import type { Upstream } from "./router.ts";

/** Longest silence of a kept connection. Shorter than what servers allow, so that few are lost to a race. */
const IDLE_MS = 4_000;

/** Kept connections per upstream. */
const MAX_IDLE = 32;

/** An upstream that nobody asked for this long is forgotten. */
const FORGOTTEN_AFTER_MS = 60_000;

type ConnectionOptions = Parameters<Agent["createConnection"]>[0];
type Created = Parameters<Agent["createConnection"]>[1];

/** Connections to one listener. */
export class UpstreamAgent extends Agent {
  /** Whether connections serve several requests. */
  readonly keepsConnections: boolean;
  readonly #pool: UpstreamPool;

  constructor(pool: UpstreamPool, keepAlive: boolean) {
    super({ keepAlive, maxFreeSockets: MAX_IDLE, timeout: IDLE_MS });
    this.keepsConnections = keepAlive;
    this.#pool = pool;
  }

  override createConnection(
    _options: ConnectionOptions,
    created: Created,
  ): Duplex {
    const pool = this.#pool;
    connectUpstream(pool.port, pool.addresses).then(
      ({ socket, address }) => {
        pool.prefer(address);
        created?.(null, socket);
      },
      (error: Error) =>
        (created as ((error: Error) => void) | undefined)?.(error),
    );
    // Nothing yet; the types do not know of connections that come by the callback.
    return undefined as unknown as Duplex;
  }
}

/** The connections of one listener, and the address at which it answered. */
export class UpstreamPool implements Disposable {
  readonly port: number;
  readonly kept = new UpstreamAgent(this, true);
  readonly fresh = new UpstreamAgent(this, false);
  /** Requests under way. */
  active = 0;
  /** Monotonic milliseconds. */
  usedAt = 0;
  #addresses: readonly string[];

  constructor({ port, addresses }: Upstream) {
    this.port = port;
    this.#addresses = addresses;
  }

  /** To be tried in this order. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** This address answered. */
  prefer(address: string): void {
    if (this.#addresses[0] === address) return;
    this.#addresses = [
      address,
      ...this.#addresses.filter((each) => each !== address),
    ];
  }

  [Symbol.dispose](): void {
    this.kept.destroy();
    this.fresh.destroy();
  }
}

/** One pool per listener. */
export class UpstreamAgents implements Disposable {
  readonly #pools = new Map<string, UpstreamPool>();
  readonly #now: () => number;

  /** @param now Monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many there are. */
  get size(): number {
    return this.#pools.size;
  }

  /** The pool of an upstream, for one request; disposing what is returned says that the request is over. */
  use(upstream: Upstream): { readonly pool: UpstreamPool } & Disposable {
    let pool = this.#pools.get(upstream.key);
    if (pool === undefined) {
      pool = new UpstreamPool(upstream);
      this.#pools.set(upstream.key, pool);
    }
    const used = pool;
    used.active += 1;
    used.usedAt = this.#now();
    return {
      pool: used,
      [Symbol.dispose]: () => {
        used.active -= 1;
        used.usedAt = this.#now();
      },
    };
  }

  /** Forgets what nobody has asked for in a while. */
  sweep(): void {
    const limit = this.#now() - FORGOTTEN_AFTER_MS;
    for (const [key, pool] of this.#pools) {
      if (pool.active > 0 || pool.usedAt > limit) continue;
      pool[Symbol.dispose]();
      this.#pools.delete(key);
    }
  }

  [Symbol.dispose](): void {
    for (const pool of this.#pools.values()) pool[Symbol.dispose]();
    this.#pools.clear();
  }
}
