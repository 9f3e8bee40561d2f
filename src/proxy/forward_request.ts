/**
 * Sends one request to its task and the answer back.
 *
 * @module
 */

import {
  type Agent,
  request as startRequest,
  type ServerResponse,
} from "node:http";
import type { ClientRequest, ClientResponse } from "./client_message.ts";
import { refuse } from "./refusal.ts";
import type { Router, Upstream } from "./router.ts";

/** Largest head of an answer. */
const MAX_HEAD_BYTES = 64 * 1024;

/** One request and where it goes. */
export interface Forwarding {
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly upstream: Upstream;
  readonly router: Router;
  readonly agent: Agent;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}

/** Resolves when the answer is complete, or its client or task gone. */
export function forwardRequest(
  { request, response, upstream, router, agent, signal }: Forwarding,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith(":") || name === "connection" || value === undefined) {
      continue;
    }
    headers[name] = value;
  }
  if ("authority" in request && request.authority !== undefined) {
    headers["host"] = request.authority;
  }
  const asked = startRequest({
    host: upstream.addresses[0],
    port: upstream.port,
    agent,
    method: request.method,
    path: request.url,
    headers,
    signal,
    maxHeaderSize: MAX_HEAD_BYTES,
  });
  asked.on("error", (error) => {
    if (!response.headersSent && !signal.aborted) {
      refuse(request, response, router.failed(upstream, error));
    } else response.destroy();
    resolve();
  });
  asked.on("response", (answer) => {
    const {
      connection: _c,
      "keep-alive": _k,
      "transfer-encoding": _t,
      ...rest
    } = answer.headers;
    (response as ServerResponse).writeHead(answer.statusCode ?? 502, rest);
    answer.pipe(response as ServerResponse);
    answer.on("error", () => response.destroy());
    response.on("close", resolve);
  });
  request.pipe(asked);
  return promise;
}
