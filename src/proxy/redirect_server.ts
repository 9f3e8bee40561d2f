/**
 * Plain HTTP: leads to the same address by HTTPS, for names of ours and for no other.
 *
 * It owns no port: connections come from whoever bound one. One request per connection: browsers go on with HTTPS.
 *
 * @module
 */

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import {
  fullHostName,
  nameOfAuthority,
  parseHostName,
} from "../domain/host_name.ts";
import type { Clock } from "../kit/clock.ts";
import { MISDIRECTED, refuse } from "./refusal.ts";
import type { Refusal, Router } from "./router.ts";

/** How long a connection may last: a head, and a short answer. */
const CONNECTION_MS = 10_000;

/** Connections at a time; whoever comes then is let go at once. */
const MAX_CONNECTIONS = 1_000;

/** Largest head of a request. */
const MAX_HEAD_BYTES = 16 * 1024;

const DEFAULT_HTTPS_PORT = 443;

/** What a redirect depends on. */
export interface RedirectOptions {
  readonly router: Pick<Router, "tld" | "knows">;
  /** Where HTTPS is served; null = nowhere now. */
  httpsPort(): number | null;
  readonly clock: Clock;
  /** Most connections at a time; by default 1,000. */
  readonly maxConnections?: number;
}

/** See the module. Disposal ends every connection. */
export class RedirectServer implements AsyncDisposable {
  readonly #options: RedirectOptions;
  readonly #server: Server;
  readonly #sockets = new Map<Socket, AbortController>();

  constructor(options: RedirectOptions) {
    this.#options = options;
    this.#server = createServer(
      { maxHeaderSize: MAX_HEAD_BYTES, keepAlive: false },
      (request, response) => this.#answer(request, response),
    );
    this.#server.on("clientError", (_error, socket) => {
      if (socket.writable) socket.end(BAD_REQUEST);
      else socket.destroy();
    });
  }

  /** Takes a connection over. */
  accept(socket: Socket): void {
    const { maxConnections = MAX_CONNECTIONS } = this.#options;
    if (this.#sockets.size >= maxConnections) {
      socket.destroy();
      return;
    }
    const over = new AbortController();
    this.#sockets.set(socket, over);
    socket.on("close", () => {
      over.abort();
      this.#sockets.delete(socket);
    });
    this.#options.clock.sleep(CONNECTION_MS, over.signal).then(
      () => socket.destroy(),
      // It is over already.
      () => {},
    );
    this.#server.emit("connection", socket);
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.keys()) socket.destroy();
    return Promise.resolve();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader("connection", "close");
    const location = this.#locationOf(request);
    if (typeof location !== "string") {
      return refuse(request, response, location);
    }
    request.resume();
    response.writeHead(308, {
      location,
      "cache-control": "no-store",
      "content-length": 0,
    });
    response.end();
  }

  #locationOf({ rawHeaders, url = "" }: IncomingMessage): string | Refusal {
    const { router, httpsPort } = this.#options;
    const hosts = rawHeaders.filter((_, at) =>
      at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === "host"
    );
    // Who says two hosts wants two readers to see different ones (RFC 9112 §3.2).
    const target = hosts.length > 1 ? null : targetOf(url, hosts[0] ?? "");
    const name = target === null ? null : nameOfAuthority(target.authority);
    const host = name === null ? null : parseHostName(name, router.tld);
    if (target === null || host === null || !router.knows(host.projectId)) {
      return MISDIRECTED;
    }
    const port = httpsPort();
    if (port === null) return NOT_SERVED;
    const suffix = port === DEFAULT_HTTPS_PORT ? "" : `:${port}`;
    return `https://${fullHostName(host, router.tld)}${suffix}${target.path}`;
  }
}

const NOT_SERVED: Refusal = {
  ...MISDIRECTED,
  status: 503,
  code: "not_running",
  message: "The HTTPS proxy of taskmux does not run",
  hint: "taskmux doctor",
};

const BAD_REQUEST = "HTTP/1.1 400 Bad Request\r\n" +
  "content-length: 0\r\ncache-control: no-store\r\nconnection: close\r\n\r\n";

/** Whom a request is for, and what it asks for, byte for byte. An absolute target overrides `Host` (RFC 9112 §3.2.2). */
function targetOf(
  url: string,
  host: string,
): { readonly authority: string; readonly path: string } | null {
  if (url.startsWith("/")) return { authority: host, path: url };
  const [, authority, path] = /^http:\/\/([^/?#]*)([^#]*)$/i.exec(url) ?? [];
  if (authority === undefined || path === undefined) return null;
  return { authority, path: path.startsWith("/") ? path : `/${path}` };
}
