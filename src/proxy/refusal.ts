/**
 * Tells a client that its request goes nowhere.
 *
 * @module
 */

import type { ServerResponse } from "node:http";
import type { ClientRequest, ClientResponse } from "./client_message.ts";
import { type RefusalResponse, refusalResponse } from "./refusal_response.ts";
import type { Refusal } from "./router.ts";

/** For a name that is none of ours. */
export const MISDIRECTED: Refusal = {
  kind: "refusal",
  status: 400,
  code: "foreign_host",
  message:
    "This is the proxy of taskmux, and the name asked for is none of its names",
  projectId: null,
  task: null,
  state: null,
  hint: "taskmux status",
  isTransient: false,
};

/** For requests beyond what a connection, or the proxy, serves at a time. */
export const TOO_MANY: Refusal = {
  ...MISDIRECTED,
  status: 503,
  code: "too_many_requests",
  message: "Too many requests are under way",
  hint: null,
  isTransient: true,
};

/** Answers with a refusal, whatever the method. The rest of the request is read and thrown away. */
export function refuse(
  request: ClientRequest,
  response: ClientResponse,
  refusal: Refusal,
): void {
  const { method } = request;
  answerAtOnce(
    request,
    response,
    refusalResponse(request.headers, refusal, { method }),
  );
}

/** Sends an answer that is ready. The rest of the request is read and thrown away. */
export function answerAtOnce(
  request: ClientRequest,
  response: ClientResponse,
  { status, headers, body }: RefusalResponse,
): void {
  request.resume();
  // Both kinds of responses take these; TypeScript sees no signature in common.
  (response as ServerResponse).writeHead(status, { ...headers });
  if (request.method === "HEAD") response.end();
  else response.end(body);
}
