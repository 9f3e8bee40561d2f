/**
 * A request over HTTP/2 and the answer to it, on the stream itself: its compatibility layer ends truncated answers as if
 * they were whole, and spends a frame more on each.
 *
 * @module
 */

import {
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { Readable } from "node:stream";
import { Departure } from "./departure.ts";
import { fieldsOf, type RawHeaders, valuesOf } from "./end_to_end_headers.ts";
import type { AnswerHead, Exchange } from "./exchange.ts";
import { refuse } from "./refusal.ts";
import { http2Target, type RequestTarget } from "./request_target.ts";
import type { ResetBudget } from "./reset_budget.ts";
import type { Refusal } from "./router.ts";

const NOT_MODIFIED = 304;

/** One stream, as a server gets it. */
export interface Http2Arrival {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: RawHeaders;
  /** Of the session. */
  readonly budget: ResetBudget;
}

/** See the module. */
export class Http2Exchange implements Exchange {
  readonly method: string;
  readonly target: RequestTarget | null;
  readonly headers: RawHeaders;
  readonly client: string;
  readonly body: Readable | null;
  readonly departure = new Departure();
  readonly #arrival: Http2Arrival;
  #trailers: RawHeaders = [];
  #trailersToSend: RawHeaders = [];
  #status: number | null = null;
  #isComplete = false;

  constructor(arrival: Http2Arrival) {
    const { stream, rawHeaders, budget } = arrival;
    this.#arrival = arrival;
    this.headers = rawHeaders;
    this.method = valuesOf(rawHeaders, ":method")[0] ?? "GET";
    this.target = http2Target(rawHeaders);
    this.client = stream.session?.socket.remoteAddress ?? "";
    this.body = stream.endAfterHeaders ? null : stream;
    stream.on(
      "trailers",
      (_headers: unknown, _flags: number, raw?: string[]) => {
        this.#trailers = raw ?? [];
      },
    );
    // A client that goes away is no failure of ours.
    stream.on("error", () => {});
    stream.on("close", () => {
      const wasReset = !this.#isComplete || (stream.rstCode ?? 0) !== 0;
      if (wasReset && this.#status !== NOT_MODIFIED) budget.spend();
      if (!this.#isComplete) this.departure.tell();
    });
  }

  get trailers(): RawHeaders {
    return this.#trailers;
  }

  get isAnswered(): boolean {
    return this.#arrival.stream.headersSent;
  }

  get avoidsNotModified(): boolean {
    return !this.#arrival.budget.allowsNotModified;
  }

  inform(status: number, headers: RawHeaders): void {
    const { stream } = this.#arrival;
    if (stream.headersSent || stream.destroyed) return;
    stream.additionalHeaders(outgoing(status, headers));
  }

  respond({ status, headers, hasBody, mayHaveTrailers }: AnswerHead): void {
    const { stream, budget } = this.#arrival;
    if (stream.destroyed) return;
    this.#status = status;
    if (status === NOT_MODIFIED) budget.spend();
    if (mayHaveTrailers) {
      stream.on(
        "wantTrailers",
        () => stream.sendTrailers(grouped(this.#trailersToSend)),
      );
    }
    stream.respond(outgoing(status, headers), {
      endStream: !hasBody,
      waitForTrailers: mayHaveTrailers,
    });
  }

  flush(): void {
    // The head is a frame of its own, sent at once.
  }

  write(chunk: Uint8Array): boolean {
    return this.#arrival.stream.write(chunk);
  }

  onceDrained(drained: () => void): void {
    this.#arrival.stream.once("drain", drained);
  }

  end(last: Uint8Array | null, trailers: RawHeaders): void {
    this.#isComplete = true;
    this.#trailersToSend = trailers;
    const { stream } = this.#arrival;
    if (last === null) stream.end();
    else stream.end(last);
  }

  refuse(refusal: Refusal): void {
    const { stream, headers, rawHeaders } = this.#arrival;
    if (stream.destroyed) return;
    this.#isComplete = true;
    const request = new Http2ServerRequest(stream, headers, {}, rawHeaders);
    refuse(request, new Http2ServerResponse(stream), refusal);
  }

  abort(): void {
    const { stream } = this.#arrival;
    // Deno's session breaks if a stream is reset that is closed already.
    if (this.#isComplete || stream.closed || stream.destroyed) return;
    // `close(code)` would end the answer as if it were whole.
    stream.destroy(new Error("the upstream is gone"));
  }
}

function outgoing(status: number, headers: RawHeaders): OutgoingHttpHeaders {
  return Object.assign(grouped(headers), { ":status": status });
}

/** Fields by their names in lower case, repetitions in lists. Of fields that may be there once, the first counts. */
function grouped(headers: RawHeaders): Record<string, string | string[]> {
  // A field may be called as what objects inherit.
  const result: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of fieldsOf(headers)) {
    const key = name.toLowerCase();
    const known = result[key];
    if (known === undefined) result[key] = value;
    else if (SINGLE.has(key)) continue;
    else if (typeof known === "string") result[key] = [known, value];
    else known.push(value);
  }
  return result;
}

/** Names that `node:http2` refuses to send twice. */
const SINGLE: ReadonlySet<string> = new Set([
  "access-control-allow-credentials",
  "access-control-max-age",
  "access-control-request-method",
  "age",
  "authorization",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-md5",
  "content-range",
  "content-type",
  "date",
  "dnt",
  "etag",
  "expires",
  "from",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "range",
  "referer",
  "retry-after",
  "tk",
  "upgrade-insecure-requests",
  "user-agent",
  "x-content-type-options",
]);
