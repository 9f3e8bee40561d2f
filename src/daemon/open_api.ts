/**
 * Opens the port of the API on loopback, before there is anything to answer.
 *
 * @module
 */

import type { Paths } from "../config/paths.ts";
import {
  type HttpRoute,
  type HttpServer,
  serveHttp,
} from "../transports/http_server.ts";

/** The port of the API. Disposal closes it. */
export interface Api extends AsyncDisposable {
  /** Null = it could not be bound. */
  readonly port: number | null;
  /** From now on this answers. */
  serve(route: HttpRoute): void;
}

/** Opens it. A port that cannot be had is noted, and no reason not to start: the CLI does not need it. */
export function openApi(
  { paths, port }: { readonly paths: Paths; readonly port: number },
  problems: Map<string, string>,
): Api {
  let route: HttpRoute = () => null;
  const server = tryServe({
    port,
    socketPath: paths.httpSocket,
    route: (request, url) => route(request, url),
  }, problems);
  return {
    port: server?.port ?? null,
    serve: (next) => {
      route = next;
    },
    [Symbol.asyncDispose]: async () => {
      await server?.[Symbol.asyncDispose]();
    },
  };
}

function tryServe(
  options: Parameters<typeof serveHttp>[0],
  problems: Map<string, string>,
): HttpServer | null {
  try {
    return serveHttp(options);
  } catch (error) {
    const isForbidden = error instanceof Deno.errors.PermissionDenied;
    if (!isForbidden && !(error instanceof Deno.errors.AddrInUse)) throw error;
    const state = isForbidden ? "is for root only" : "is taken";
    problems.set(
      "API",
      `port ${options.port} ${state}, so only the command line works; taskmux config set api_port 0`,
    );
    return null;
  }
}
