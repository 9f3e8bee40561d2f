/**
 * The HTTPS proxy as a part of the daemon: its ports, its server, its certificates, and what is told of them.
 *
 * Nothing is bound, and neither TLS nor the certificate authority is loaded, before there is a name to serve.
 *
 * @module
 */

import type { HostConfig } from "../config/host_config.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { PortHolder } from "../pty/protocol.ts";
import type { ProxyBinding } from "../domain/task_url.ts";
import type { Clock } from "../kit/clock.ts";
import type { Router } from "../proxy/router.ts";
import type { Certificates } from "./certificates.ts";
import { descriptorLimit } from "./descriptor_limit.ts";
import { type FrontPorts, openFrontPorts } from "./open_front_ports.ts";
import { portDetours, portProblems } from "./port_problems.ts";

/** Pause after an attempt that failed: every look at a project with names is the next one. */
const RETRY_MS = 1_000;

/** Connections of the proxy, and of its redirect, where the system allows as many. */
const MAX_OPEN = 16_384;
const MAX_REDIRECTS = 1_000;

/** What the front needs. */
export interface FrontOptions {
  readonly config: HostConfig;
  /** Whether the environment forbids a proxy, whatever the settings say. */
  readonly isForbidden: boolean;
  /** Ports that were bound while this process was root. They become the front's. */
  readonly ports: FrontPorts | null;
  readonly router: Router;
  readonly certificates: Pick<
    Certificates,
    "authority" | "caPath" | "certificateFor"
  >;
  /** Who listens on a port. */
  holders(port: number): Promise<readonly PortHolder[]>;
  readonly clock: Clock;
  onError(error: unknown, context: string): void;
}

/** See the module. */
export class Front implements AsyncDisposable {
  readonly #options: FrontOptions;
  readonly #stack = new AsyncDisposableStack();
  #ports: FrontPorts | null;
  #opening: Promise<void> | null = null;
  #isServing = false;
  /** Why it does not serve although it should. */
  #failure: string | null = null;
  #retryAt = -Infinity;
  #problems: readonly string[] = [];
  #detours: readonly string[] = [];

  private constructor(options: FrontOptions) {
    this.#options = options;
    this.#ports = options.ports;
    if (options.ports !== null) this.#own(options.ports);
  }

  /** A front that serves nothing yet. It knows what is wrong with ports that it is given. */
  static async open(options: FrontOptions): Promise<Front> {
    const front = new Front(options);
    await front.#tellPorts();
    return front;
  }

  /** The ports that are bound, or were tried; null = none yet. */
  get ports(): FrontPorts | null {
    return this.#ports;
  }

  /** What is wrong with its ports, as sentences. */
  get problems(): readonly string[] {
    return this.#failure === null
      ? this.#problems
      : [this.#failure, ...this.#problems];
  }

  /** Which other ports are bound than those of the settings, and why, as sentences. */
  get detours(): readonly string[] {
    return this.#detours;
  }

  /** Whether a daemon without the rights of root could not bind its ports again. */
  get needsRoot(): boolean {
    const { ports } = this.#options;
    return [ports?.https, ports?.redirect].some((port) =>
      port !== null && port !== undefined && port.addresses.length > 0 &&
      port.port < 1024
    );
  }

  /** What addresses are made of. */
  get binding(): ProxyBinding {
    const { proxy, dns } = this.#options.config;
    const https = this.#ports?.https ?? null;
    return {
      bound: https !== null && https.addresses.length > 0 && this.#isServing,
      httpsPort: https?.port ?? proxy.httpsPort,
      tld: dns.managedTld,
    };
  }

  get isEnabled(): boolean {
    const { config, isForbidden } = this.#options;
    return config.proxy.enabled && !isForbidden;
  }

  /** Why it does not serve; null = it does. */
  get reason(): string | null {
    if (this.binding.bound) return null;
    if (this.#options.isForbidden) return "TASKMUX_DISABLE_PROXY is set";
    if (!this.isEnabled) return "proxy_enabled is false";
    return this.problems[0] ?? "no task has a host";
  }

  /** Path of the certificate that clients have to trust; null while there is none. */
  get caPath(): string | null {
    return this.#options.certificates.caPath;
  }

  /**
   * Has the proxy serve, if it is to. Whoever comes later waits for the first, and tries again what went wrong, not too
   * often. What that was is told by `status`.
   */
  async ensure(): Promise<void> {
    if (!this.isEnabled) return;
    const { clock } = this.#options;
    if (clock.monotonic() < this.#retryAt) return;
    this.#opening ??= this.#open().catch((error) => {
      this.#opening = null;
      this.#retryAt = clock.monotonic() + RETRY_MS;
      const failure = `the proxy does not serve: ${failureOf(error)}`;
      // It is tried again with every look at a project.
      if (failure !== this.#failure) this.#options.onError(error, "proxy");
      this.#failure = failure;
    });
    await this.#opening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opening;
    await this.#stack.disposeAsync();
  }

  async #open(): Promise<void> {
    const { config: { proxy }, router, certificates, clock, onError } =
      this.#options;
    const [{ ProxyServer }, { RedirectServer }] = await Promise.all([
      import("../proxy/proxy_server.ts"),
      import("../proxy/redirect_server.ts"),
    ]);
    const limit = await descriptorLimit(clock);
    // Tasks are told where the authority is as soon as they have names.
    await certificates.authority();
    const server = this.#stack.use(
      new ProxyServer({
        router,
        certificates,
        // The rest is for files, programs and the keeper.
        maxOpen: Math.min(MAX_OPEN, Math.floor(limit * 3 / 4)),
        onError: (error) => {
          // That there is no certificate is told by `status`; a line for each handshake would bury the rest.
          if (!isWithoutCertificate(error)) onError(error, "proxy");
        },
      }),
    );
    const redirect = this.#stack.use(
      new RedirectServer({
        router,
        httpsPort: () => this.binding.bound ? this.binding.httpsPort : null,
        clock,
        maxConnections: Math.min(MAX_REDIRECTS, Math.floor(limit / 8)),
      }),
    );
    if (this.#ports === null) {
      this.#ports = await openFrontPorts(proxy);
      this.#own(this.#ports);
      await this.#tellPorts();
    }
    this.#ports.https.serve((socket) => server.accept(socket));
    this.#ports.redirect?.serve((socket) => redirect.accept(socket));
    this.#isServing = true;
    this.#failure = null;
  }

  async #tellPorts(): Promise<void> {
    if (this.#ports === null) return;
    const holders = (port: number): Promise<readonly PortHolder[]> =>
      this.#options.holders(port).catch((error) => {
        // Without a keeper nobody can tell who it is.
        if (error instanceof TaskmuxError) return [];
        throw error;
      });
    this.#problems = await portProblems(this.#ports, holders);
    this.#detours = await portDetours(this.#ports, holders);
  }

  #own(ports: FrontPorts): void {
    this.#stack.use(ports.https);
    if (ports.redirect !== null) this.#stack.use(ports.redirect);
  }
}

function isWithoutCertificate(error: unknown): boolean {
  return error instanceof TaskmuxError && error.code === "E710";
}

function failureOf(error: unknown): string {
  if (!(error instanceof TaskmuxError)) return String(error);
  const { message, hint } = error;
  return hint === undefined ? message : `${message}; ${hint}`;
}
