/**
 * Asks the proxy of a home as a client that trusts its CA, whether or not this machine resolves the names.
 *
 * @module
 */

import http2 from "node:http2";
import https from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Taskmux } from "./taskmux.ts";

/** How to ask. */
export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** Connections that are kept; without it each request has its own. */
  readonly agent?: https.Agent;
}

/** What was answered. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** See the module. Made by {@linkcode proxyClient}. */
export class ProxyClient {
  readonly port: number;
  readonly ca: string;

  constructor(port: number, ca: string) {
    this.port = port;
    this.ca = ca;
  }

  /** One request of HTTP/1.1, such as `api.shop.localhost/path`. */
  ask(address: string, options: AskOptions = {}): Promise<Answer> {
    const { name, path } = split(address);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const request = https.request({
      host: "127.0.0.1",
      port: this.port,
      servername: name,
      ca: this.ca,
      agent: options.agent ?? false,
      method: options.method ?? "GET",
      path,
      headers: { host: `${name}:${this.port}`, ...options.headers },
      ...options.signal === undefined ? {} : { signal: options.signal },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => text += part);
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, text });
      });
    });
    request.end(options.body);
    return promise;
  }

  /** Reads an answer until a pattern was told. The rest is let go. */
  async told(address: string, pattern: RegExp): Promise<void> {
    const { name, path } = split(address);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let text = "";
    const request = https.get({
      host: "127.0.0.1",
      port: this.port,
      servername: name,
      ca: this.ca,
      agent: false,
      path,
      headers: { host: `${name}:${this.port}` },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
        if (pattern.test(text)) resolve();
      });
      response.on(
        "end",
        () => reject(new Error(`Cannot see ${pattern} in: ${text}`)),
      );
      response.on("error", reject);
    });
    await promise;
    request.destroy();
  }

  /** The answer to a request for JSON. */
  async json(
    address: string,
    options: AskOptions = {},
  ): Promise<{ readonly status: number; readonly body: Json }> {
    const { status, text } = await this.ask(address, {
      ...options,
      headers: { accept: "application/json", ...options.headers },
    });
    return { status, body: JSON.parse(text) as Json };
  }

  /** A session of HTTP/2. */
  session(name: string): http2.ClientHttp2Session {
    return http2.connect(`https://${name}:${this.port}`, {
      ca: this.ca,
      createConnection: () =>
        connectTls({
          host: "127.0.0.1",
          port: this.port,
          servername: name,
          ca: this.ca,
          ALPNProtocols: ["h2"],
        }) as unknown as Socket,
    });
  }
}

/** Any JSON object. */
export type Json = Record<string, unknown>;

/** One request in a session of HTTP/2. */
export function askSession(
  session: http2.ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const stream = session.request(headers);
  let answered: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
  let text = "";
  stream.setEncoding("utf8");
  stream.on("response", (head) => answered = head);
  stream.on("data", (part: string) => text += part);
  stream.on("error", reject);
  stream.on(
    "end",
    () =>
      resolve({ status: answered[":status"] ?? 0, headers: answered, text }),
  );
  stream.end();
  return promise;
}

/** A client of the proxy of a home, which must have a name to serve. */
export async function proxyClient(taskmux: Taskmux): Promise<ProxyClient> {
  const { proxy } = await taskmux.call("daemon.status", {});
  if (typeof proxy.port !== "number") {
    throw new Error(`Cannot ask the proxy: ${proxy.reason}`);
  }
  const ca = await Deno.readTextFile(`${taskmux.home.paths.ca}/rootCA.pem`);
  return new ProxyClient(proxy.port, ca);
}

function split(
  address: string,
): { readonly name: string; readonly path: string } {
  const slash = address.indexOf("/");
  return slash < 0
    ? { name: address, path: "/" }
    : { name: address.slice(0, slash), path: address.slice(slash) };
}
