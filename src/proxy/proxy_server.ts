/**
 * The HTTPS proxy: ends TLS, speaks HTTP/1.1 and HTTP/2 to clients and HTTP/1.1 to tasks.
 *
 * It owns no port: connections come from whoever bound one.
 *
 * @module
 */

import type {
  IncomingMessage,
  Server as Http1Server,
  ServerResponse,
} from "node:http";
import {
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import {
  createServer as createTlsServer,
  type Server as TlsServer,
  type TLSSocket,
} from "node:tls";
import { nameOfAuthority, parseHostName } from "../domain/host_name.ts";
import { type Clock, systemClock } from "../kit/clock.ts";
import type { CertificateSource } from "./certificates.ts";
import type { RawHeaders } from "./end_to_end_headers.ts";
import type { Exchange } from "./exchange.ts";
import {
  createExchangeServer,
  MAX_HEAD_BYTES,
  repeatUntil,
} from "./exchange_server.ts";
import { isOfForeignPage } from "./foreign_page.ts";
import { forwardRequest } from "./forward_request.ts";
import { Http1Exchange } from "./http1_exchange.ts";
import { Http2Exchange } from "./http2_exchange.ts";
import { IdleWatch, type Watched } from "./idle_watch.ts";
import { MISDIRECTED, TOO_MANY } from "./refusal.ts";
import { repairEmptyWrites } from "./repair_empty_writes.ts";
import { repairReadPause } from "./repair_read_pause.ts";
import { ResetBudget } from "./reset_budget.ts";
import { PlainConnection, type PlainHost } from "./plain_connection.ts";
import type { Refusal, Route, Router } from "./router.ts";
import { SecureContexts } from "./secure_contexts.ts";
import { UpgradeTunnels } from "./tunnel_upgrade.ts";
import { UpstreamAgents } from "./upstream_agents.ts";

/** What the proxy works with. */
export interface ProxyOptions {
  readonly router: Router;
  readonly certificates: CertificateSource;
  readonly clock?: Clock;
  /** Most WebSockets at the same time; by default 10,000. */
  readonly maxTunnels?: number;
  /** Most connections of clients and to tasks together; by default 16,384. */
  readonly maxOpen?: number;
  /** Reports a failure of the proxy itself. What clients and tasks do is none. */
  onError(error: unknown): void;
}

/** Longest TLS handshake. */
const HANDSHAKE_MS = 10_000;

/** Longest time without a request: between two of them, for the first one, and for the head of one. */
const IDLE_MS = 75_000;

/** Between two looks for connections that are idle. */
const SWEEP_MS = 5_000;

/** Connections of clients and to tasks. Far above what browsers open. */
const MAX_OPEN = 16_384;

/** Requests under way on one connection; each has a connection to its task. A page of a thousand modules stays below. */
const MAX_PER_CONNECTION = 256;

/** See the module. Disposal ends every connection at once. */
export class ProxyServer implements AsyncDisposable {
  readonly #options: ProxyOptions;
  readonly #clock: Clock;
  readonly #tls: TlsServer;
  readonly #http1: Http1Server;
  readonly #http2: Http2Server;
  readonly #tunnels: UpgradeTunnels;
  readonly #agents: UpstreamAgents;
  readonly #idle: IdleWatch;
  readonly #sockets = new Set<Socket>();
  readonly #maxOpen: number;
  /** Requests under way. */
  #requests = 0;
  /** What the first request of a connection is told that was handed over. */
  readonly #refusals = new WeakMap<object, Refusal>();
  readonly #watched = new WeakMap<object, Watched>();
  readonly #budgets = new WeakMap<ServerHttp2Session, ResetBudget>();
  readonly #stop = new AbortController();
  readonly #sweeping: Promise<void>;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#maxOpen = options.maxOpen ?? MAX_OPEN;
    this.#tunnels = new UpgradeTunnels({
      ...options,
      passage: {
        find: (asked, client) => this.#find(asked, client),
        failed: (upstream, error) => options.router.failed(upstream, error),
      },
    });
    this.#clock = options.clock ?? systemClock;
    const now = (): number => this.#clock.monotonic();
    this.#agents = new UpstreamAgents(now);
    this.#idle = new IdleWatch(now);
    this.#tls = this.#createTls(new SecureContexts(options));
    this.#http1 = this.#createHttp1();
    this.#http2 = this.#createHttp2();
    const pace = { clock: this.#clock, everyMs: SWEEP_MS };
    this.#sweeping = repeatUntil(this.#stop.signal, pace, () => {
      this.#idle.sweep(IDLE_MS);
      this.#agents.sweep();
    });
  }

  /** Takes a connection over. */
  accept(socket: Socket): void {
    if (this.#isFull || this.#stop.signal.aborted) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    this.#tls.emit("connection", socket);
  }

  /** Whoever used up what this process may have open would end it. */
  get #isFull(): boolean {
    const { size } = this.#sockets;
    return size + this.#requests + this.#tunnels.size >= this.#maxOpen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#tunnels[Symbol.dispose]();
    for (const socket of this.#sockets) socket.destroy();
    this.#agents[Symbol.dispose]();
    await this.#sweeping;
  }

  #createTls(contexts: SecureContexts): TlsServer {
    const server = createTlsServer({
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: HANDSHAKE_MS,
      SNICallback: (name, done) => {
        contexts.contextFor(name).then(
          (context) => done(null, context),
          (error) => {
            this.#options.onError(error);
            done(error);
          },
        );
      },
    });
    server.on("secureConnection", (socket) => this.#serve(socket));
    // Whoever gives up a handshake is no failure of ours.
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    return server;
  }

  #createHttp1(): Http1Server {
    return createExchangeServer({
      idleMs: IDLE_MS,
      answer: (request, response) => this.#answerHttp1(request, response),
      upgrade: (request, socket, head) => {
        const watched = this.#watched.get(socket);
        // For good: a tunnel may be silent.
        if (watched !== undefined) this.#idle.begin(watched);
        this.#tunnels.accept(request, socket, head);
      },
    });
  }

  #answerHttp1(request: IncomingMessage, response: ServerResponse): void {
    const exchange = new Http1Exchange(request, response);
    const refusal = this.#refusals.get(request.socket);
    if (refusal !== undefined) {
      this.#refusals.delete(request.socket);
      return exchange.refuse(refusal);
    }
    void this.#answer(exchange, this.#watched.get(request.socket));
  }

  #createHttp2(): Http2Server {
    const server = createHttp2Server({
      settings: {
        maxHeaderListSize: MAX_HEAD_BYTES,
        maxConcurrentStreams: MAX_PER_CONNECTION,
      },
    });
    server.on("session", (session) => {
      session.on("error", () => {});
      // To a client that says goodbye Deno says so twice, and nghttp2 stops the process if streams are closed in between.
      Object.defineProperty(session, "goaway", { value: () => {} });
      this.#budgets.set(
        session,
        new ResetBudget(() => this.#clock.monotonic()),
      );
    });
    server.on("sessionError", () => {});
    server.on(
      "stream",
      (
        stream: ServerHttp2Stream,
        headers: IncomingHttpHeaders,
        _flags: number,
        rawHeaders: string[],
      ) => {
        const { session } = stream;
        const budget = session === undefined
          ? undefined
          : this.#budgets.get(session as ServerHttp2Session);
        if (session === undefined || budget === undefined) return;
        void this.#answer(
          new Http2Exchange({ stream, headers, rawHeaders, budget }),
          this.#watched.get(session.socket),
        );
      },
    );
    return server;
  }

  /** After the handshake. */
  #serve(socket: TLSSocket): void {
    socket.setNoDelay(true);
    repairEmptyWrites(socket);
    socket.on("error", () => socket.destroy());
    const watched = this.#idle.add(() => socket.destroy());
    this.#watched.set(socket, watched);
    socket.on("close", () => this.#idle.remove(watched));
    const isHttp2 = socket.alpnProtocol === "h2";
    // HTTP/2 has windows of its own.
    if (!isHttp2) repairReadPause(socket);
    if (isHttp2) this.#http2.emit("connection", socket);
    else new PlainConnection(socket, this.#plainHost(socket, watched));
  }

  #plainHost(socket: TLSSocket, watched: Watched): PlainHost {
    const { router } = this.#options;
    return {
      idleS: IDLE_MS / 1_000,
      begin: () => {
        const isTooMany = this.#isFull;
        this.#requests += 1;
        this.#idle.begin(watched);
        return isTooMany ? TOO_MANY : null;
      },
      end: () => {
        this.#requests -= 1;
        this.#idle.end(watched);
      },
      find: (request, departure) => this.#find(request, departure),
      failed: (upstream, error) => router.failed(upstream, error),
      use: (upstream) => this.#agents.use(upstream),
      handOver: (bytes, refusal) => {
        if (refusal !== null) this.#refusals.set(socket, refusal);
        socket.unshift(bytes);
        this.#http1.emit("connection", socket);
        socket.resume();
      },
      onError: (error) => this.#options.onError(error),
    };
  }

  /** Where a request to this authority goes. */
  async #find(
    { authority, headers }: { authority: string; headers: RawHeaders },
    client: { readonly signal: AbortSignal },
  ): Promise<Route> {
    const { router } = this.#options;
    const name = nameOfAuthority(authority);
    const host = name === null ? null : parseHostName(name, router.tld);
    if (host === null) return MISDIRECTED;
    return await router.find(host, client, {
      isForeign: isOfForeignPage(headers, router.tld),
    });
  }

  async #answer(
    exchange: Exchange,
    watched: Watched | undefined,
  ): Promise<void> {
    const isTooMany = this.#isFull ||
      (watched?.active ?? 0) >= MAX_PER_CONNECTION;
    this.#requests += 1;
    if (watched !== undefined) this.#idle.begin(watched);
    try {
      if (isTooMany) exchange.refuse(TOO_MANY);
      else await this.#route(exchange);
    } catch (error) {
      // The client went away meanwhile.
      if (exchange.departure.isGone) return;
      this.#options.onError(error);
      exchange.abort();
    } finally {
      this.#requests -= 1;
      if (watched !== undefined) this.#idle.end(watched);
    }
  }

  async #route(exchange: Exchange): Promise<void> {
    const { target, headers, departure } = exchange;
    if (target === null) return exchange.refuse(MISDIRECTED);
    const { authority } = target;
    const route = await this.#find({ authority, headers }, departure);
    if (route.kind === "refusal") return exchange.refuse(route);
    await forwardRequest({
      exchange,
      target,
      upstream: route,
      router: this.#options.router,
      agents: this.#agents,
    });
  }
}
