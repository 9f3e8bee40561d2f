/**
 * Refusals of the transport: HTTP answers to requests that never reach a session.
 *
 * @module
 */

import { RPC_ERROR } from "./rpc_error.ts";

/** How a refusal is told. */
export interface RefusalOptions {
  /** Of JSON-RPC. */
  readonly code?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An HTTP answer with an error of JSON-RPC that belongs to no request. */
export function refusal(
  status: number,
  message: string,
  { code = RPC_ERROR.transport, headers = {} }: RefusalOptions = {},
): Response {
  const body = { jsonrpc: "2.0", error: { code, message }, id: null };
  return Response.json(body, { status, headers });
}

/** What a client is told that names no session of ours. By the specification it then initialises anew. */
export function unknownSession(): Response {
  return refusal(
    404,
    "Session not found: it has ended, or the daemon was restarted; initialize again",
    { code: RPC_ERROR.noSession },
  );
}
