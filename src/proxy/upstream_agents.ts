/**
 * Connections to tasks: kept ones for requests that can be repeated, new ones for all others.
 *
 * A server may close a kept connection just as a request is sent over it, and nobody can know whether it read the
 * request. So only what may be sent twice goes over a kept connection (RFC 9110 §9.2.2).
 *
 * @module
 */

import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connectUpstream } from "./connect_upstream.ts";
import { valuesOf } from "./end_to_end_headers.ts";
import { IdleLinks } from "./plain_upstream.ts";
import type { Upstream } from "./router.ts";

/** Longest silence of a kept connection. Shorter than what servers allow, so that few are lost to a race. */
const IDLE_MS = 4_000;

/** Kept connections per upstream. */
const MAX_IDLE = 32;

/** An upstream that nobody asked for this long is forgotten. */
const FORGOTTEN_AFTER_MS = 60_000;

/** How much sooner a connection is given up than its server said it would. */
const MARGIN_MS = 1_000;

type ConnectionOptions = Parameters<Agent["createConnection"]>[0];
type Created = Parameters<Agent["createConnection"]>[1];

/** What a socket of an agent knows of its last request. */
interface Served {
  readonly _httpMessage?: { readonly res?: IncomingMessage | null } | null;
}

/**
 * Connections to one listener.
 *
 * The agent's own limit for idle connections costs each request several timers, so they are told by the clock: old ones
 * when a connection is asked for, and all in {@linkcode UpstreamAgent.sweep}.
 */
export class UpstreamAgent extends Agent {
  /** Whether connections serve several requests. */
  readonly keepsConnections: boolean;
  readonly #pool: UpstreamPool;
  /** Until when a connection may be used again, in monotonic milliseconds. */
  readonly #until = new WeakMap<object, number>();

  constructor(pool: UpstreamPool, keepAlive: boolean) {
    super({ keepAlive, maxFreeSockets: MAX_IDLE });
    this.keepsConnections = keepAlive;
    this.#pool = pool;
  }

  /** All connections are alike. */
  override getName(): string {
    return ONLY;
  }

  /** Called by `node:http`: a request wants a connection. */
  addRequest(request: ClientRequest, options: RequestOptions): void {
    this.sweep();
    const own = this as unknown as Connections;
    const free = own.freeSockets[ONLY] ?? [];
    // As the agent does it, but without three copies of all options.
    for (let socket = free.pop(); socket !== undefined; socket = free.pop()) {
      if (socket.destroyed || !socket.writable) {
        socket.destroy();
        continue;
      }
      this.reuseSocket(socket, request);
      request.onSocket(socket);
      (own.sockets[ONLY] ??= []).push(socket);
      return;
    }
    (Agent.prototype as unknown as Requestable)
      .addRequest.call(this, request, options);
  }

  /** Called by `node:http`: whether an idle connection is kept. */
  override keepSocketAlive(socket: Socket): boolean {
    const idleMs = Math.min(IDLE_MS, serverLimitMs(socket as Served));
    if (idleMs <= 0) return false;
    this.#until.set(socket, this.#pool.now() + idleMs);
    socket.unref();
    return true;
  }

  /** Closes connections that were idle for too long. */
  sweep(): void {
    const free = this.freeSockets[ONLY];
    if (free === undefined) return;
    const now = this.#pool.now();
    // The longest unused one is the first. What is destroyed leaves the list later.
    for (const socket of free) {
      if ((this.#until.get(socket) ?? 0) > now) break;
      socket.destroy();
    }
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

/** Name of the only group of connections that an agent has. */
const ONLY = "upstream";

/** The lists of an agent, which it writes itself. */
interface Connections {
  readonly freeSockets: Record<string, Socket[]>;
  readonly sockets: Record<string, Socket[]>;
}

/** What `node:http` calls, and the types do not tell. */
interface Requestable {
  addRequest(request: ClientRequest, options: RequestOptions): void;
}

/** How long the server keeps an idle connection, by its `Keep-Alive`. */
function serverLimitMs({ _httpMessage: message }: Served): number {
  const [value] = valuesOf(message?.res?.rawHeaders ?? [], "keep-alive");
  const seconds = /\btimeout\s*=\s*(\d+)/i.exec(value ?? "")?.[1];
  return seconds === undefined ? Infinity : Number(seconds) * 1_000 - MARGIN_MS;
}

/** The connections of one listener, and the address at which it answered. */
export class UpstreamPool implements Disposable {
  readonly port: number;
  readonly kept = new UpstreamAgent(this, true);
  readonly fresh = new UpstreamAgent(this, false);
  /** For plain requests. */
  readonly links: IdleLinks;
  /** Requests under way. */
  active = 0;
  /** Monotonic milliseconds. */
  usedAt = 0;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  #addresses: readonly string[];

  constructor({ port, addresses }: Upstream, now: () => number) {
    this.port = port;
    this.now = now;
    this.links = new IdleLinks(now);
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
    this.links[Symbol.dispose]();
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
      pool = new UpstreamPool(upstream, this.#now);
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

  /** Closes idle connections, and forgets what nobody has asked for in a while. */
  sweep(): void {
    const limit = this.#now() - FORGOTTEN_AFTER_MS;
    for (const [key, pool] of this.#pools) {
      pool.kept.sweep();
      pool.links.sweep();
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
