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
  const { mcp } = services;
  mcp.serve(dispatcher);
  let loading: Promise<HttpRoute> | null = null;
  const loadApi = async (): Promise<HttpRoute> => {
    const { WebSocketApi } = await import("../api/web_socket_api.ts");
    const api = new WebSocketApi({ dispatcher, scope, log });
    return (request, url) => Promise.resolve(api.handle(request, url));
  };
  const answerUpgrade = async (
    request: Request,
    url: URL,
  ): Promise<Response> => {
    loading ??= loadApi();
    try {
      const handle = await loading;
      return await handle(request, url)!;
    } catch (error) {
      loading = null;
      throw error;
    }
  };
  return {
    route: (request, url) =>
      isUpgrade(request, url)
        ? answerUpgrade(request, url)
        : mcp.handle(request, url),
    [Symbol.asyncDispose]: async () => {
      await mcp[Symbol.asyncDispose]();
      await scope[Symbol.asyncDispose]();
    },
  };
}

/** Whether a request is for the WebSocket API. */
function isUpgrade({ method, headers }: Request, { pathname }: URL): boolean {
  return method === "GET" && pathname === "/" &&
    headers.get("upgrade")?.toLowerCase() === "websocket";
}
