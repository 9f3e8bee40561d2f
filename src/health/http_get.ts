/**
 * One GET request as a health probe needs it: no proxy, no cache, no connection kept, a bounded body.
 *
 * `*.localhost` is this machine even where the resolver does not say so, and this machine's certificates need no trust:
 * they are what development servers make up for themselves. Not `fetch`, which can do neither and obeys proxy variables.
 *
 * @module
 */

import {
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from "node:http";
import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** What a probe looks at. */
export interface HttpAnswer {
  readonly status: number;
  /** Unparsed `Location`, or null. */
  readonly location: string | null;
  /** The first bytes of the body as text, invalid UTF-8 replaced. */
  readonly body: string;
}

/** How much of a body is waited for. */
export interface BodyNeed {
  /** 0 = none. The rest is thrown away with the connection. */
  readonly bytes: number;
  /** Be content with what has come after so long; absent = wait for all. */
  readonly patienceMs?: number;
}

/** There was no answer. The message says why in a few words. */
export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
}

/**
 * Asks an `http:` or `https:` address.
 *
 * @param options.body How much of the body to wait for, by status.
 * @throws {HttpFailure} If there is no HTTP answer.
 * @throws The signal's reason, if it aborts.
 */
export async function httpGet(
  url: URL,
  { body, signal }: {
    readonly body: (status: number) => BodyNeed;
    readonly signal: AbortSignal;
  },
): Promise<HttpAnswer> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  let request: ClientRequest | null = null;
  const abort = () => request?.destroy(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    request = httpRequest(requestOptions(url));
    request.on("error", reject);
    request.on("response", (response) => {
      const status = response.statusCode ?? 0;
      readBody(response, body(status)).then((text) => {
        const location = response.headers.location ?? null;
        resolve({ status, location, body: text });
      }, reject);
    });
    request.end();
    return await promise;
  } catch (error) {
    signal.throwIfAborted();
    throw new HttpFailure(describe(error, url), { cause: error });
  } finally {
    signal.removeEventListener("abort", abort);
    request?.destroy();
  }
}

function requestOptions(url: URL): RequestOptions {
  const endpoint = endpointOf(url);
  return {
    method: "GET",
    host: endpoint.host,
    port: endpoint.port,
    path: `${url.pathname}${url.search}`,
    headers: {
      host: url.host,
      accept: "*/*",
      "accept-encoding": "identity",
      "user-agent": "taskmux-health",
      connection: "close",
    },
    ...(url.username === "" ? {} : { auth: credentials(url) }),
    createConnection: () => connectTo(endpoint),
  };
}

async function readBody(
  response: IncomingMessage,
  { bytes: limitBytes, patienceMs }: BodyNeed,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let left = limitBytes;
  if (left === 0) return text;
  const late = patienceMs === undefined
    ? null
    : AbortSignal.timeout(patienceMs);
  const enough = (): unknown => response.destroy();
  late?.addEventListener("abort", enough, { once: true });
  try {
    for await (const chunk of response) {
      const bytes: Uint8Array = chunk;
      text += decoder.decode(bytes.subarray(0, left), { stream: true });
      left -= bytes.length;
      if (left <= 0) break;
    }
  } catch (error) {
    if (late?.aborted !== true) throw error;
  } finally {
    late?.removeEventListener("abort", enough);
  }
  return text + decoder.decode();
}

/** Where to connect. */
interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly isThisMachine: boolean;
}

function endpointOf(url: URL): Endpoint {
  const isTls = url.protocol === "https:";
  const name = url.hostname.replace(/^\[(.*)\]$/, "$1");
  // Servers print the address they listen on as the address to visit.
  const host = name === "0.0.0.0" ? "127.0.0.1" : name === "::" ? "::1" : name;
  return {
    host,
    port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
    isTls,
    isThisMachine: /(?:^|\.)localhost\.?$/.test(host) ||
      (isIP(host) === 4 && host.startsWith("127.")) || host === "::1",
  };
}

function connectTo({ host, port, isTls, isThisMachine }: Endpoint): Socket {
  const target = {
    host,
    port,
    autoSelectFamily: true,
    ...(isThisMachine ? { lookup: lookupLoopback } : {}),
  };
  if (!isTls) return connect(target);
  return connectTls({
    ...target,
    servername: isIP(host) === 0 ? host : "",
    rejectUnauthorized: !isThisMachine,
    ALPNProtocols: ["http/1.1"],
  });
}

/** Answers for every name with both loopback addresses; which one the server listens on shows. */
const lookupLoopback: LookupFunction = (_name, options, callback) => {
  if (options.all) {
    callback(null, [
      { address: "127.0.0.1", family: 4 },
      { address: "::1", family: 6 },
    ]);
  } else callback(null, "127.0.0.1", 4);
};

function credentials(url: URL): string {
  return [url.username, url.password].map(decodeURIComponent).join(":");
}

function describe(error: unknown, url: URL): string {
  if (!(error instanceof Error)) return `url error: ${error}`;
  const code = (error as NodeJS.ErrnoException).code ?? error.name;
  switch (code) {
    case "ECONNREFUSED":
      return `connect refused: nothing listens on ${url.host}`;
    case "ECONNRESET":
    case "EPIPE":
      return "connection closed without an answer";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `host not found: ${url.hostname}`;
    case "NotCapable":
      return `not permitted: network access to ${url.host}`;
  }
  if (code.startsWith("HPE_")) return `no HTTP answer: ${error.message}`;
  return `url error: ${error.message}`;
}
