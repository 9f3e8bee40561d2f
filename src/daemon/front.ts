/**
 * The HTTPS proxy as a part of the daemon: its ports, its server, its certificates, and what is told of them.
 *
 * Nothing is bound, and neither TLS nor the certificate authority is loaded, before there is a name to serve.
 *
 * @module
 */

import type { HostConfig } from "../config/host_config.ts";
import type { PortHolder } from "../pty/protocol.ts";
import type { ProxyBinding } from "../domain/task_url.ts";
import {
  answerUnavailable,
  closeAtOnce,
  FrontPort,
} from "../transports/front_ports.ts";
import type { Router } from "../proxy/router.ts";
import { portProblems } from "./port_problems.ts";
import type { FrontPorts } from "./privileged_start.ts";

/** Where the proxy listens when a port that only root may bind cannot be had. */
const FALLBACK_PORTS: Readonly<Record<number, number>> = {
  443: 8443,
  80: 8080,
};

/** What the front needs. */
export interface FrontOptions {
  readonly config: HostConfig;
  /** Ports that were bound while this process was root. They become the front's. */
  readonly ports: FrontPorts | null;
  /** Folder of the certificate authority. */
  readonly caFolder: string;
  readonly router: Router;
  /** Who listens on a port. */
  holders(port: number): Promise<readonly PortHolder[]>;
  now(): number;
  onError(error: unknown, context: string): void;
}

/** See the module. */
export class Front implements AsyncDisposable {
  readonly #options: FrontOptions;
  readonly #stack = new AsyncDisposableStack();
  #ports: FrontPorts | null;
  #opening: Promise<void> | null = null;
  #caPath: string | null = null;
  #problems: readonly string[] = [];

  constructor(options: FrontOptions) {
    this.#options = options;
    this.#ports = options.ports;
    if (options.ports !== null) this.#own(options.ports);
  }

  /** The ports that are bound, or were tried; null = none yet. */
  get ports(): FrontPorts | null {
    return this.#ports;
  }

  /** What is wrong with its ports, as sentences. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** What addresses are made of. */
  get binding(): ProxyBinding {
    const { proxy, dns } = this.#options.config;
    const https = this.#ports?.https ?? null;
    return {
      bound: https !== null && https.addresses.length > 0 &&
        this.#opening !== null,
      httpsPort: https?.port ?? proxy.httpsPort,
      tld: dns.managedTld,
    };
  }

  get isEnabled(): boolean {
    return this.#options.config.proxy.enabled;
  }

  /** Path of the certificate that clients have to trust; null while there is none. */
  get caPath(): string | null {
    return this.#caPath;
  }

  /** Has the proxy serve, if it is to. Whoever comes later waits for the first. What goes wrong is told by `status`. */
  async ensure(): Promise<void> {
    if (!this.isEnabled) return;
    this.#opening ??= this.#open().catch((error) =>
      this.#options.onError(error, "proxy")
    );
    await this.#opening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opening;
    await this.#stack.disposeAsync();
  }

  async #open(): Promise<void> {
    const { config: { proxy, dns }, router, caFolder, now, onError } =
      this.#options;
    const [{ Authority }, { LeafStore }, { ProxyServer }] = await Promise.all([
      import("../certs/authority.ts"),
      import("../certs/leaf_store.ts"),
      import("../proxy/proxy_server.ts"),
    ]);
    const authority = await Authority.open({
      folder: caFolder,
      tld: dns.managedTld,
      now,
    });
    this.#caPath = authority.path;
    const server = this.#stack.use(
      new ProxyServer({
        router,
        certificates: new LeafStore(
          dns.managedTld,
          () => Promise.resolve(authority),
        ),
        onError: (error) => onError(error, "proxy"),
      }),
    );
    if (this.#ports === null) {
      this.#ports = {
        https: await bindOrFallBack(proxy.bind, proxy.httpsPort),
        redirect: proxy.httpRedirectPort === 0
          ? null
          : await bindOrFallBack(proxy.bind, proxy.httpRedirectPort),
      };
      this.#own(this.#ports);
    }
    this.#problems = await portProblems(
      this.#ports,
      (port) => this.#options.holders(port),
    );
    this.#ports.https.serve((socket) => server.accept(socket));
    this.#ports.redirect?.serve(answerUnavailable);
  }

  #own(ports: FrontPorts): void {
    this.#stack.use(ports.https);
    if (ports.redirect !== null) this.#stack.use(ports.redirect);
  }
}

async function bindOrFallBack(bind: string, port: number): Promise<FrontPort> {
  const front = await FrontPort.open({ bind, port }, closeAtOnce);
  const fallback = FALLBACK_PORTS[port];
  if (front.addresses.length > 0 || fallback === undefined) return front;
  await front[Symbol.asyncDispose]();
  return await FrontPort.open({ bind, port: fallback }, closeAtOnce);
}
