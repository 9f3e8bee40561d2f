/**
 * A client's HTTP/1.1 connection for as long as nothing but plain requests come over it.
 *
 * A request without a body, in one piece, and its answer need no streams, no parsed fields and no objects for each of
 * them: their bytes are passed on. That is a third of the work. With the first request that is more than that, or that
 * cannot be answered by its task, the connection goes to `node:http` for good, together with that request.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { TLSSocket } from "node:tls";
import { bytesOf, ChunkScanner, textOf } from "./chunk_scanner.ts";
import { Departure } from "./departure.ts";
import { endToEndHeaders, fieldsOf, valuesOf } from "./end_to_end_headers.ts";
import {
  type PlainAnswer,
  type PlainRequest,
  readPlainAnswer,
  readPlainRequest,
} from "./plain_head.ts";
import {
  type LinkUser,
  openLink,
  type UpstreamLink,
} from "./plain_upstream.ts";
import type { Refusal, Route, Upstream } from "./router.ts";
import type { UpstreamPool } from "./upstream_agents.ts";
import { upstreamHeaders } from "./upstream_request.ts";

/** Largest head of an answer. */
const MAX_HEAD_BYTES = 64 * 1024;

/** Bytes that a client may send ahead while an answer is on its way; more of them wait in its socket. */
const MAX_EARLY_BYTES = 64 * 1024;

/** Interim answers that are passed on. */
const MAX_INTERIM = 32;

/** A body up to this size is sent in one write with its head. */
const MAX_JOINED_BYTES = 16 * 1024;

const END_OF_HEAD = "\r\n\r\n";

const TRAILER: ReadonlySet<string> = new Set(["trailer"]);

/** What a connection needs of the proxy. */
export interface PlainHost {
  /** Seconds between two requests that clients are told. */
  readonly idleS: number;
  /** A request begins. @returns Why it is not heard, or null. */
  begin(): Refusal | null;
  /** A request that began is over. */
  end(): void;
  find(request: PlainRequest, departure: Departure): Promise<Route>;
  failed(upstream: Upstream, error: Error): Refusal;
  /** The pool of an upstream; disposing says that the request is over. */
  use(upstream: Upstream): { readonly pool: UpstreamPool } & Disposable;
  /** The connection is somebody else's, with what was read of it, and the answer to the first request if there is one. */
  handOver(bytes: Uint8Array, refusal: Refusal | null): void;
  onError(error: unknown): void;
}

/** See the module. */
export class PlainConnection {
  readonly #socket: TLSSocket;
  readonly #host: PlainHost;
  readonly #client: string;
  #exchange: PlainExchange | null = null;
  /** What came while an answer was on its way. */
  #early: Uint8Array | null = null;
  readonly #onData = (bytes: Uint8Array): void => this.#take(bytes);
  readonly #onDrain = (): void => this.#exchange?.onClientDrain();
  readonly #onGone = (): void => this.#exchange?.leave();

  constructor(socket: TLSSocket, host: PlainHost) {
    this.#socket = socket;
    this.#host = host;
    this.#client = socket.remoteAddress ?? "";
    socket.on("data", this.#onData);
    socket.on("drain", this.#onDrain);
    socket.on("end", this.#onGone);
    socket.on("close", this.#onGone);
  }

  #take(bytes: Uint8Array): void {
    if (this.#exchange !== null) {
      // Whoever asks without waiting: the next request is not lost, and not read before its turn.
      this.#early = this.#early === null
        ? bytes
        : Buffer.concat([this.#early, bytes]);
      // Whoever does not read on may not notice that its client goes away.
      if (this.#early.length > MAX_EARLY_BYTES) this.#socket.pause();
      return;
    }
    // Whoever asks on without reading would have all the answers pile up here; `node:http` stops reading then.
    if (this.#socket.writableNeedDrain) return this.#handOver(bytes, null);
    const text = textOf(bytes);
    const isWhole = text.endsWith(END_OF_HEAD) &&
      text.indexOf(END_OF_HEAD) === text.length - END_OF_HEAD.length;
    const request = isWhole ? readPlainRequest(text) : null;
    if (request === null) return this.#handOver(bytes, null);
    const refusal = this.#host.begin();
    if (refusal !== null) {
      this.#host.end();
      return this.#handOver(bytes, refusal);
    }
    const exchange = new PlainExchange({
      request,
      socket: this.#socket,
      client: this.#client,
      host: this.#host,
    });
    this.#exchange = exchange;
    exchange.run().then(
      (end) => this.#after(bytes, end),
      (error) => {
        this.#host.onError(error);
        this.#socket.destroy();
        this.#after(bytes, "gone");
      },
    );
  }

  #after(bytes: Uint8Array, end: ExchangeEnd): void {
    this.#exchange = null;
    this.#host.end();
    if (end === "gone" || this.#socket.destroyed) return;
    const early = this.#early;
    this.#early = null;
    if (end !== "answered") {
      const all = early === null ? bytes : Buffer.concat([bytes, early]);
      this.#handOver(all, end === "unreadable" ? null : end);
    } else if (early !== null) this.#handOver(early, null);
  }

  #handOver(bytes: Uint8Array, refusal: Refusal | null): void {
    const socket = this.#socket;
    socket.off("data", this.#onData);
    socket.off("drain", this.#onDrain);
    socket.off("end", this.#onGone);
    socket.off("close", this.#onGone);
    socket.pause();
    this.#host.handOver(bytes, refusal);
  }
}

/** What became of a request: `unreadable` = its answer is one for the whole parser, and nothing of it was sent on. */
type ExchangeEnd = "answered" | "gone" | "unreadable" | Refusal;

interface ExchangeParts {
  readonly request: PlainRequest;
  readonly socket: TLSSocket;
  readonly client: string;
  readonly host: PlainHost;
}

/** One request and its answer. */
class PlainExchange implements LinkUser {
  readonly #parts: ExchangeParts;
  readonly #departure = new Departure();
  readonly #done = Promise.withResolvers<ExchangeEnd>();
  #link: UpstreamLink | null = null;
  #pool: UpstreamPool | null = null;
  #upstream: Upstream | null = null;
  /** The head of the answer as far as it has come. */
  #head: Uint8Array | null = null;
  #answer: PlainAnswer | null = null;
  #interim = 0;
  #missing = 0;
  #scanner: ChunkScanner | null = null;
  #isPaused = false;
  #hasFailed = false;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  /** Resolves when the answer is complete, or there is none. */
  async run(): Promise<ExchangeEnd> {
    const { host } = this.#parts;
    const route = await this.#find();
    if (route === null || this.#departure.isGone) return "gone";
    if (route.kind === "refusal") return route;
    using use = host.use(route);
    this.#upstream = route;
    this.#pool = use.pool;
    const kept = use.pool.links.take();
    if (kept === null) await this.#open();
    else this.#send(kept);
    return await this.#done.promise;
  }

  /** Null if the client did not wait for it. */
  async #find(): Promise<Route | null> {
    const { host, request } = this.#parts;
    try {
      return await host.find(request, this.#departure);
    } catch (error) {
      if (!this.#departure.isGone) throw error;
      return null;
    }
  }

  /** The client has gone. */
  leave(): void {
    this.#departure.tell();
    this.#link?.destroy();
    this.#done.resolve("gone");
  }

  /** The client takes bytes again. */
  onClientDrain(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#link?.resume();
  }

  onDrain(): void {}

  onData(bytes: Uint8Array): void {
    if (this.#answer === null) this.#takeHead(bytes);
    else this.#takeBody(bytes, null);
  }

  onClose(isClean: boolean): void {
    const wasUsed = this.#link?.wasUsed ?? false;
    this.#link = null;
    if (this.#answer !== null) {
      // An answer without a length ends with its connection; any other one is broken, and must not look whole.
      if (this.#answer.body === "close" && isClean) {
        this.#write([bytesOf("0\r\n\r\n")]);
        this.#done.resolve("answered");
      } else this.#cut();
      return;
    }
    if (wasUsed && !this.#hasFailed) {
      this.#hasFailed = true;
      this.#head = null;
      void this.#open();
      return;
    }
    this.#fail(new Error("socket hang up"));
  }

  async #open(): Promise<void> {
    const pool = this.#pool!;
    try {
      const { link, address } = await openLink(pool.port, pool.addresses);
      pool.prefer(address);
      if (this.#departure.isGone) link.destroy();
      else this.#send(link);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#fail(error);
    }
  }

  #send(link: UpstreamLink): void {
    const { request: { method, path, headers, authority }, client } =
      this.#parts;
    this.#link = link;
    link.user = this;
    const fields = upstreamHeaders({
      method,
      headers,
      hasBody: false,
      keepsConnection: true,
      avoidsNotModified: false,
      client,
      authority,
    });
    link.write(bytesOf(`${method} ${path} HTTP/1.1\r\n${linesOf(fields)}\r\n`));
  }

  #takeHead(bytes: Uint8Array): void {
    const all = this.#head === null
      ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      : Buffer.concat([this.#head, bytes]);
    const end = all.indexOf(END_OF_HEAD);
    if (end === -1 || end > MAX_HEAD_BYTES) {
      this.#head = all;
      if (all.length > MAX_HEAD_BYTES) this.#giveUp();
      return;
    }
    const size = end + END_OF_HEAD.length;
    const { method } = this.#parts.request;
    const answer = readPlainAnswer(textOf(all.subarray(0, size)), method);
    this.#head = null;
    if (answer === null || answer.status === 101) return this.#giveUp();
    const rest = all.subarray(size);
    if (answer.status < 200) {
      this.#inform(answer);
      if (rest.length > 0) this.#takeHead(rest);
      return;
    }
    this.#answer = answer;
    const head = this.#headOf(answer);
    if (answer.body === "chunked") this.#scanner = new ChunkScanner();
    else if (answer.body !== "close") this.#missing = answer.body;
    this.#takeBody(rest, head);
  }

  /** The whole parser is to decide, which asks the task anew. */
  #giveUp(): void {
    this.#link?.destroy();
    this.#link = null;
    // What was told in between commits to nothing, and may be told again.
    this.#done.resolve("unreadable");
  }

  #inform({ status, headers }: PlainAnswer): void {
    const links = valuesOf(headers, "link");
    const isHint = status === 103 && links.length > 0 &&
      links.every((link) => LINK_REGEXP.test(link));
    if (!isHint && status !== 100 && status !== 102) return;
    if (++this.#interim > MAX_INTERIM) return;
    const fields = isHint ? linesOf(endToEndHeaders(headers, LENGTH)) : "";
    const message = INTERIM[status] ?? "";
    this.#write([bytesOf(`HTTP/1.1 ${status} ${message}\r\n${fields}\r\n`)]);
  }

  #headOf({ status, message, headers, body }: PlainAnswer): Uint8Array {
    const isFramed = body === "chunked" || body === "close";
    const fields = endToEndHeaders(headers, isFramed ? undefined : TRAILER);
    const framing = isFramed ? "Transfer-Encoding: chunked\r\n" : "";
    return bytesOf(
      `HTTP/1.1 ${status} ${message}\r\n${linesOf(fields)}` +
        `Connection: keep-alive\r\nKeep-Alive: timeout=${this.#parts.host.idleS}\r\n${framing}\r\n`,
    );
  }

  #takeBody(bytes: Uint8Array, head: Uint8Array | null): void {
    const answer = this.#answer!;
    const parts: Uint8Array[] = head === null ? [] : [head];
    let isOver = false;
    let isClean = true;
    if (this.#scanner !== null) {
      const scanned = this.#scanner.push(bytes);
      if (scanned === null) {
        this.#write(parts);
        return this.#cut();
      }
      parts.push(...scanned.parts);
      isOver = scanned.isOver;
      isClean = scanned.length === bytes.length;
    } else if (answer.body === "close") {
      if (bytes.length > 0) {
        parts.push(bytesOf(`${bytes.length.toString(16)}\r\n`), bytes, CRLF);
      }
    } else {
      const taken = bytes.subarray(0, this.#missing);
      if (taken.length > 0) parts.push(taken);
      this.#missing -= taken.length;
      isOver = this.#missing === 0;
      isClean = taken.length === bytes.length;
    }
    this.#write(parts);
    if (isOver) this.#finish(answer, isClean);
  }

  #finish({ isKept, keepsS }: PlainAnswer, isClean: boolean): void {
    const link = this.#link!;
    this.#link = null;
    if (this.#isPaused) link.resume();
    if (isKept && isClean) this.#pool!.links.put(link, keepsS);
    else link.destroy();
    this.#done.resolve("answered");
  }

  #write(parts: readonly Uint8Array[]): void {
    const { socket } = this.#parts;
    let size = 0;
    for (const part of parts) size += part.length;
    if (size === 0 || socket.destroyed) return;
    let takesMore = true;
    if (parts.length === 1) takesMore = socket.write(parts[0]!);
    else if (size <= MAX_JOINED_BYTES) {
      takesMore = socket.write(Buffer.concat(parts, size));
    } else {
      socket.cork();
      for (const part of parts) takesMore = socket.write(part);
      socket.uncork();
    }
    if (takesMore || this.#isPaused || this.#link === null) return;
    this.#isPaused = true;
    this.#link.pause();
  }

  #fail(error: Error): void {
    this.#done.resolve(this.#parts.host.failed(this.#upstream!, error));
  }

  /** What the client has is not whole, and it must know. */
  #cut(): void {
    this.#link?.destroy();
    this.#link = null;
    this.#parts.socket.destroy();
    this.#done.resolve("gone");
  }
}

const CRLF: Uint8Array = bytesOf("\r\n");

/** RFC 8288 §3: what begins otherwise is no link, and a hint that clients could stumble over. */
const LINK_REGEXP = /^<[^<>"]*>/;

const LENGTH: ReadonlySet<string> = new Set(["content-length"]);

const INTERIM: Readonly<Record<number, string>> = {
  100: "Continue",
  102: "Processing",
  103: "Early Hints",
};

function linesOf(raw: readonly string[]): string {
  let lines = "";
  for (const [name, value] of fieldsOf(raw)) lines += `${name}: ${value}\r\n`;
  return lines;
}
