/**
 * The ports of the proxy, bound before there is one: a daemon that starts as root can bind them only then.
 *
 * Whoever serves them later takes the connections over ({@linkcode FrontPort.serve}); no certificate is needed to bind.
 * Until then HTTP is answered with 503 and HTTPS is closed, so that nobody waits.
 *
 * @module
 */

import { createServer, type Server, type Socket } from "node:net";
import { Timer } from "../kit/timer.ts";

/** How often {@linkcode FrontPort} begins to listen again. */
const LISTEN_MS = 2_000;

/** Connections that wait to be accepted, as `node:net` has it. */
const BACKLOG = 511;

/** What to bind. */
export interface FrontAddress {
  /** An address; each of the two of loopback stands for both. */
  readonly bind: string;
  readonly port: number;
  /** Whether it is this one address that counts, also where it is one of loopback. */
  readonly isOnly?: boolean;
}

/** Takes care of one connection. */
export type ConnectionHandler = (socket: Socket) => void;

/** One port, on one address or both of loopback. */
export class FrontPort implements AsyncDisposable {
  readonly port: number;
  /** Addresses that are bound; empty if none is. */
  readonly addresses: readonly string[];
  /** Why an address is not bound. */
  readonly problems: readonly string[];
  /** Whether it is another process that has the port. */
  readonly isTaken: boolean;
  readonly #servers: readonly Server[];
  readonly #sockets = new Set<Socket>();
  readonly #listening = new Timer(() => this.#listenAgain());
  #handle: ConnectionHandler;

  private constructor(
    port: number,
    bound: readonly Bound[],
    first: ConnectionHandler,
  ) {
    this.port = port;
    this.#handle = first;
    this.addresses = bound.flatMap((each) =>
      each.server === null ? [] : [each.address]
    );
    this.problems = bound.flatMap((each) => each.problem ?? []);
    this.isTaken = bound.some((each) => each.isTaken);
    this.#servers = bound.flatMap((each) => each.server ?? []);
    for (const server of this.#servers) {
      server.on("connection", (socket) => this.#accept(socket));
    }
    if (this.#servers.length > 0) this.#listening.arm(LISTEN_MS);
  }

  /**
   * Binds a port. What cannot be bound is told, not thrown.
   *
   * @param handle Gets the connections until {@linkcode serve} is called.
   */
  static async open(
    { bind, port, isOnly = false }: FrontAddress,
    handle: ConnectionHandler,
  ): Promise<FrontPort> {
    const bound: Bound[] = [];
    // Any free port is the same one on the second address.
    let chosen = port;
    for (const address of isOnly ? [bind] : addressPlan(bind)) {
      const one = await bindOne(address, chosen);
      bound.push(one);
      const found = one.server?.address();
      if (chosen === 0 && typeof found === "object" && found !== null) {
        chosen = found.port;
      }
      // It takes connections of both families.
      if (address === ANY && (one.server !== null || one.isTaken)) break;
    }
    return new FrontPort(chosen, bound, handle);
  }

  /** From now on connections go here. Those that are under way stay where they are. */
  serve(handle: ConnectionHandler): void {
    this.#handle = handle;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening.disarm();
    const closed = this.#servers.map((server) =>
      new Promise<void>((resolve) => server.close(() => resolve()))
    );
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  /**
   * Without a descriptor for a connection Deno 2.9 accepts no other ever again, and tells nobody. To listen once more
   * changes that, and is nothing otherwise.
   */
  #listenAgain(): void {
    for (const server of this.#servers) {
      const { _handle: handle } = server as unknown as Listening;
      handle?.listen(BACKLOG);
    }
    this.#listening.arm(LISTEN_MS);
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    // A peer that goes away is no failure of ours.
    socket.on("error", () => socket.destroy());
    this.#handle(socket);
  }
}

/** What a server consists of. */
interface Listening {
  readonly _handle: { listen(backlog: number): number } | null;
}

/** How long a client may take to send its request. */
const REQUEST_MS = 5_000;

const UNAVAILABLE = "taskmux: no task has a host yet\n";

/** Answers any HTTP request with 503. */
export function answerUnavailable(socket: Socket): void {
  socket.setTimeout(REQUEST_MS, () => socket.destroy());
  // Only then is the request read, and the answer not lost to a reset.
  socket.once("data", () => {
    socket.end(
      "HTTP/1.1 503 Service Unavailable\r\n" +
        "content-type: text/plain; charset=utf-8\r\n" +
        `content-length: ${UNAVAILABLE.length}\r\n` +
        "cache-control: no-store\r\nconnection: close\r\n\r\n" + UNAVAILABLE,
    );
    socket.resume();
  });
}

/** Ends the connection: without a certificate there is nothing to say. */
export function closeAtOnce(socket: Socket): void {
  socket.destroy();
}

/** Every address of this machine. Deno knows no socket for those of IPv6 alone: bound beside `0.0.0.0` it is taken. */
const ANY = "::";

interface Bound {
  readonly address: string;
  readonly server: Server | null;
  readonly problem: string | null;
  readonly isTaken: boolean;
}

async function bindOne(address: string, port: number): Promise<Bound> {
  const host = `${nameOf(address)}:${port}`;
  // Asked before, because node:net throws the refusal where nobody can catch it.
  if (Deno.permissions.querySync({ name: "net", host }).state !== "granted") {
    return notBound(address, port, "NotCapable");
  }
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  try {
    const ipv6Only = address !== ANY;
    server.listen({ host: address, port, ipv6Only }, resolve);
    await promise;
    server.removeListener("error", reject);
    // An accept that fails, for want of descriptors, must not end the daemon.
    server.on("error", () => {});
    return { address, server, problem: null, isTaken: false };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = "code" in error ? String(error.code) : error.name;
    return notBound(address, port, code);
  }
}

function notBound(address: string, port: number, code: string): Bound {
  return {
    address,
    server: null,
    problem: `${nameOf(address)}:${port} ${reasonOf(code)}`,
    isTaken: code === "EADDRINUSE",
  };
}

function reasonOf(code: string): string {
  switch (code) {
    case "EADDRINUSE":
      return "is taken";
    case "EACCES":
    case "EPERM":
      return "needs root";
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
      return "is no address of this machine";
    case "NotCapable":
      return "is not on loopback, and this daemon was started without the permission to listen there";
    default:
      return `cannot be bound (${code})`;
  }
}

function addressPlan(bind: string): readonly string[] {
  switch (bind) {
    case "localhost":
    case "127.0.0.1":
      return ["127.0.0.1", "::1"];
    case "::1":
      return ["::1", "127.0.0.1"];
    case "0.0.0.0":
    case ANY:
      // The second where there is no IPv6.
      return [ANY, "0.0.0.0"];
    default:
      return [bind];
  }
}

function nameOf(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
