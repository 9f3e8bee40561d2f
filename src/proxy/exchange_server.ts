/**
 * The HTTP/1.1 server that the proxy and the gates to the outside have in common. It owns no port: connections are given
 * to it by its event `connection`.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "../kit/clock.ts";
import { answerUnreadable } from "./answer_unreadable.ts";

/** Largest head of a request. */
export const MAX_HEAD_BYTES = 64 * 1024;

/** What becomes of requests. */
export interface RequestHandler {
  /** How long a connection may be idle, in milliseconds, to be told with each answer. Whoever owns it sees to it. */
  readonly idleMs: number;
  /** More fields for answers to what is no request, each with its line end. */
  readonly fields?: string;
  answer(request: IncomingMessage, response: ServerResponse): void;
  /** A request with `Upgrade`; its connection has given up being HTTP. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** See the module. */
export function createExchangeServer(handler: RequestHandler): Server {
  const server = createServer({
    maxHeaderSize: MAX_HEAD_BYTES,
    // Idle connections are watched by `IdleWatch`, without a timer per answer.
    keepAliveTimeout: 0,
    // Both count from the first byte of a request to its last, and a body may take for ever.
    headersTimeout: 0,
    requestTimeout: 0,
  });
  // Deno closes connections after one answer when their server does not listen itself.
  Object.defineProperty(server, "listening", { value: true });
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    announceIdleLimit(response, handler.idleMs);
    handler.answer(request, response);
  };
  server.on("request", answer);
  // Whether to go on is the task's to say.
  server.on("checkContinue", answer);
  server.on("checkExpectation", answer);
  server.on("upgrade", (request, socket, head) => {
    handler.upgrade(request, socket, head);
  });
  server.on("clientError", (error: { code?: string }, socket: Duplex) => {
    answerUnreadable(error, socket, handler.fields);
  });
  server.on("connect", (_request, socket) => {
    answerUnreadable({ code: "CONNECT" }, socket, handler.fields);
  });
  return server;
}

/** Has an answer say for how long its connection may be idle, as the server would if the limit were its own. */
function announceIdleLimit(response: ServerResponse, idleMs: number): void {
  (response as unknown as { _keepAliveTimeout: number })._keepAliveTimeout =
    idleMs;
}

/** Does something again and again, until the signal aborts. @param everyMs Milliseconds between two times. */
export async function repeatUntil(
  signal: AbortSignal,
  { clock, everyMs }: { readonly clock: Clock; readonly everyMs: number },
  work: () => void,
): Promise<void> {
  try {
    while (true) {
      await clock.sleep(everyMs, signal);
      work();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
