/**
 * One session of a client over Streamable HTTP: the SDK's transport and server, within bounds.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import type { FrameDispatcher } from "../transports/socket_server.ts";
import { BoundedStream, type StreamBudget } from "./bounded_stream.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Access } from "../contract/access.ts";
import { clientName } from "./client_name.ts";
import type { Connection } from "./connection.ts";
import { EVENTS_STREAM, type EventShelf, EventStore } from "./event_store.ts";
import { Exchanges } from "./exchanges.ts";
import { createMcpServer } from "./mcp_server.ts";
import { refusal } from "./refusal.ts";
import { RPC_ERROR } from "./rpc_error.ts";
import {
  isInitializeRequest,
  isJSONRPCRequest,
  LATEST_PROTOCOL_VERSION,
  type RequestId,
  type Server,
  SUPPORTED_PROTOCOL_VERSIONS,
} from "./sdk.ts";
import { TellingTransport, type ToldTexts } from "./telling_transport.ts";

/** Requests of a session that are under way at a time. */
export const MAX_REQUESTS = 64;

/** When a client whose stream ended is to come back. */
const RETRY_MS = 1_000;

/** First version whose clients take an event that says where they stand and nothing else. */
const PRIMED_VERSION = "2025-11-25";

/** What a session is made of. */
export interface McpSessionOptions {
  /** Not to be guessed. */
  readonly id: string;
  readonly access: Access;
  readonly dispatcher: FrameDispatcher;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly shelf: EventShelf;
  readonly texts: ToldTexts;
  readonly budget: StreamBudget;
  /** Aborts when the daemon ends. */
  readonly lifetime: AbortSignal;
  /** Runs what takes answers to the client. */
  run(work: () => Promise<void>): void;
  /** Called once the client may use the id. */
  onBegin(): void;
  onEnd(): void;
}

/** See the module. */
export class McpSession {
  readonly #options: McpSessionOptions;
  readonly #ended = new AbortController();
  readonly #carriers = new Set<BoundedStream>();
  readonly #exchanges: Exchanges;
  readonly #store: EventStore;
  readonly #transport: TellingTransport;
  readonly #server: Server;
  readonly #since: number;
  #version: string = LATEST_PROTOCOL_VERSION;
  #touchedAt: number;

  private constructor(options: McpSessionOptions) {
    this.#options = options;
    this.#since = options.clock.now();
    this.#touchedAt = options.clock.monotonic();
    this.#exchanges = new Exchanges((id) => this.#store.canGiveAgain(id));
    this.#store = new EventStore({
      shelf: options.shelf,
      isWithdrawn: (id) => this.#exchanges.isWithdrawn(id),
      onAnswer: (answer) => this.#exchanges.answered(answer),
    });
    this.#transport = new TellingTransport({
      sessionIdGenerator: () => options.id,
      eventStore: this.#store,
      retryInterval: RETRY_MS,
      onsessioninitialized: () => options.onBegin(),
      onsessionclosed: () => this.end(),
    }, options.texts);
    this.#server = createMcpServer(
      options.catalogue,
      (server) => this.#connection(server),
    );
  }

  /** A session that waits for its first request, which must be `initialize`. */
  static async open(options: McpSessionOptions): Promise<McpSession> {
    const session = new McpSession(options);
    await session.#server.connect(session.#transport);
    return session;
  }

  /** Fixed when it began. */
  get access(): Access {
    return this.#options.access;
  }

  /** Name and version of the client; null while it has not told them. */
  get client(): string | null {
    return clientName(this.#server);
  }

  /** Milliseconds since the epoch. */
  get since(): number {
    return this.#since;
  }

  /** Milliseconds since its last request. */
  get idleMs(): number {
    return this.#options.clock.monotonic() - this.#touchedAt;
  }

  /** Answers and event streams that are open. */
  get streams(): number {
    return this.#carriers.size;
  }

  /** Whether nobody waits for anything. */
  get isIdle(): boolean {
    return this.#carriers.size === 0 && this.#exchanges.size === 0;
  }

  /** Answers a GET or DELETE, or a POST with the message that it carried. */
  async handle(request: Request, message: unknown): Promise<Response> {
    this.#touchedAt = this.#options.clock.monotonic();
    if (request.method === "POST") return await this.#post(request, message);
    if (request.method === "GET") return await this.#follow(request);
    return await this.#transport.handleRequest(request);
  }

  /** Ends it, now. Who still listens gets nothing more. Idempotent. */
  end(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(new DOMException("The session is over", "AbortError"));
    this.#options.onEnd();
    this.#exchanges.loseAll();
    for (const carrier of this.#carriers) carrier.close();
    this.#store.clear();
    // It calls nothing that waits.
    void this.#transport.close();
  }

  /** Tells whoever waits for an answer that there will be none, and ends all streams once that was taken. */
  async endWithDaemon(): Promise<void> {
    for (const id of this.#exchanges.ids) {
      await this.#fail(id, "Cannot answer: the daemon ended meanwhile");
    }
    const carriers = [...this.#carriers];
    await this.#transport.close();
    await Promise.all(carriers.map(({ ended }) => ended));
  }

  #connection(server: Server): Connection {
    const { id, access, dispatcher, lifetime } = this.#options;
    return {
      caller: `mcp-${id}`,
      access,
      dispatcher,
      signal: AbortSignal.any([this.#ended.signal, lifetime]),
      lifetime,
      clientName: () => clientName(server),
      onNews: (request, settle) => this.#exchanges.expectNews(request, settle),
    };
  }

  async #post(request: Request, message: unknown): Promise<Response> {
    const messages: readonly unknown[] = Array.isArray(message)
      ? message
      : [message];
    const ids = messages.flatMap((each) =>
      isJSONRPCRequest(each) ? [each.id] : []
    );
    const refused = this.#refusalOf(ids);
    if (refused !== null) return refused;
    if (isInitializeRequest(message)) this.#negotiate(message.params);
    const exchange = this.#exchanges.begin(ids);
    const response = await this.#transport.handleRequest(request, {
      parsedBody: message,
    });
    await this.#withdraw(messages);
    if (!response.ok || response.body === null) {
      this.#exchanges.refuse(exchange);
      return response;
    }
    const carrier = this.#carry(response.body);
    this.#exchanges.carry(exchange, carrier);
    return new Response(carrier.body, response);
  }

  #refusalOf(ids: readonly RequestId[]): Response | null {
    if (this.#exchanges.size + ids.length > MAX_REQUESTS && ids.length > 0) {
      return refusal(
        429,
        `Too many requests: at most ${MAX_REQUESTS} at a time`,
        { headers: { "retry-after": "1" } },
      );
    }
    const isNew = new Set(ids).size === ids.length &&
      !ids.some((id) => this.#exchanges.has(id));
    if (isNew) return null;
    return refusal(400, "Invalid Request: this id is in use already", {
      code: RPC_ERROR.invalidRequest,
    });
  }

  #negotiate({ protocolVersion }: { readonly protocolVersion: string }): void {
    if (SUPPORTED_PROTOCOL_VERSIONS.includes(protocolVersion)) {
      this.#version = protocolVersion;
    }
  }

  /**
   * The SDK leaves the stream of a withdrawn request open for as long as the session lasts. By the specification the
   * request gets no answer, so the stream just ends; only where other answers are to come over it, it gets one.
   */
  async #withdraw(messages: readonly unknown[]): Promise<void> {
    for (const each of messages) {
      const id = withdrawnBy(each);
      if (id === null || !this.#exchanges.has(id)) continue;
      if (this.#exchanges.withdraw(id)) this.#transport.closeSSEStream(id);
      await this.#fail(id, "Request cancelled");
    }
  }

  async #fail(id: RequestId, message: string): Promise<void> {
    this.#exchanges.lose(id);
    const error = { code: RPC_ERROR.transport, message };
    try {
      await this.#transport.send({ jsonrpc: "2.0", id, error });
    } catch (error) {
      // Nobody is there to take it, and nobody can come back for it.
      if (!(error instanceof Error)) throw error;
    }
  }

  async #follow(request: Request): Promise<Response> {
    const last = request.headers.get("last-event-id");
    if (last !== null) return await this.#resume(request, last);
    // Followed from a known place, so that nothing is lost between two connections even if nothing was sent on the first.
    const place = this.#store.follow();
    const headers = new Headers(request.headers);
    headers.set("last-event-id", place);
    const response = await this.#transport.handleRequest(
      new Request(request.url, { headers }),
    );
    if (!response.ok || response.body === null) return response;
    const carrier = this.#carry(
      response.body,
      this.#beginning(request, place),
    );
    this.#exchanges.resume(EVENTS_STREAM, carrier);
    return new Response(carrier.body, response);
  }

  async #resume(request: Request, last: string): Promise<Response> {
    const stream = this.#store.streamOf(last);
    // By what standards say of event streams, this tells a client that is up to date to come back no more.
    if (stream !== null && this.#store.endOf(stream) === last) {
      return new Response(null, { status: 204 });
    }
    // Whoever comes back has lost the connection, whether or not that was noticed here.
    if (stream !== null) this.#exchanges.carrierOf(stream)?.close();
    const response = await this.#transport.handleRequest(request);
    if (stream === null || !response.ok || response.body === null) {
      return response;
    }
    const carrier = this.#carry(response.body, {
      ...this.#beginning(request, last),
      lastEvent: this.#store.endOf(stream),
    });
    this.#exchanges.resume(stream, carrier);
    return new Response(carrier.body, response);
  }

  /** The official client forgets where it was with each connection, so each says it first. */
  #beginning(
    { headers }: Request,
    place: string,
  ): { readonly beginning?: Uint8Array } {
    const version = headers.get("mcp-protocol-version") ?? this.#version;
    return version < PRIMED_VERSION ? {} : { beginning: beginningAt(place) };
  }

  #carry(
    source: ReadableStream<Uint8Array>,
    how: {
      readonly beginning?: Uint8Array;
      readonly lastEvent?: string | null;
    } = {},
  ): BoundedStream {
    const carrier: BoundedStream = new BoundedStream({
      source,
      budget: this.#options.budget,
      ...how,
      onTaken: (eventId) => {
        this.#store.taken(eventId);
        this.#exchanges.taken(eventId);
      },
      onEnd: () => {
        this.#carriers.delete(carrier);
        this.#exchanges.cutOff(carrier);
        this.#touchedAt = this.#options.clock.monotonic();
      },
    });
    this.#carriers.add(carrier);
    this.#options.run(() => carrier.run());
    return carrier;
  }
}

/** The request that a notification withdraws; null if it does no such thing. */
function withdrawnBy(message: unknown): RequestId | null {
  if (typeof message !== "object" || message === null) return null;
  const { method, params } = message as {
    readonly method?: unknown;
    readonly params?: { readonly requestId?: unknown };
  };
  if (method !== "notifications/cancelled") return null;
  const id = params?.requestId;
  return typeof id === "string" || typeof id === "number" ? id : null;
}

/** An event that says where a client stands. */
function beginningAt(place: string): Uint8Array {
  return new TextEncoder().encode(
    `id: ${place}\nretry: ${RETRY_MS}\ndata: \n\n`,
  );
}
