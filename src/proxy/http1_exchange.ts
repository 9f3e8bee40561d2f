/**
 * A request over HTTP/1.1 and the answer to it.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { Departure } from "./departure.ts";
import {
  fieldsOf,
  hasField,
  hasHighBytes,
  type RawHeaders,
  valuesOf,
} from "./end_to_end_headers.ts";
import type { AnswerHead, Exchange } from "./exchange.ts";
import { flushHead } from "./flush_head.ts";
import { answerAtOnce, refuse } from "./refusal.ts";
import type { RefusalResponse } from "./refusal_response.ts";
import { http1Target, type RequestTarget } from "./request_target.ts";
import type { Refusal } from "./router.ts";

/** See the module. */
export class Http1Exchange implements Exchange {
  readonly method: string;
  readonly target: RequestTarget | null;
  readonly headers: RawHeaders;
  readonly client: string;
  readonly body: Readable | null;
  readonly departure = new Departure();
  readonly avoidsNotModified = false;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #isComplete = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    this.method = request.method ?? "GET";
    this.headers = request.rawHeaders;
    this.target = http1Target(request.url ?? "", this.headers);
    this.client = request.socket.remoteAddress ?? "";
    this.body = hasBody(this.headers) ? request : null;
    request.on("error", ignore);
    response.on("error", ignore);
    const gone = (): void => {
      if (!this.#isComplete) this.departure.tell();
    };
    response.on("close", gone);
    // One that waits for the answer before it, of a client that asks without waiting, does not hear of the end itself.
    if (response.socket === null) request.socket.once("close", gone);
  }

  get trailers(): RawHeaders {
    return this.#request.rawTrailers;
  }

  get isAnswered(): boolean {
    return this.#response.headersSent;
  }

  inform(status: number, headers: RawHeaders): void {
    const response = this.#response;
    if (this.#request.httpVersion !== "1.1" || response.headersSent) return;
    if (status === 100) response.writeContinue();
    else if (status === 102) response.writeProcessing();
    else if (status === 103 && hasField(headers, "link")) {
      const hints: Record<string, string[]> = Object.create(null);
      for (const [name, value] of fieldsOf(headers)) {
        (hints[name.toLowerCase()] ??= []).push(value);
      }
      response.writeEarlyHints(hints as { link: string[] });
    }
  }

  respond({ status, message, headers }: AnswerHead): void {
    const response = this.#response;
    response.sendDate = false;
    response.writeHead(status, message, headers as string[]);
    if (hasHighBytes(headers) || hasHighBytes([message])) {
      flushHead(response);
    }
  }

  flush(): void {
    if (!this.#isComplete && !this.#response.destroyed) {
      flushHead(this.#response);
    }
  }

  write(chunk: Uint8Array): boolean {
    return this.#response.write(chunk);
  }

  onceDrained(drained: () => void): void {
    this.#response.once("drain", drained);
  }

  end(last: Uint8Array | null, trailers: RawHeaders): void {
    this.#isComplete = true;
    if (trailers.length > 0 && this.#response.chunkedEncoding) {
      this.#response.addTrailers([...fieldsOf(trailers)] as [string, string][]);
    }
    if (last === null) this.#response.end();
    else this.#response.end(last);
  }

  refuse(refusal: Refusal): void {
    // Of an answer that could not be sent.
    this.#response.statusMessage = "";
    refuse(this.#request, this.#response, refusal);
    this.#isComplete = true;
  }

  /** Answers without a task, in words of one's own. */
  say(answer: RefusalResponse): void {
    this.#response.statusMessage = "";
    answerAtOnce(this.#request, this.#response, answer);
    this.#isComplete = true;
  }

  abort(): void {
    if (!this.#isComplete) this.#request.socket.destroy();
  }
}

/**
 * A client that goes away is no failure of ours.
 *
 * Not a closure: it would tie the exchange to the request, which its connection holds until the next one, and so each
 * request to the one before it. All of them would outlive young collections.
 */
function ignore(): void {}

/** RFC 9112 §6.3: a request has a body if it says how it is framed. */
function hasBody(headers: RawHeaders): boolean {
  return hasField(headers, "transfer-encoding") ||
    valuesOf(headers, "content-length").some((value) => value !== "0");
}
