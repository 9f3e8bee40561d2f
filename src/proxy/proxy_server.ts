/**
 * The HTTPS proxy: ends TLS, speaks HTTP/1.1 and HTTP/2 to clients and HTTP/1.1 to tasks.
 *
 * It owns no port: connections come from whoever bound one.
 *
 * @module
 */

import { createSecureServer, type Http2SecureServer } from "node:http2";
import type { Socket } from "node:net";
import {
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
import { nameOfAuthority, parseHostName } from "../domain/host_name.ts";
import type { CertificateSource, ServerCertificate } from "./certificates.ts";
import type { ClientRequest, ClientResponse } from "./client_message.ts";
import { forwardRequest } from "./forward_request.ts";
import { MISDIRECTED, refuse } from "./refusal.ts";
import type { Router } from "./router.ts";
import { repairEmptyWrites } from "./repair_empty_writes.ts";
import { UpstreamAgents } from "./upstream_agents.ts";

/** What the proxy works with. */
export interface ProxyOptions {
  readonly router: Router;
  readonly certificates: CertificateSource;
  /** Reports a failure of the proxy itself. */
  onError(error: unknown): void;
}

/** See the module. Disposal ends every connection at once. */
export class ProxyServer implements AsyncDisposable {
  readonly #options: ProxyOptions;
  readonly #server: Http2SecureServer;
  readonly #agents = new UpstreamAgents();
  readonly #contexts = new WeakMap<ServerCertificate, SecureContext>();
  readonly #sockets = new Set<Socket>();

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#server = createSecureServer({
      allowHTTP1: true,
      SNICallback: (name, done) => {
        this.#contextFor(name).then(
          (context) => done(null, context),
          (error) => {
            options.onError(error);
            done(error);
          },
        );
      },
    });
    this.#server.on("secureConnection", (socket: TLSSocket) => {
      socket.setNoDelay(true);
      repairEmptyWrites(socket);
    });
    // Whoever gives up a handshake or a session is no failure of ours.
    this.#server.on("tlsClientError", () => {});
    this.#server.on("sessionError", () => {});
    this.#server.on("request", (request, response) => {
      this.#answer(request, response).catch(options.onError);
    });
  }

  /** Takes a connection over. */
  accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    this.#server.emit("connection", socket);
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#agents[Symbol.dispose]();
    return Promise.resolve();
  }

  async #contextFor(name: string): Promise<SecureContext> {
    const { router, certificates } = this.#options;
    const parsed = parseHostName(name, router.tld);
    const isOurs = parsed !== null && router.knows(parsed.projectId);
    const certificate = await certificates.certificateFor(
      isOurs ? parsed : null,
    );
    const known = this.#contexts.get(certificate);
    if (known !== undefined) return known;
    const context = createSecureContext({
      cert: certificate.certificate,
      key: certificate.privateKey,
    });
    this.#contexts.set(certificate, context);
    return context;
  }

  async #answer(
    request: ClientRequest,
    response: ClientResponse,
  ): Promise<void> {
    const { router } = this.#options;
    const authority = authorityOf(request);
    const name = nameOfAuthority(authority ?? "");
    const host = name === null ? null : parseHostName(name, router.tld);
    if (host === null) return refuse(request, response, MISDIRECTED);
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    try {
      const route = await router.find(host, gone.signal);
      if (route.kind === "refusal") return refuse(request, response, route);
      await forwardRequest({
        request,
        response,
        upstream: route,
        router,
        agent: this.#agents.of(route),
        signal: gone.signal,
      });
    } catch (error) {
      // The client went away meanwhile.
      if (!gone.signal.aborted) throw error;
    }
  }
}

function authorityOf(request: ClientRequest): string | undefined {
  return "authority" in request && request.authority !== undefined
    ? request.authority
    : request.headers.host;
}
