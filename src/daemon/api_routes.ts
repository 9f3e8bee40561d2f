/**
 * What the port of the API answers, and where. Everything behind a path is loaded with its first request.
 *
 * @module
 */

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
  { services, dispatcher }: ApiRoutesOptions,
): ApiRoutes {
  const { mcp } = services;
  mcp.serve(dispatcher);
  return {
    route: (request, url) => mcp.handle(request, url),
    [Symbol.asyncDispose]: () => mcp[Symbol.asyncDispose](),
  };
}
