/**
 * Our MCP sessions over real HTTP, with tools that a test has in its hand.
 *
 * @module
 */

import type { Clock } from "../../src/kit/clock.ts";
import type {
  Catalogue,
  McpTool,
  ToolContext,
} from "../../src/mcp/catalogue.ts";
import { McpSessions, type SessionLimits } from "../../src/mcp/mcp_sessions.ts";
import type { FrameDispatcher } from "../../src/transports/socket_server.ts";
import { serveHttp } from "../../src/transports/http_server.ts";
import { tempHome } from "./temp_home.ts";
import { until } from "./until.ts";

/** A call of the tool `hold` that waits for the test. */
export interface HeldCall {
  readonly context: ToolContext;
  /** Answers it. */
  release(text?: string): void;
}

/** See the module. */
export interface McpFixture extends AsyncDisposable {
  readonly url: string;
  readonly sessions: McpSessions;
  /** Calls of `hold`, the oldest first. */
  readonly held: HeldCall[];
  /** What became of answers of `hold` that carry news. */
  readonly settled: boolean[];
  /** Waits for a call of `hold`. */
  nextHeld(): Promise<HeldCall>;
  /** Tells a session something on its stream of events. */
  tell(context: ToolContext, uri: string): Promise<void>;
}

/** What is not as in the daemon. */
export interface McpFixtureOptions {
  readonly clock?: Clock;
  readonly limits?: SessionLimits;
}

const NO_DISPATCHER: FrameDispatcher = {
  call: () => Promise.reject(new Error("not asked in this test")),
  stream: () => {
    throw new Error("not asked in this test");
  },
  kindOf: () => null,
};

/** Starts it on a free port. */
export async function startMcpFixture(
  options: McpFixtureOptions = {},
): Promise<McpFixture> {
  await using stack = new AsyncDisposableStack();
  const home = stack.use(await tempHome());
  const held: HeldCall[] = [];
  const settled: boolean[] = [];
  const lifetime = new AbortController();
  const sessions = new McpSessions({
    ...options,
    dispatcher: NO_DISPATCHER,
    config: { filter: [], tools: [] },
    lifetime: lifetime.signal,
    catalogue: catalogueOf([echo, hold(held, settled)]),
    log: () => {},
  });
  const server = serveHttp({
    port: 0,
    log: () => {},
    socketPath: `${home.root}/http.sock`,
    route: (request, url) => sessions.handle(request, url),
  });
  stack.use(server);
  stack.use(sessions);
  const owned = stack.move();
  return {
    url: `http://localhost:${server.port}/mcp`,
    sessions,
    held,
    settled,
    nextHeld: () => until(() => held.shift() ?? null, { what: "a held call" }),
    tell: ({ server }, uri) =>
      server.notification({
        method: "notifications/resources/updated",
        params: { uri },
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function catalogueOf(tools: readonly McpTool[]): Catalogue {
  return {
    instructions: "For tests",
    tools: () => tools,
    resources: {
      list: () => Promise.resolve([]),
      templates: [],
      read: () => Promise.resolve(null),
    },
  };
}

const echo: McpTool = {
  declaration: { name: "echo", inputSchema: { type: "object" } },
  call: (args, { connection }) =>
    Promise.resolve({
      content: [{
        type: "text",
        text: JSON.stringify({ args, access: connection.access }),
      }],
    }),
};

/** Waits for the test; with `{ news: true }` its answer carries news. */
function hold(held: HeldCall[], settled: boolean[]): McpTool {
  return {
    declaration: { name: "hold", inputSchema: { type: "object" } },
    call: (args, context) => {
      const { promise, resolve } = Promise.withResolvers<
        Awaited<ReturnType<McpTool["call"]>>
      >();
      held.push({
        context,
        release: (text = "released") => {
          if (args["news"] === true) {
            context.onNews((hasArrived) => {
              settled.push(hasArrived);
              return hasArrived;
            });
          }
          resolve({ content: [{ type: "text", text }] });
        },
      });
      return promise;
    },
  };
}
