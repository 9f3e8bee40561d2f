/**
 * What a client is told when its request goes nowhere.
 *
 * @module
 */

import type { ClientRequest, ClientResponse } from "./client_message.ts";
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

/** Answers with a refusal. The rest of the request is read and thrown away. */
export function refuse(
  request: ClientRequest,
  response: ClientResponse,
  refusal: Refusal,
): void {
  request.resume();
  const body = `taskmux: ${refusal.message}\n${
    refusal.hint === null ? "" : `${refusal.hint}\n`
  }`;
  const bytes = new TextEncoder().encode(body);
  (response as import("node:http").ServerResponse).writeHead(refusal.status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": bytes.length,
    "cache-control": "no-store",
  });
  response.end(bytes);
}
