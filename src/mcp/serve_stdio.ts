/**
 * MCP for one client that has started this process, over its standard input and output.
 *
 * @module
 */

import { settledWithin } from "../kit/deadline.ts";
import { systemClock } from "../kit/clock.ts";
import type { FrameDispatcher } from "../transports/socket_server.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Access } from "../contract/access.ts";
import { clientName } from "./client_name.ts";
import type { Connection } from "./connection.ts";
import { EventFeed } from "./event_feed.ts";
import { createMcpServer } from "./mcp_server.ts";
import type { Server } from "./sdk.ts";
import { type LineStreams, StdioTransport } from "./stdio_transport.ts";
import { taskmuxCatalogue } from "./taskmux_catalogue.ts";

/** How long answers under way may take once the client has closed its end. */
const LAST_ANSWERS_MS = 1_000;

/** What is served, and to whom. */
export interface ServeStdioOptions extends LineStreams {
  readonly dispatcher: FrameDispatcher;
  readonly access: Access;
  /** Its name as a caller. */
  readonly caller: string;
  readonly config: {
    /** Types of events that are told; empty = all. */
    readonly filter: readonly string[];
    readonly tools: readonly string[];
  };
  /** What is offered; by default what taskmux does. */
  readonly catalogue?: Catalogue;
  log(level: "info" | "warning" | "error", message: string): void;
}

/** Serves until the client closes its end or is gone. What it asked before that is answered, if it does not take long. */
export async function serveStdio(options: ServeStdioOptions): Promise<void> {
  const { dispatcher, access, caller, config, log } = options;
  const lifetime = new AbortController();
  const { signal } = lifetime;
  const catalogue = options.catalogue ?? taskmuxCatalogue({
    ...config,
    feed: new EventFeed({ dispatcher, lifetime: signal, log }),
  });
  const connect = (server: Server): Connection => ({
    caller,
    access,
    dispatcher,
    signal,
    lifetime: signal,
    clientName: () => clientName(server),
  });
  const server = createMcpServer(catalogue, connect);
  server.onerror = (error) => log("warning", error.message);
  const transport = new StdioTransport(options);
  await server.connect(transport);
  await transport.ended;
  await settledWithin(transport.answered, {
    clock: systemClock,
    ms: LAST_ANSWERS_MS,
    signal,
  });
  lifetime.abort(new DOMException("The client is gone", "AbortError"));
  await server.close();
}
