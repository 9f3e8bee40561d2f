/**
 * The gate through which everything from outside comes to a task: a plain HTTP/1.1 listener on 127.0.0.1, where a
 * provider's program delivers what visitors ask. It decides who is let in, hides this machine behind the public name, and
 * tells of each request.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../kit/clock.ts";
import { FrontPort } from "../transports/front_ports.ts";
import { createExchangeServer, repeatUntil } from "./exchange_server.ts";
import { groupOf } from "./failed_tries.ts";
import { forwardRequest } from "./forward_request.ts";
import { GateSockets } from "./gate_sockets.ts";
import type { AccessControl, AccessDecision } from "./public_access.ts";
import { GONE, PublicExchange } from "./public_exchange.ts";
import {
  answerHeadText,
  forwardedFields,
  isMeant,
  type PublicNames,
  requestFields,
  visitorOf,
  withOwnOrigin,
} from "./public_headers.ts";
import {
  BUSY,
  OWN_FIELDS,
  publicAnswer,
  unavailable,
  UNSERVABLE,
} from "./public_pages.ts";
import { http1Target, type RequestTarget } from "./request_target.ts";
import {
  type GateRequest,
  type GateVerdict,
  loggedPath,
} from "../domain/request_line.ts";
import type { RefusalResponse } from "./refusal_response.ts";
import type { Refusal, Route, Upstream } from "./router.ts";
import {
  answerUpgrade,
  type Passage,
  UpgradeTunnels,
} from "./tunnel_upgrade.ts";
import { UpstreamAgents } from "./upstream_agents.ts";

export type { GateRequest, GateVerdict } from "../domain/request_line.ts";

/** What a gate works with. */
export interface PublicGateOptions {
  /** 0 = any that is free, else exactly this one. */
  readonly port: number;
  /** Where requests go now. Starts nothing. Rejects only with the signal's reason. */
  find(client: { readonly signal: AbortSignal }): Promise<Route>;
  /** The task could not be reached, or broke the connection before its answer. */
  failed(upstream: Upstream, error: Error): Refusal;
  /** The names of the task. Asked for each request. */
  facts(): PublicNames;
  readonly access: AccessControl;
  /** Called once for each request, when it is over, and for each WebSocket, when it is decided. */
  onRequest(entry: GateRequest): void;
  readonly clock: Clock;
  /** Most connections of visitors and to the task together; by default 2,048. */
  readonly maxOpen?: number;
  /** Reports a failure of the gate itself. What visitors and tasks do is none. */
  onError(error: unknown): void;
}

/** Connections of visitors and to the task. */
const MAX_OPEN = 2_048;

/** Requests and WebSockets of one visitor at a time. A page of a thousand modules asks for fewer at once. */
const MAX_PER_VISITOR = 256;

/** Between two looks for connections that have nothing to say. */
const SWEEP_MS = 5_000;

const ADDRESS = "127.0.0.1";

/** See the module. Disposal ends every connection at once. */
export class PublicGate implements AsyncDisposable {
  readonly #options: PublicGateOptions;
  readonly #front: FrontPort;
  readonly #server: Server;
  readonly #tunnels: UpgradeTunnels;
  readonly #agents: UpstreamAgents;
  readonly #sockets: GateSockets;
  readonly #maxOpen: number;
  /** Requests and WebSockets under way, by visitor. */
  readonly #visitors = new Map<string, number>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #sweeping: Promise<void>;
  #active = 0;
  #requests = 0;
  #refused = 0;

  private constructor(front: FrontPort, options: PublicGateOptions) {
    this.#options = options;
    this.#front = front;
    this.#maxOpen = options.maxOpen ?? MAX_OPEN;
    const now = (): number => options.clock.monotonic();
    this.#agents = new UpstreamAgents(now);
    this.#sockets = new GateSockets(now);
    this.#tunnels = new UpgradeTunnels({
      passage: {
        find: (_asked, client) => options.find(client),
        failed: (upstream, error) => options.failed(upstream, error),
      },
      maxTunnels: this.#maxOpen,
      onError: (error) => options.onError(error),
    });
    this.#server = this.#createServer();
    const pace = { clock: options.clock, everyMs: SWEEP_MS };
    this.#sweeping = repeatUntil(this.#stop.signal, pace, () => {
      this.#sockets.sweep();
      this.#agents.sweep();
    });
    options.access.onNarrowed(() => this.#sockets.endAll());
    front.serve((socket) => this.#accept(socket));
  }

  /**
   * Listens on 127.0.0.1.
   *
   * @throws {Deno.errors.AddrInUse} If the port is taken.
   */
  static async open(options: PublicGateOptions): Promise<PublicGate> {
    const front = await FrontPort.open(
      { bind: ADDRESS, port: options.port, isOnly: true },
      (socket) => socket.destroy(),
    );
    if (front.addresses.length > 0) return new PublicGate(front, options);
    await front[Symbol.asyncDispose]();
    const [problem = `${ADDRESS}:${options.port} cannot be bound`] =
      front.problems;
    throw front.isTaken
      ? new Deno.errors.AddrInUse(problem)
      : new Error(`Cannot open a gate: ${problem}`);
  }

  /** Where it listens. */
  get port(): number {
    return this.#front.port;
  }

  /** Requests and WebSockets so far. */
  get requests(): number {
    return this.#requests;
  }

  /** How many of them were not let in. */
  get refused(): number {
    return this.#refused;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#options.access.onNarrowed(() => {});
    this.#tunnels[Symbol.dispose]();
    this.#agents[Symbol.dispose]();
    this.#sockets.endAll();
    await this.#front[Symbol.asyncDispose]();
    await Promise.all([this.#sweeping, ...this.#underWay]);
  }

  #createServer(): Server {
    return createExchangeServer({
      idleMs: this.#sockets.idleMs,
      fields: Object.entries(OWN_FIELDS)
        .map(([name, value]) => `${name}: ${value}\r\n`).join(""),
      answer: (request, response) => {
        this.#follow(request.socket, this.#answer(request, response));
      },
      upgrade: (request, stream, head) => {
        const socket = stream as Socket;
        this.#follow(socket, this.#upgrade(request, socket, head));
      },
    });
  }

  #follow(socket: Socket, work: Promise<void>): void {
    const done = work.catch((error) => {
      socket.destroy();
      if (!this.#stop.signal.aborted) this.#options.onError(error);
    }).finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  #accept(socket: Socket): void {
    if (this.#stop.signal.aborted) return void socket.destroy();
    if (!this.#hasRoom()) return void socket.destroy();
    socket.setNoDelay(true);
    // Each request that waits for the answer before it listens.
    socket.setMaxListeners(0);
    this.#sockets.add(socket);
    this.#server.emit("connection", socket);
  }

  /** Whoever only connects makes room for those that ask. */
  #hasRoom(): boolean {
    if (this.#isFull) this.#sockets.endSilent();
    return !this.#isFull;
  }

  /** Whoever used up what this process may have open would end it. */
  get #isFull(): boolean {
    return this.#sockets.size + this.#active + this.#tunnels.size >=
      this.#maxOpen;
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { access, clock } = this.#options;
    const arrival = this.#arrivalOf(request);
    const exchange = new PublicExchange(request, response, {
      names: arrival.names,
      isGuarded: access.isGuarded,
    });
    const since = clock.monotonic();
    const gated = this.#sockets.of(request.socket);
    const isTooMany = !this.#begin(arrival);
    if (gated !== undefined) this.#sockets.begin(gated, request, response);
    this.#active += 1;
    try {
      if (isTooMany) exchange.tell(BUSY, "refused");
      else await this.#route(exchange, request, arrival);
    } catch (error) {
      // The visitor went away meanwhile, or the gate ends.
      if (!exchange.departure.isGone && !this.#stop.signal.aborted) {
        this.#options.onError(error);
      }
      exchange.abort();
    } finally {
      this.#active -= 1;
      if (gated !== undefined) this.#sockets.end(gated);
      this.#end(arrival);
      this.#tell(arrival, {
        durationMs: clock.monotonic() - since,
        status: exchange.status,
        verdict: exchange.verdict,
      });
    }
  }

  async #route(
    exchange: PublicExchange,
    request: IncomingMessage,
    { target, names, visitor }: Arrival,
  ): Promise<void> {
    if (target === null) return exchange.tell(UNSERVABLE, "refused");
    const decision = await this.#decide(request, { target, visitor });
    if (decision.kind === "answer") {
      exchange.say(decision.answer);
      exchange.verdict = decision.isRefusal ? "refused" : "passed";
      return;
    }
    const route = await this.#options.find(exchange.departure);
    if (route.kind === "refusal") return exchange.refuse(route);
    await forwardRequest({
      exchange,
      target: { authority: names.authority, path: target.path },
      upstream: route,
      router: this.#options,
      agents: this.#agents,
      told: {
        headers: requestFields(decision.headers, { visitor }),
        forwarded: forwardedFields(names, visitor),
      },
    });
  }

  async #upgrade(
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): Promise<void> {
    socket.on("error", () => socket.destroy());
    const gated = this.#sockets.of(socket);
    if (gated !== undefined) this.#sockets.begin(gated, null, null);
    const arrival = this.#arrivalOf(request);
    const { target, visitor } = arrival;
    const decided = this.#decidedOnce(arrival);
    const isTooMany = !this.#begin(arrival);
    socket.on("close", () => {
      this.#end(arrival);
      decided(GONE, "failed");
    });
    const answer = (
      answer: RefusalResponse,
      verdict: GateVerdict = "refused",
    ): void => {
      answerUpgrade(socket, request, answer);
      decided(answer.status, verdict);
    };
    if (isTooMany) return answer(publicAnswer(request.headers, BUSY));
    if (target === null) {
      return answer(publicAnswer(request.headers, UNSERVABLE));
    }
    const decision = await this.#decide(request, { target, visitor });
    if (socket.destroyed) return;
    if (decision.kind === "answer") {
      return answer(decision.answer, decision.isRefusal ? "refused" : "passed");
    }
    const { headers } = decision;
    const passage = this.#passage(request, { arrival, headers, decided });
    this.#tunnels.accept(request, socket, head, passage);
  }

  /** Tells of a WebSocket what is said first. */
  #decidedOnce(arrival: Arrival): Decided {
    const { clock } = this.#options;
    const since = clock.monotonic();
    let isDecided = false;
    return (status, verdict) => {
      if (isDecided) return;
      isDecided = true;
      const durationMs = clock.monotonic() - since;
      this.#tell(arrival, { durationMs, status, verdict });
    };
  }

  /** How a WebSocket passes that is let in. */
  #passage(
    request: IncomingMessage,
    { arrival, headers, decided }: {
      readonly arrival: Arrival;
      readonly headers: readonly string[];
      readonly decided: Decided;
    },
  ): Passage {
    const { names, visitor } = arrival;
    const { isGuarded } = this.#options.access;
    let verdict: GateVerdict = "passed";
    const own = request.headers.upgrade?.toLowerCase() === "websocket"
      ? withOwnOrigin(headers, names)
      : headers;
    return {
      isStrict: true,
      find: (_asked, client) => this.#options.find(client),
      failed: (upstream, error) => this.#options.failed(upstream, error),
      ask: (asked) => ({
        ...asked,
        authority: names.authority,
        headers: requestFields(own, { visitor }),
        forwarded: forwardedFields(names, visitor),
      }),
      answer: (text) => answerHeadText(text, { names, isGuarded }),
      refuse: (refusal) => {
        const isOurs = refusal.status === 400;
        verdict = isOurs ? "refused" : "failed";
        const words = isOurs ? UNSERVABLE : unavailable(refusal);
        return publicAnswer(request.headers, words);
      },
      decided: (status) => decided(status, verdict),
    };
  }

  async #decide(
    request: IncomingMessage,
    { target, visitor }: {
      readonly target: RequestTarget;
      readonly visitor: string | null;
    },
  ): Promise<AccessDecision> {
    return await this.#options.access.decide({
      method: request.method ?? "GET",
      path: target.path,
      headers: request.rawHeaders,
      asked: request.headers,
      visitor,
    }, this.#stop.signal);
  }

  #arrivalOf(request: IncomingMessage): Arrival {
    const { rawHeaders, url = "", method = "GET" } = request;
    const names = this.#options.facts();
    const isOwnForm = url.startsWith("/") ||
      url === "*" && method === "OPTIONS";
    const target = isOwnForm ? http1Target(url, rawHeaders) : null;
    return {
      method,
      url,
      target: target !== null && isMeant(target.authority, names)
        ? target
        : null,
      names,
      visitor: visitorOf(rawHeaders),
      userAgent: request.headers["user-agent"] ?? null,
    };
  }

  /** @returns False if it is one too many. */
  #begin({ visitor }: Arrival): boolean {
    const key = groupOf(visitor);
    const count = (this.#visitors.get(key) ?? 0) + 1;
    this.#visitors.set(key, count);
    return count <= MAX_PER_VISITOR && this.#hasRoom();
  }

  #end({ visitor }: Arrival): void {
    const key = groupOf(visitor);
    const count = (this.#visitors.get(key) ?? 0) - 1;
    if (count > 0) this.#visitors.set(key, count);
    else this.#visitors.delete(key);
  }

  #tell(
    { method, url, visitor, userAgent }: Arrival,
    outcome: Pick<GateRequest, "durationMs" | "status" | "verdict">,
  ): void {
    this.#requests += 1;
    if (outcome.verdict === "refused") this.#refused += 1;
    try {
      this.#options.onRequest({
        ...outcome,
        at: this.#options.clock.now(),
        method,
        path: loggedPath(url),
        visitor,
        userAgent,
      });
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

/** How a WebSocket was answered. Only the first call counts. */
type Decided = (status: number, verdict: GateVerdict) => void;

/** What came. */
interface Arrival {
  readonly method: string;
  readonly url: string;
  /** Null if it asks for nothing that a server has. */
  readonly target: RequestTarget | null;
  readonly names: PublicNames;
  readonly visitor: string | null;
  readonly userAgent: string | null;
}
