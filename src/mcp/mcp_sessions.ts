/**
 * MCP over Streamable HTTP: one transport and one server for each session of a client.
 *
 * @module
 */

import {
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from "./sdk.ts";
import { systemClock } from "../kit/clock.ts";
import type { FrameDispatcher } from "../transports/socket_server.ts";
import type { Catalogue } from "./catalogue.ts";
import { type Access, accessOf, type Connection } from "./connection.ts";
import { EventFeed } from "./event_feed.ts";
import { createMcpServer } from "./mcp_server.ts";
import { taskmuxCatalogue } from "./taskmux_catalogue.ts";

/** What sessions need. */
export interface McpSessionsOptions {
  readonly dispatcher: FrameDispatcher;
  readonly config: {
    /** Types of events that are told; empty = all. */
    readonly filter: readonly string[];
    readonly tools: readonly string[];
  };
  /** Aborts when the daemon ends; with it all sessions end. */
  readonly lifetime: AbortSignal;
  /** What is offered; by default what taskmux does. */
  readonly catalogue?: Catalogue;
  log(level: "info" | "warning" | "error", message: string): void;
}

/** See the module. */
export class McpSessions {
  readonly #options: McpSessionsOptions;
  readonly #catalogue: Catalogue;
  readonly #transports = new Map<
    string,
    WebStandardStreamableHTTPServerTransport
  >();
  readonly #views = new Map<string, () => SessionView>();

  constructor(options: McpSessionsOptions) {
    this.#options = options;
    this.#catalogue = options.catalogue ??
      taskmuxCatalogue({ ...options.config, feed: new EventFeed(options) });
  }

  /** Everybody who is connected, the oldest first. */
  views(): readonly SessionView[] {
    return [...this.#views.values()].map((view) => view());
  }

  /** Answers a request to the path of MCP. */
  async handle(request: Request, url: URL): Promise<Response> {
    const id = request.headers.get("mcp-session-id");
    const known = id === null ? undefined : this.#transports.get(id);
    if (known !== undefined) return await known.handleRequest(request);
    return await (await this.#begin(url)).handleRequest(request);
  }

  async #begin(url: URL): Promise<WebStandardStreamableHTTPServerTransport> {
    const id = crypto.randomUUID();
    const ended = new AbortController();
    const { dispatcher, lifetime } = this.#options;
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      onsessioninitialized: () => {
        this.#transports.set(id, transport);
        const since = systemClock.now();
        this.#views.set(id, () => ({
          ...accessOf(url),
          client: null,
          since,
          idleMs: 0,
          streams: 0,
        }));
      },
      onsessionclosed: () => {
        this.#transports.delete(id);
        this.#views.delete(id);
        ended.abort();
      },
    });
    const connect = (server: Server): Connection => ({
      caller: `mcp-${id}`,
      access: accessOf(url),
      dispatcher,
      signal: AbortSignal.any([ended.signal, lifetime]),
      lifetime,
      clientName: () => {
        const client = server.getClientVersion();
        return client === undefined ? null : `${client.name} ${client.version}`;
      },
    });
    await createMcpServer(this.#catalogue, connect).connect(transport);
    return transport;
  }
}

/** A session, as it is told. */
export interface SessionView extends Access {
  /** Name and version of the client; null while it has not told them. */
  readonly client: string | null;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Milliseconds since its last request. */
  readonly idleMs: number;
  /** Answers and event streams that are open. */
  readonly streams: number;
}
