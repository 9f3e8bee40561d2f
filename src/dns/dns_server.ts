/**
 * Answers DNS questions about the managed names on loopback, by UDP and TCP.
 *
 * Needs `--unstable-net` for UDP. Everything is bounded: a datagram is read into one buffer for each socket, TCP has
 * limits of connections, of sizes and of time.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { TaskScope } from "../kit/task_scope.ts";
import { type AnswerOptions, answerQuery } from "./answer_query.ts";
import type { Zone } from "./zone.ts";

/** Where it listens, and what it answers. */
const LOOPBACK_V4 = "127.0.0.1";
const LOOPBACK_V6 = "::1";

/** Longer datagrams are cut, and then malformed. No honest question is as long. */
const MAX_DATAGRAM_LENGTH = 4_096;

/** By TCP the connection is closed then. */
const MAX_TCP_QUERY_LENGTH = 4_096;

/** More connections are closed at once. */
const MAX_CONNECTIONS = 64;

/** A connection on which nothing moves for so long is closed (RFC 7766 §6.2.3). */
const TCP_IDLE_MS = 10_000;

/** Pause after a connection for which there was no descriptor. */
const RETRY_MS = 100;

/** How often a free port is looked for that both protocols have free on both addresses. */
const BIND_ATTEMPTS = 10;

/** What the server needs. */
export interface DnsServerOptions {
  /** 0 = any free one. */
  readonly port: number;
  /** The names as they are now; asked for each question. */
  zone(): Zone;
  readonly clock: Clock;
  onError(error: unknown): void;
}

/** See the module. */
export class DnsServer implements AsyncDisposable {
  readonly port: number;
  /** Addresses that are bound for UDP and TCP, `127.0.0.1` first. */
  readonly addresses: readonly string[];
  /** Why something is not bound, as the end of a sentence. */
  readonly problems: readonly string[];
  readonly #options: DnsServerOptions;
  readonly #sockets: Sockets;
  readonly #scope: TaskScope;
  readonly #connections = new Set<Deno.Conn>();

  private constructor(options: DnsServerOptions, sockets: Sockets) {
    this.#options = options;
    this.#sockets = sockets;
    this.port = sockets.port;
    this.addresses = sockets.addresses;
    this.problems = sockets.problems;
    this.#scope = new TaskScope((error) => options.onError(error));
    for (const socket of sockets.udp) {
      this.#scope.run(() => this.#serveUdp(socket));
    }
    for (const listener of sockets.tcp) {
      this.#scope.run((signal) => this.#serveTcp(listener, signal));
    }
  }

  /** Binds and begins to answer. What cannot be bound is told by `problems`, not thrown. */
  static open(options: DnsServerOptions): DnsServer {
    return new DnsServer(options, bindSockets(options.port));
  }

  /** Whether anybody can ask. */
  get isListening(): boolean {
    return this.addresses.length > 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.udp) socket.close();
    for (const listener of this.#sockets.tcp) listener.close();
    for (const connection of this.#connections) close(connection);
    await this.#scope[Symbol.asyncDispose]();
  }

  #answer(
    message: Uint8Array,
    transport: AnswerOptions["transport"],
  ): Uint8Array<ArrayBuffer> | null {
    const v6 = this.addresses.includes(LOOPBACK_V6) ? LOOPBACK_V6 : null;
    return answerQuery(message, {
      zone: this.#options.zone(),
      transport,
      addresses: { v4: LOOPBACK_V4, v6 },
    });
  }

  async #serveUdp(socket: Deno.DatagramConn): Promise<void> {
    const buffer = new Uint8Array(MAX_DATAGRAM_LENGTH);
    while (true) {
      const received = await socket.receive(buffer).catch(whenClosed);
      if (received === null) return;
      const [message, from] = received;
      const answer = this.#answer(message, "udp");
      // Who asked and is gone, or is behind a firewall, does without.
      if (answer !== null) await socket.send(answer, from).catch(whenBroken);
    }
  }

  async #serveTcp(
    listener: Deno.Listener,
    signal: AbortSignal,
  ): Promise<void> {
    while (true) {
      const connection = await listener.accept().catch(whenShort);
      if (connection === null) return;
      if (connection === "short") {
        await this.#options.clock.sleep(RETRY_MS, signal);
        continue;
      }
      if (this.#connections.size >= MAX_CONNECTIONS) {
        close(connection);
        continue;
      }
      this.#connections.add(connection);
      this.#scope.run(async () => {
        try {
          await this.#converse(connection);
        } finally {
          this.#connections.delete(connection);
          close(connection);
        }
      });
    }
  }

  /** One question after the other, each behind its length (RFC 1035 §4.2.2), until the client leaves or falls silent. */
  async #converse(connection: Deno.Conn): Promise<void> {
    using idle = new IdleTimer(this.#options.clock, connection);
    const head = new Uint8Array(2);
    while (await readFull(connection, head, idle)) {
      const length = head[0]! << 8 | head[1]!;
      if (length > MAX_TCP_QUERY_LENGTH) return;
      const message = new Uint8Array(length);
      if (!await readFull(connection, message, idle)) return;
      const answer = this.#answer(message, "tcp");
      // What has no answer is no DNS, so what follows is not either.
      if (answer === null) return;
      const framed = new Uint8Array(2 + answer.length);
      framed[0] = answer.length >> 8;
      framed[1] = answer.length & 0xff;
      framed.set(answer, 2);
      if (!await writeFull(connection, framed)) return;
    }
  }
}

/** Closes a connection on which nothing has moved for {@linkcode TCP_IDLE_MS}. */
class IdleTimer implements Disposable {
  readonly #end = new AbortController();
  #lastMs: number;

  constructor(clock: Clock, connection: Deno.Conn) {
    this.#lastMs = clock.monotonic();
    const { signal } = this.#end;
    this.#watch(clock, connection).catch((error) => {
      if (!signal.aborted) throw error;
    });
    this.move = () => {
      this.#lastMs = clock.monotonic();
    };
  }

  /** Something moved. */
  readonly move: () => void;

  [Symbol.dispose](): void {
    this.#end.abort();
  }

  async #watch(clock: Clock, connection: Deno.Conn): Promise<void> {
    while (true) {
      const left = this.#lastMs + TCP_IDLE_MS - clock.monotonic();
      if (left <= 0) return close(connection);
      await clock.sleep(left, this.#end.signal);
    }
  }
}

/** @returns False if the other side ended before, or the connection broke. */
async function readFull(
  connection: Deno.Conn,
  into: Uint8Array,
  idle: IdleTimer,
): Promise<boolean> {
  for (let done = 0; done < into.length;) {
    const count = await connection.read(into.subarray(done)).catch(whenBroken);
    if (count === null) return false;
    idle.move();
    done += count;
  }
  return true;
}

/** @returns False if the connection broke. */
async function writeFull(
  connection: Deno.Conn,
  bytes: Uint8Array,
): Promise<boolean> {
  for (let done = 0; done < bytes.length;) {
    const count = await connection.write(bytes.subarray(done))
      .catch(whenBroken);
    if (count === null) return false;
    done += count;
  }
  return true;
}

interface Sockets {
  readonly port: number;
  readonly addresses: readonly string[];
  readonly problems: readonly string[];
  readonly udp: readonly Deno.DatagramConn[];
  readonly tcp: readonly Deno.Listener[];
}

/** Both protocols on both addresses of loopback. IPv4 is a must: a machine without it has no use for this server. */
function bindSockets(port: number): Sockets {
  if (port !== 0) return bindAll(port);
  for (let attempt = 1;; attempt++) {
    const sockets = bindAll(freePort());
    if (sockets.addresses.length > 0 || attempt === BIND_ATTEMPTS) {
      return sockets;
    }
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: LOOPBACK_V4, port: 0 });
  return listener.addr.port;
}

function bindAll(port: number): Sockets {
  const bound = [LOOPBACK_V4, LOOPBACK_V6].map((hostname) =>
    bindPair(hostname, port)
  );
  const isUsable = typeof bound[0] === "object";
  if (!isUsable) {
    for (const pair of bound) if (typeof pair === "object") closePair(pair);
  }
  const pairs = isUsable
    ? bound.filter((pair) => typeof pair === "object")
    : [];
  return {
    port,
    addresses: pairs.map(({ hostname }) => hostname),
    problems: bound.filter((pair) => typeof pair === "string"),
    udp: pairs.map(({ udp }) => udp),
    tcp: pairs.map(({ tcp }) => tcp),
  };
}

interface Pair {
  readonly hostname: string;
  readonly udp: Deno.DatagramConn;
  readonly tcp: Deno.Listener;
}

/** Both protocols on one address, or why that is not possible. */
function bindPair(hostname: string, port: number): Pair | string {
  let udp: Deno.DatagramConn | null = null;
  try {
    udp = Deno.listenDatagram({ transport: "udp", hostname, port });
    return { hostname, udp, tcp: Deno.listen({ hostname, port }) };
  } catch (error) {
    udp?.close();
    const name = hostname.includes(":") ? `[${hostname}]` : hostname;
    return `${name}:${port} ${reasonOf(error)}`;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) return "is taken";
  if (error instanceof Deno.errors.PermissionDenied) return "needs root";
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return "is no address of this machine";
  }
  // A kernel without IPv6 says so in a code of its own.
  if (error instanceof Error && "code" in error) {
    return `cannot be bound (${error.code})`;
  }
  throw error;
}

function closePair({ udp, tcp }: Pair): void {
  udp.close();
  tcp.close();
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    // Closed before, by its own end or by ours.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** What a socket throws once it is closed. */
function whenClosed(error: unknown): null {
  if (
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted
  ) return null;
  throw error;
}

/** What a listener throws: it is closed, or there is no descriptor for the next connection. */
function whenShort(error: unknown): null | "short" {
  const isShort = error instanceof Error && "code" in error &&
    SHORT.has(error.code);
  return isShort ? "short" : whenClosed(error);
}

const SHORT: ReadonlySet<unknown> = new Set([
  "EMFILE",
  "ENFILE",
  "ECONNABORTED",
]);

/** What a peer does to its connection is no failure of ours. */
function whenBroken(error: unknown): null {
  if (error instanceof Error && error.constructor.name in Deno.errors) {
    return null;
  }
  if (error instanceof Error && "code" in error) return null;
  throw error;
}
