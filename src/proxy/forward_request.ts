/**
 * Sends one request to its task and the answer back, both as streams.
 *
 * @module
 */

import {
  type ClientRequest,
  type InformationEvent,
  request as startRequest,
} from "node:http";
import {
  endToEndHeaders,
  fieldsOf,
  type RawHeaders,
} from "./end_to_end_headers.ts";
import type { Exchange } from "./exchange.ts";
import { flushHead } from "./flush_head.ts";
import { relayAnswer } from "./relay_answer.ts";
import type { RequestTarget } from "./request_target.ts";
import type { Router, Upstream } from "./router.ts";
import type { UpstreamAgent, UpstreamAgents } from "./upstream_agents.ts";
import { upstreamHeaders } from "./upstream_request.ts";

/** Largest head of an answer. */
const MAX_HEAD_BYTES = 64 * 1024;

/** Interim answers that are passed on. A task that never ends them costs no memory then. */
const MAX_INTERIM = 32;

/** Belongs to the framing of a final answer. */
const FRAMING: ReadonlySet<string> = new Set(["content-length"]);

/** Methods that may be sent twice (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "PUT",
  "TRACE",
]);

/** One request and where it goes. */
export interface Forwarding {
  readonly exchange: Exchange;
  readonly target: RequestTarget;
  readonly upstream: Upstream;
  readonly router: Pick<Router, "failed">;
  readonly agents: UpstreamAgents;
  /** What the task is sent instead of what the client sent, and what it is told of the client. */
  readonly told?: {
    readonly headers: RawHeaders;
    readonly forwarded: RawHeaders;
  };
}

/** How the upstream failed before its answer. */
interface Failure {
  readonly error: Error;
  /** Whether the connection had served other requests. */
  readonly wasKept: boolean;
}

/**
 * Resolves when the answer is complete, or its client or task gone.
 *
 * A kept connection that breaks before the answer is no failure: the server had given it up. The request, which can be
 * repeated, is sent once more over a new one.
 */
export async function forwardRequest(forwarding: Forwarding): Promise<void> {
  const { exchange, upstream, router, agents } = forwarding;
  if (exchange.departure.isGone) return;
  using use = agents.use(upstream);
  const { kept, fresh } = use.pool;
  const isRepeatable = exchange.body === null &&
    IDEMPOTENT.has(exchange.method);
  let failure = await ask(forwarding, isRepeatable ? kept : fresh);
  if (failure?.wasKept && !exchange.departure.isGone) {
    failure = await ask(forwarding, fresh);
  }
  if (failure === null || exchange.departure.isGone) return;
  exchange.refuse(router.failed(upstream, failure.error));
}

/** Null = the answer went to the client, or as much of it as came. */
async function ask(
  { exchange, target, upstream, told }: Forwarding,
  agent: UpstreamAgent,
): Promise<Failure | null> {
  const { promise, resolve } = Promise.withResolvers<Failure | null>();
  const asked = startRequest({
    host: upstream.addresses[0],
    port: upstream.port,
    agent,
    method: exchange.method,
    path: target.path,
    headers: upstreamHeaders({
      method: exchange.method,
      headers: told?.headers ?? exchange.headers,
      hasBody: exchange.body !== null,
      keepsConnection: agent.keepsConnections,
      avoidsNotModified: exchange.avoidsNotModified,
      client: exchange.client,
      authority: target.authority,
      forwarded: told?.forwarded,
    }),
    maxHeaderSize: MAX_HEAD_BYTES,
  });
  const abandon = (): void => {
    // Else Deno asks once more over a new connection, for nobody: to it, a kept one has ended before the answer.
    asked.reusedSocket = false;
    asked.destroy();
    resolve(null);
  };
  exchange.departure.onGone(abandon);
  asked.on("error", (error) => {
    const { isAnswered } = exchange;
    if (isAnswered) exchange.abort();
    resolve(isAnswered ? null : { error, wasKept: asked.reusedSocket });
  });
  passInterim(exchange, asked);
  asked.on("response", (answer) => {
    try {
      relayAnswer(exchange, answer, () => resolve(null));
    } catch (error) {
      if (!isUnsendable(error)) throw error;
      asked.destroy(error);
    }
  });
  asked.on("upgrade", (_answer, socket) => {
    socket.destroy();
    const error = new Error("it changed the protocol, which nobody asked for");
    resolve({ error, wasKept: false });
  });
  sendBody(exchange, asked);
  const failure = await promise;
  exchange.departure.onGone(null);
  return failure;
}

/** A hint that cannot be sent on is left out: the answer follows. */
function passInterim(exchange: Exchange, asked: ClientRequest): void {
  let passed = 0;
  asked.on("information", ({ statusCode, rawHeaders }: InformationEvent) => {
    if (++passed > MAX_INTERIM) return;
    try {
      exchange.inform(statusCode, endToEndHeaders(rawHeaders, FRAMING));
    } catch (error) {
      if (!isUnsendable(error)) throw error;
    }
  });
}

/** Whether it is about fields, or a status, that the client's protocol does not have. */
function isUnsendable(error: unknown): error is Error {
  return error instanceof TypeError || error instanceof RangeError;
}

/** Sends the body as it comes, never more of it than the task takes. */
function sendBody(exchange: Exchange, asked: ClientRequest): void {
  const { body } = exchange;
  if (body === null) {
    asked.end();
    return;
  }
  // The task hears of the request before there is a body: it may refuse it, or answer while it comes.
  flushHead(asked);
  body.pipe(asked, { end: false });
  body.on("end", () => {
    const trailers = [...fieldsOf(endToEndHeaders(exchange.trailers))];
    if (trailers.length > 0 && asked.chunkedEncoding) {
      asked.addTrailers(trailers as [string, string][]);
    }
    asked.end();
  });
  // Whoever answered early takes no more; the client may still be sending.
  asked.on("close", () => {
    body.unpipe(asked);
    body.resume();
  });
}
