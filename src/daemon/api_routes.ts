/**
 * What the port of the API answers, and where. Everything behind a path is loaded with its first request.
 *
 * @module
 */

import { TaskScope } from "../kit/task_scope.ts";
import type { HttpRoute } from "../transports/http_server.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Services } from "./services.ts";

/** What routes need. */
export interface ApiRoutesOptions {
  readonly services: Services;
  /** Answers hold no secrets, and what is new to the caller. */
  readonly dispatcher: Dispatcher;
  log(level: "info" | "warning" | "error", message: string): void;
}

/** The routes. Disposal ends every session. */
export interface ApiRoutes extends AsyncDisposable {
  readonly route: HttpRoute;
}

/** See the module. */
export function createApiRoutes(
  { services, dispatcher, log }: ApiRoutesOptions,
): ApiRoutes {
  const scope = new TaskScope((error) => log("error", `api: ${error}`));
  const { mcp } = services.config;
  let loading: Promise<HttpRoute> | null = null;
  let loadingApi: Promise<HttpRoute> | null = null;
  const loadApi = async (): Promise<HttpRoute> => {
    const { WebSocketApi } = await import("../api/web_socket_api.ts");
    const api = new WebSocketApi({ dispatcher, scope, log });
    return (request, url) => Promise.resolve(api.handle(request, url));
  };
  const loadMcp = async (): Promise<HttpRoute> => {
    const { McpSessions } = await import("../mcp/mcp_sessions.ts");
    const sessions = new McpSessions({
      dispatcher,
      config: mcp,
      lifetime: scope.signal,
      log,
    });
    return (request, url) => sessions.handle(request, url);
  };
  const path = mcp.path.replace(/\/$/, "");
  return {
    route: (request, url) => {
      if (isUpgrade(request, url)) {
        loadingApi ??= loadApi();
        return loadingApi.then((handle) => handle(request, url)!);
      }
      const isMcp = url.pathname === path || url.pathname === `${path}/`;
      if (!mcp.enabled || !isMcp) return null;
      loading ??= loadMcp();
      return loading.then((handle) => handle(request, url)!);
    },
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}

/** Whether a request is for the WebSocket API. */
function isUpgrade({ method, headers }: Request, { pathname }: URL): boolean {
  return method === "GET" && pathname === "/" &&
    headers.get("upgrade")?.toLowerCase() === "websocket";
}
