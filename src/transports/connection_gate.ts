/**
 * A loopback port before a server that listens on a Unix socket: what strangers may cost is bounded here.
 *
 * `Deno.serve` holds a connection for as long as its peer likes, as many as there are descriptors, and ends the process
 * when there are no more. Every user of the machine, and every web page, reaches a port; so each connection first has to
 * be somebody's who may ask, and say a request here, soon and of reasonable size, and must not fall silent for long.
 *
 * It listens on both addresses that `localhost` is: clients take the first that answers, and whoever else had the other
 * one would get their requests.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { settledWithin } from "../kit/deadline.ts";
import { Timer } from "../kit/timer.ts";

/** What the gate lets through. */
export interface GateLimits {
  /** Connections at a time; one more is turned away at once. */
  readonly connections: number;
  /** Milliseconds until the first request's head is there. */
  readonly headMs: number;
  /** Bytes of that head. */
  readonly headBytes: number;
  /** Milliseconds without a byte in either direction. */
  readonly idleMs: number;
}

/** Browsers hold six connections to a host; an event stream or a WebSocket says something each half minute. */
export const GATE_LIMITS: GateLimits = {
  connections: 256,
  headMs: 10_000,
  headBytes: 16 * 1024,
  idleMs: 300_000,
};

/** Connections at a time that are told why they are turned away; more are closed without a word. */
const MAX_TURNED_AWAY = 8;

/** Milliseconds until the head of such a one is there; it is only read so that the answer arrives. */
const TURNED_AWAY_HEAD_MS = 1_000;

/** Answers to who is turned away. */
const TURNED_AWAY = {
  stranger: { status: "403 Forbidden", error: "forbidden_user" },
  full: { status: "503 Service Unavailable", error: "too_many_connections" },
} as const;

/** Ports that are tried for one that is free on both addresses, if any will do. */
const PORT_ATTEMPTS = 8;

/** Pause after a failure to accept or to reach the server. */
const RETRY_MS = 100;

/** Held for each direction of each connection, so a thousand of them stay small. */
const CHUNK_BYTES = 16 * 1024;

/** Origin form only: no proxy asks here, and what else a target may name would escape a check of the Host header. */
const REQUEST_LINE_REGEXP = /^[A-Z]{1,16} \/[!-~]* HTTP\/1\.[01]\r\n/;

/** One end of a connection. */
export interface GateEnd {
  /** `127.0.0.1`, `::1`. */
  readonly address: string;
  readonly port: number;
}

/** Who speaks to whom. */
export interface GateEnds {
  readonly client: GateEnd;
  readonly server: GateEnd;
}

/** How to open a gate. */
export interface GateOptions {
  /** Port on 127.0.0.1 and ::1; 0 = any free one. */
  readonly port: number;
  readonly clock: Clock;
  /** Connects to the server behind. */
  forward(): Promise<Deno.Conn>;
  /** Whether a connection may be used, asked once, as soon as it is there. Absent = every one. Must not reject. */
  admits?(ends: GateEnds): Promise<boolean>;
  readonly limits?: GateLimits;
  /** Asked once, when as many connections are open as the limits allow: how many there may be after all. */
  moreConnections?(): Promise<number>;
}

/** An open gate. Disposal closes the port and every connection, and waits for them. */
export class ConnectionGate implements AsyncDisposable {
  readonly #listeners: readonly Deno.TcpListener[];
  readonly #options: GateOptions;
  readonly #limits: GateLimits;
  readonly #open = new Map<Promise<void>, () => void>();
  readonly #closing = new AbortController();
  readonly #accepting: Promise<unknown>;
  #turnedAway = 0;
  #most: number;
  #hasAsked = false;

  /** @throws {Deno.errors.AddrInUse} If the port is taken on 127.0.0.1. */
  constructor(options: GateOptions) {
    this.#options = options;
    this.#limits = options.limits ?? GATE_LIMITS;
    this.#most = this.#limits.connections;
    this.#listeners = listenOnLoopback(options.port);
    this.#accepting = Promise.all(
      this.#listeners.map((listener) => this.#accept(listener)),
    );
  }

  /** Where it listens on IPv4. */
  get addr(): Deno.NetAddr {
    return this.#listeners[0]!.addr;
  }

  /** Whether `[::1]` leads here too. */
  get hasIpv6(): boolean {
    return this.#listeners.length === 2;
  }

  /** Connections that are open now, but for those that are being turned away. */
  get size(): number {
    return this.#open.size - this.#turnedAway;
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        const client = await listener.accept();
        if (this.size >= this.#most) await this.#askForMore();
        this.#admit(client);
      } catch {
        // A lack of descriptors, or the end. Neither may end the process.
        await this.#options.clock.sleep(RETRY_MS, signal)
          .then(() => {}, () => {});
      }
    }
  }

  /** Never rejects: whoever cannot be asked now, for lack of descriptors perhaps, is not asked again. */
  async #askForMore(): Promise<void> {
    if (this.#hasAsked) return;
    this.#hasAsked = true;
    const { moreConnections } = this.#options;
    try {
      this.#most = Math.max(this.#most, await moreConnections?.() ?? 0);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }

  #admit(client: Deno.TcpConn): void {
    if (this.#closing.signal.aborted) {
      closeQuietly(client);
      return;
    }
    const isFull = this.size >= this.#most;
    const passage = new Passage(client, this.#limits);
    const leading = isFull
      ? this.#turnAway(passage, "full")
      : this.#lead(client, passage);
    const done = leading.finally(() => this.#open.delete(done));
    this.#open.set(done, () => passage.close());
  }

  async #lead(client: Deno.TcpConn, passage: Passage): Promise<void> {
    const { admits = () => Promise.resolve(true), forward } = this.#options;
    if (await admits(endsOf(client))) await passage.run(forward);
    else await this.#turnAway(passage, "stranger");
  }

  async #turnAway(
    passage: Passage,
    why: keyof typeof TURNED_AWAY,
  ): Promise<void> {
    this.#turnedAway++;
    try {
      if (this.#turnedAway <= MAX_TURNED_AWAY) {
        await passage.turnAway(TURNED_AWAY[why]);
      } else passage.close();
    } finally {
      this.#turnedAway--;
    }
  }

  /**
   * Lets nobody in any more, and waits until what the server said has gone out. The server must have ended, or this
   * takes all of the time.
   *
   * @param ms Milliseconds at most.
   */
  async drain(ms: number): Promise<void> {
    await this.#shut();
    await settledWithin(Promise.all(this.#open.keys()), {
      clock: this.#options.clock,
      ms,
      signal: new AbortController().signal,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shut();
    for (const close of this.#open.values()) close();
    await Promise.all(this.#open.keys());
  }

  async #shut(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort();
      for (const listener of this.#listeners) listener.close();
    }
    await this.#accepting;
  }
}

/**
 * Listens on 127.0.0.1, and on ::1 if that can be had.
 *
 * @throws {Deno.errors.AddrInUse} If the port is taken on 127.0.0.1.
 */
function listenOnLoopback(port: number): Deno.TcpListener[] {
  for (let attempt = 1;; attempt++) {
    const first = Deno.listen({ hostname: "127.0.0.1", port });
    try {
      const second = Deno.listen({ hostname: "::1", port: first.addr.port });
      return [first, second];
    } catch (error) {
      const isTaken = error instanceof Deno.errors.AddrInUse;
      if (isTaken && port === 0 && attempt < PORT_ATTEMPTS) {
        first.close();
        continue;
      }
      // Taken, or a machine without IPv6, which fails in many ways.
      if (error instanceof Error) return [first];
      throw error;
    }
  }
}

function endsOf({ localAddr, remoteAddr }: Deno.TcpConn): GateEnds {
  return { client: endOf(remoteAddr), server: endOf(localAddr) };
}

function endOf({ hostname, port }: Deno.NetAddr): GateEnd {
  return { address: hostname, port };
}

/** One connection on its way through. */
class Passage {
  readonly #client: Deno.TcpConn;
  readonly #limits: GateLimits;
  readonly #timer = new Timer(() => this.close());
  #server: Deno.Conn | null = null;
  #isClosed = false;

  constructor(client: Deno.TcpConn, limits: GateLimits) {
    this.#client = client;
    this.#limits = limits;
  }

  /** Never rejects: whatever goes wrong on a connection, reset by either side or closed here, is the end of it. */
  async run(forward: () => Promise<Deno.Conn>): Promise<void> {
    try {
      // The gate may have been closed meanwhile.
      if (this.#isClosed) return;
      await this.#pass(forward);
      this.close();
    } catch {
      this.close();
    }
  }

  /** Says why it is not let in. Never rejects. */
  async turnAway(
    { status, error }: { readonly status: string; readonly error: string },
  ): Promise<void> {
    try {
      this.#timer.arm(Math.min(this.#limits.headMs, TURNED_AWAY_HEAD_MS));
      const head = await this.#readHead();
      const body = JSON.stringify({ ok: false, error });
      if (head !== null) await this.#refuse(status, body);
      this.close();
    } catch {
      this.close();
    }
  }

  async #pass(forward: () => Promise<Deno.Conn>): Promise<void> {
    this.#timer.arm(this.#limits.headMs);
    const head = await this.#readHead();
    if (head === null) return;
    // An answer comes in parts. Kept back, the second waits 40 ms for the client to confirm the first.
    this.#client.setNoDelay(true);
    this.#server = await forward();
    if (this.#isClosed) return closeQuietly(this.#server);
    await writeAll(this.#server, head);
    await Promise.race([
      this.#copy(this.#server, this.#client),
      this.#copy(this.#client, this.#server).then(() => this.#drained()),
    ]);
  }

  /** Idempotent. What is being read or written ends. */
  close(): void {
    this.#timer.disarm();
    this.#isClosed = true;
    closeQuietly(this.#client);
    if (this.#server !== null) closeQuietly(this.#server);
  }

  /** What the client said up to the end of its first head, and maybe more. Null, and an answer, if that is no request. */
  async #readHead(): Promise<Uint8Array | null> {
    const decoder = new TextDecoder("latin1");
    const buffer = new Uint8Array(this.#limits.headBytes);
    for (let size = 0;;) {
      const count = await this.#client.read(buffer.subarray(size));
      if (count === null) return null;
      size += count;
      const text = decoder.decode(buffer.subarray(0, size));
      if (text.includes("\r\n") && !REQUEST_LINE_REGEXP.test(text)) {
        return await this.#refuse("400 Bad Request");
      }
      if (text.includes("\r\n\r\n")) return buffer.subarray(0, size);
      if (size === buffer.length) {
        return await this.#refuse("431 Request Header Fields Too Large");
      }
    }
  }

  async #refuse(status: string, body = ""): Promise<null> {
    const answer = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\n` +
      `content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
    await writeAll(this.#client, new TextEncoder().encode(answer));
    return null;
  }

  async #copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const chunk = new Uint8Array(CHUNK_BYTES);
    while (true) {
      this.#timer.disarm();
      this.#timer.arm(this.#limits.idleMs);
      const count = await from.read(chunk);
      if (count === null) return;
      await writeAll(to, chunk.subarray(0, count));
    }
  }

  /** The client says no more. What the server still says goes out, in the time of an idle connection. */
  async #drained(): Promise<void> {
    await this.#server?.closeWrite();
    await Promise.withResolvers<never>().promise;
  }
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
