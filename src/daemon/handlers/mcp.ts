/**
 * Handlers of the operations on the MCP server.
 *
 * @module
 */

import type { Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";

/** See the module. */
export function mcpHandlers(
  { config, mcp, apiPort, apiProblem }: Services,
): Pick<Handlers, "mcp.status"> {
  return {
    "mcp.status": () => {
      const { enabled, filter, tools } = config.mcp;
      const port = apiPort();
      const sessions = mcp.sessions();
      return Promise.resolve({
        ok: true,
        enabled,
        url: enabled && port !== null
          ? `http://localhost:${port}${mcp.path}`
          : null,
        problem: apiProblem(),
        transport: "streamable_http",
        active_sessions: sessions.length,
        sessions: sessions.map((session) => ({
          pin: session.pin,
          access: session.isReadOnly ? "read" : "full",
          client: session.client,
          since: session.since / 1000,
          idle_s: Math.round(session.idleMs / 1000),
          streams: session.streams,
        })),
        filter: [...filter],
        tools: [...tools],
      });
    },
  };
}
