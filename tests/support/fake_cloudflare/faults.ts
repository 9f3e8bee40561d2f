/**
 * What goes wrong at the fake Cloudflare API, as a test says.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";

/** Which requests. */
export interface FaultMatch {
  readonly method?: string;
  /** Part of the path below `/client/v4`, or a pattern of it. */
  readonly path?: string | RegExp;
}

/** What becomes of them. */
export interface FaultAnswer {
  /** 500 where nothing is said. */
  readonly status?: number;
  /**
   * `reset`: the connection ends without an answer; `hang`: there is none; `html`: a page of a gateway; `truncated`: half
   * an answer; `late`: the request is carried out and then its connection ends; a text: it is the body; anything else is
   * the body as JSON.
   */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** How many requests; 1 where nothing is said. */
  readonly times?: number;
  /** How many of them are let through before. */
  readonly after?: number;
}

interface Fault {
  readonly match: FaultMatch;
  readonly answer: FaultAnswer;
  skip: number;
  left: number;
}

/** What is to go wrong. */
export class Faults {
  readonly #faults: Fault[] = [];

  /** @param match A number = the n-th request from now on, whichever it is. */
  add(match: number | FaultMatch, answer: FaultAnswer): void {
    this.#faults.push({
      match: typeof match === "number" ? {} : match,
      answer,
      skip: typeof match === "number" ? match - 1 : answer.after ?? 0,
      left: answer.times ?? 1,
    });
  }

  /** No more faults. */
  clear(): void {
    this.#faults.length = 0;
  }

  /** What becomes of this request; null = nothing goes wrong. To be asked once for each. */
  take(method: string, path: string): FaultAnswer | null {
    let found: FaultAnswer | null = null;
    for (const fault of this.#faults) {
      if (fault.left === 0 || !isMeant(fault.match, method, path)) continue;
      // Each counts the requests that it is about, whatever becomes of them by another one.
      if (fault.skip > 0) fault.skip--;
      else if (found === null) {
        fault.left--;
        found = fault.answer;
      }
    }
    return found;
  }
}

function isMeant(match: FaultMatch, method: string, path: string): boolean {
  if (match.method !== undefined && match.method !== method) return false;
  if (match.path === undefined) return true;
  return typeof match.path === "string"
    ? path.includes(match.path)
    : match.path.test(path);
}

const GATEWAY_PAGE = `<!DOCTYPE html>
<html><head><title>api.cloudflare.com | 502: Bad gateway</title></head>
<body><h1>Bad gateway <span>Error code 502</span></h1></body></html>
`;

/** Answers a request as a fault says. */
export function answerFault(
  fault: FaultAnswer,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { body = { success: false, errors: [], messages: [], result: null } } =
    fault;
  if (body === "hang") return;
  if (body === "reset" || body === "late") {
    request.socket.destroy();
    return;
  }
  const isPage = body === "html";
  const isTruncated = body === "truncated";
  const text = isPage
    ? GATEWAY_PAGE
    : isTruncated
    ? '{"success":true,"errors":[],"messages":[],"result":[{"id":"'
    : typeof body === "string"
    ? body
    : JSON.stringify(body);
  response.writeHead(
    fault.status ?? (isPage ? 502 : isTruncated ? 200 : 500),
    {
      "content-type": isPage ? "text/html" : "application/json",
      ...isTruncated ? { "content-length": "5000" } : {},
      ...fault.headers,
    },
  );
  if (!isTruncated) {
    response.end(text);
    return;
  }
  response.write(text, () => request.socket.destroy());
}
