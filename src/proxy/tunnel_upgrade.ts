/**
 * WebSockets and other changes of protocol: from the handshake on the bytes pass between client and task as they are.
 *
 * So subprotocols, extensions, pings and close codes are between those two alone. A tunnel lives as long as both ends
 * do, silent or not; it ends with either of them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connectUpstream } from "./connect_upstream.ts";
import { MISDIRECTED } from "./refusal.ts";
import type { RawHeaders } from "./end_to_end_headers.ts";
import { type RefusalResponse, refusalResponse } from "./refusal_response.ts";
import { http1Target, type RequestTarget } from "./request_target.ts";
import type { Refusal, Route, Router, Upstream } from "./router.ts";
import {
  type AnswerHead,
  askedProtocol,
  bodyLength,
  lastAnswerHead,
  parseAnswerHead,
  type UpgradeRequest,
  upgradeRequestHead,
} from "./upgrade_head.ts";

/** Tunnels at the same time. Each costs two sockets and what their buffers hold. */
const MAX_TUNNELS = 10_000;

/** Silence after which the kernel asks whether a client that is not on this machine is still there. */
const KEEP_ALIVE_MS = 30_000;

/** Silence after which a connection is closed whose other end is gone. */
const LINGER_MS = 30_000;

/** Bytes of a client that are kept until its task is there; the rest waits in the client. */
const MAX_EARLY_BYTES = 64 * 1024;

const SWITCHING_PROTOCOLS = 101;

/** Interim answers that are passed on. */
const MAX_INTERIM = 32;

/** Events after which reading may tell something new. */
const WAKING = ["readable", "end", "close"] as const;

const UNREADABLE: Refusal = {
  ...MISDIRECTED,
  code: "bad_request",
  message: "A change of protocol needs one host and no chunked body",
  hint: null,
};

/** How one change of protocol passes. */
export interface Passage extends Pick<Router, "failed"> {
  /** Where it goes. Rejects only with the signal's reason. */
  find(
    asked: { readonly authority: string; readonly headers: RawHeaders },
    client: { readonly signal: AbortSignal },
  ): Promise<Route>;
  /**
   * Whether the client is no friend: what it sends behind its request waits until the protocol has changed, as a task that
   * does not change it would take it for a request that nobody looked at.
   */
  readonly isStrict?: boolean;
  /** What the task is asked, if not what the client asked. */
  ask?(request: UpgradeRequest): UpgradeRequest;
  /** What the client is answered, if not what the task answered: the characters of the head. */
  answer?(head: string): string;
  /** How a refusal is told, if not as the proxy does. */
  refuse?(refusal: Refusal): RefusalResponse;
  /** It is decided: 101 = the tunnel is open. Called at most once, and not for a client that went away before. */
  decided?(status: number): void;
}

/** What tunnels work with. */
export interface TunnelOptions {
  /** For those that bring none of their own. */
  readonly passage: Passage;
  /** Most tunnels at the same time; by default {@linkcode MAX_TUNNELS}. */
  readonly maxTunnels?: number;
  /** Reports a failure of the proxy itself. */
  onError(error: unknown): void;
}

/** Every tunnel of a proxy. Disposal ends them at once. */
export class UpgradeTunnels implements Disposable {
  readonly #options: TunnelOptions;
  readonly #clients = new Set<Socket>();
  readonly #upstreams = new Set<Socket>();

  constructor(options: TunnelOptions) {
    this.#options = options;
  }

  /** How many there are, with those that still look for their task. */
  get size(): number {
    return this.#clients.size;
  }

  /**
   * Takes over the connection of a request with `Upgrade`. One whose protocol cannot be tunnelled is answered as an
   * ordinary request.
   *
   * @param stream The connection, which has given up being HTTP.
   * @param head What came behind the request already.
   */
  accept(
    request: IncomingMessage,
    stream: Duplex,
    head: Buffer,
    passage: Passage = this.#options.passage,
  ): void {
    const client = stream as Socket;
    client.on("error", () => client.destroy());
    const { maxTunnels = MAX_TUNNELS } = this.#options;
    if (this.#clients.size >= maxTunnels) {
      return refuseUpgrade(client, request, tooMany(maxTunnels), passage);
    }
    this.#clients.add(client);
    client.on("close", () => this.#clients.delete(client));
    client.setTimeout(0);
    client.setNoDelay(true);
    client.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#open(request, client, head, passage).catch((error) => {
      client.destroy();
      this.#options.onError(error);
    });
  }

  [Symbol.dispose](): void {
    for (const socket of [...this.#clients, ...this.#upstreams]) {
      socket.destroy();
    }
  }

  async #open(
    request: IncomingMessage,
    client: Socket,
    head: Buffer,
    passage: Passage,
  ): Promise<void> {
    const gone = new AbortController();
    client.on("close", () => gone.abort());
    const early = new EarlyBytes(client, [request.read(), head]);
    try {
      const target = http1Target(request.url ?? "", request.rawHeaders);
      if (target === null || "transfer-encoding" in request.headers) {
        return refuseUpgrade(client, request, UNREADABLE, passage);
      }
      const { signal } = gone;
      const { authority } = target;
      const route = await passage.find(
        { authority, headers: request.rawHeaders },
        { signal },
      );
      if (route.kind === "refusal") {
        return refuseUpgrade(client, request, route, passage);
      }
      await this.#join(request, {
        client,
        early,
        target,
        route,
        signal,
        passage,
      });
    } catch (error) {
      // The client went away meanwhile.
      if (!gone.signal.aborted) throw error;
    }
  }

  async #join(
    request: IncomingMessage,
    { client, early, target, route, signal, passage }: Waiting,
  ): Promise<void> {
    try {
      const { socket: upstream } = await connectUpstream(
        route.port,
        route.addresses,
      );
      // What fails is seen where the stream is read.
      upstream.on("error", () => upstream.destroy());
      if (signal.aborted) return void upstream.destroy();
      this.#upstreams.add(upstream);
      upstream.on("close", () => this.#upstreams.delete(upstream));
      const leave = () => upstream.destroy();
      client.on("close", leave);
      const asked: UpgradeRequest = {
        ...target,
        method: request.method ?? "GET",
        headers: request.rawHeaders,
        client: client.remoteAddress ?? "unknown",
      };
      const head = upgradeRequestHead(passage.ask?.(asked) ?? asked);
      upstream.write(characters(head));
      if (passage.isStrict) early.passBody(upstream, contentLength(request));
      else early.passTo(upstream);
      const { answer, rest } = await readAnswer(upstream, client);
      client.off("close", leave);
      const isTunnel = answer.status === SWITCHING_PROTOCOLS;
      if (isTunnel && askedProtocol(request.rawHeaders) === null) {
        upstream.destroy();
        throw new Error("it changed the protocol, which nobody asked for");
      }
      const text = isTunnel ? answer.text : lastAnswerHead(answer);
      client.write(characters(passage.answer?.(text) ?? text));
      passage.decided?.(answer.status);
      if (rest.length > 0) client.write(rest);
      if (passage.isStrict && isTunnel) early.passTo(upstream);
      join(upstream, client);
      const length = isTunnel ? null : bodyLength(answer, request.method);
      if (length !== null) endAfter(length - rest.length, { upstream, client });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      const refusal = passage.failed(route, error);
      refuseUpgrade(client, request, refusal, passage);
    }
  }
}

/** A client whose task is known. */
interface Waiting {
  readonly client: Socket;
  readonly early: EarlyBytes;
  readonly target: RequestTarget;
  readonly route: Upstream;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  readonly passage: Passage;
}

/** What a client sends before there is anybody to send it to. Reading also is how its end is noticed. */
class EarlyBytes {
  readonly #client: Socket;
  #chunks: Uint8Array[] = [];
  #size = 0;
  /** Where the next bytes go at once, and how many of them. */
  #body: { readonly upstream: Socket; left: number } | null = null;

  constructor(client: Socket, chunks: readonly (Uint8Array | null)[]) {
    this.#client = client;
    for (const chunk of chunks) if (chunk !== null) this.#keep(chunk);
    client.on("data", this.#take);
  }

  /** Sends so many bytes now, or as they come: those of a body. What comes behind them is kept. */
  passBody(upstream: Socket, length: number): void {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#size = 0;
    this.#body = { upstream, left: length };
    for (const chunk of chunks) this.#take(chunk);
  }

  /** Sends what is kept, and whatever comes from now on. */
  passTo(upstream: Socket): void {
    this.#client.off("data", this.#take);
    for (const chunk of this.#chunks) upstream.write(chunk);
    this.#client.pipe(upstream);
  }

  readonly #take = (chunk: Uint8Array): void => {
    const body = this.#body;
    const now = chunk.subarray(0, body?.left ?? 0);
    if (body !== null && now.length > 0) {
      body.left -= now.length;
      if (!body.upstream.write(now)) {
        this.#client.pause();
        body.upstream.once("drain", () => this.#client.resume());
      }
    }
    if (now.length < chunk.length) this.#keep(chunk.subarray(now.length));
  };

  #keep(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > MAX_EARLY_BYTES) this.#client.pause();
  }
}

/** Bytes of the body of a request that says how many they are. */
function contentLength({ headers }: IncomingMessage): number {
  const length = Number(headers["content-length"] ?? 0);
  return Number.isSafeInteger(length) ? length : 0;
}

function tooMany(limit: number): Refusal {
  return {
    ...MISDIRECTED,
    status: 503,
    code: "too_many_tunnels",
    message: `Cannot open another WebSocket: ${limit} are open`,
    hint: null,
    isTransient: true,
  };
}

/** Passes interim answers on. Resolves with the final one and what came behind its head. */
async function readAnswer(
  upstream: Socket,
  client: Socket,
): Promise<{ readonly answer: AnswerHead; readonly rest: Uint8Array }> {
  let bytes = new Uint8Array();
  let interim = 0;
  while (true) {
    const answer = parseAnswerHead(bytes);
    if (answer === null) {
      bytes = Buffer.concat([bytes, await nextChunk(upstream)]);
      continue;
    }
    const rest = bytes.subarray(answer.length);
    if (answer.status >= 200 || answer.status === SWITCHING_PROTOCOLS) {
      return { answer, rest };
    }
    // Whoever says so without end says nothing.
    if (++interim <= MAX_INTERIM) client.write(characters(answer.text));
    bytes = rest;
  }
}

/** A byte for each. (Deno's TLS sockets ignore the encoding given to `write`.) */
function characters(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** @throws If there will be none. */
async function nextChunk(stream: Socket): Promise<Uint8Array> {
  while (true) {
    const chunk: Uint8Array | null = stream.read();
    if (chunk !== null) return chunk;
    if (stream.readableEnded || stream.destroyed) {
      throw stream.errored ??
        new Error("it closed the connection without an answer");
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    for (const event of WAKING) stream.once(event, wake);
    await promise;
    for (const event of WAKING) stream.off(event, wake);
  }
}

/** Joins two ends: what one sends goes to the other, as fast as that takes it, until one of them is gone. */
function join(upstream: Socket, client: Socket): void {
  upstream.pipe(client);
  for (
    const [one, other] of [[upstream, client], [client, upstream]] as const
  ) {
    const leave = (isBroken: boolean) => {
      if (isBroken) return other.destroy();
      other.end();
      linger(other);
    };
    one.on("end", () => linger(other));
    // It may have gone with its first words.
    if (one.closed) leave(one.errored !== null);
    else one.on("close", leave);
  }
}

/** Ends both sides when the body of an answer is through. */
function endAfter(
  length: number,
  { upstream, client }: { readonly upstream: Socket; readonly client: Socket },
): void {
  let left = length;
  const count = ({ length }: { readonly length: number }) => {
    left -= length;
    if (left > 0) return;
    upstream.unpipe(client);
    upstream.destroy();
    finish(client, null);
  };
  upstream.on("data", count);
  count({ length: 0 });
}

function refuseUpgrade(
  client: Socket,
  request: IncomingMessage,
  refusal: Refusal,
  passage: Passage,
): void {
  const answer = passage.refuse?.(refusal) ??
    refusalResponse(request.headers, refusal, { method: request.method });
  answerUpgrade(client, request, answer);
  passage.decided?.(answer.status);
}

/** Answers without a task, as the last thing on the connection. */
export function answerUpgrade(
  client: Socket,
  { method }: Pick<IncomingMessage, "method">,
  { status, headers, body }: RefusalResponse,
): void {
  const lines = Object.entries({ ...headers, connection: "close" })
    .map(([name, value]) => `${name}: ${value}\r\n`);
  client.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n`,
  );
  finish(client, method === "HEAD" ? null : body);
}

/** Writes the last words, and closes when they are taken. What the client still sends is thrown away. */
function finish(client: Socket, words: Uint8Array | null): void {
  client.unpipe();
  client.removeAllListeners("data");
  client.resume();
  if (words !== null) client.write(words);
  client.end();
  linger(client);
}

function linger(socket: Socket): void {
  socket.setTimeout(LINGER_MS, () => socket.destroy());
}
