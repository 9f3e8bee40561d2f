/**
 * MCP as a part of the daemon: its path on the port of the API, and who is connected. Nothing of it is loaded before its
 * first request.
 *
 * @module
 */

import type { HostConfig } from "../config/host_config.ts";
import type { McpSessions, SessionView } from "../mcp/mcp_sessions.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** What the front needs. */
export interface McpFrontOptions {
  readonly config: HostConfig["mcp"];
  log(level: "info" | "warning" | "error", message: string): void;
}

/** See the module. Disposal ends every session. */
export class McpFront implements AsyncDisposable {
  /** Without a slash at its end, with which it answers as well. */
  readonly path: string;
  readonly #options: McpFrontOptions;
  readonly #closing = new AbortController();
  #dispatcher: Dispatcher | null = null;
  #sessions: McpSessions | null = null;
  #loading: Promise<McpSessions> | null = null;

  constructor(options: McpFrontOptions) {
    this.#options = options;
    this.path = options.config.path.replace(/\/+$/, "");
  }

  /** From now on requests are answered, by calls of this dispatcher. */
  serve(dispatcher: Dispatcher): void {
    this.#dispatcher = dispatcher;
  }

  /** Who is connected, the oldest first. */
  sessions(): readonly SessionView[] {
    return this.#sessions?.views() ?? [];
  }

  /** Answers a request; null if it is for somebody else. */
  handle(request: Request, url: URL): Promise<Response> | null {
    const isHere = url.pathname === this.path ||
      url.pathname === `${this.path}/`;
    if (!this.#options.config.enabled || !isHere) return null;
    if (this.#sessions !== null) return this.#sessions.handle(request, url);
    return this.#load().then((sessions) => sessions.handle(request, url));
  }

  /** A failure, such as a lack of descriptors, holds for the requests that wait and no longer. */
  #load(): Promise<McpSessions> {
    this.#loading ??= this.#open().finally(() => this.#loading = null);
    return this.#loading;
  }

  async #open(): Promise<McpSessions> {
    const { config, log } = this.#options;
    const dispatcher = this.#dispatcher;
    if (dispatcher === null) throw new TypeError("MCP is not served yet");
    const { McpSessions } = await import("../mcp/mcp_sessions.ts");
    this.#sessions = new McpSessions({
      dispatcher,
      config,
      lifetime: this.#closing.signal,
      log,
    });
    return this.#sessions;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DOMException("The daemon ends", "AbortError"));
    if (this.#loading !== null) await Promise.allSettled([this.#loading]);
    await this.#sessions?.[Symbol.asyncDispose]();
  }
}
