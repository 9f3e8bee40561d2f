/**
 * MCP over Streamable HTTP: the sessions of all clients, and what they may cost.
 *
 * @module
 */

import { type Clock, systemClock } from "../kit/clock.ts";
import { settledWithin } from "../kit/deadline.ts";
import { TaskScope } from "../kit/task_scope.ts";
import type { FrameDispatcher } from "../transports/socket_server.ts";
import type { StreamBudget } from "./bounded_stream.ts";
import type { Catalogue } from "./catalogue.ts";
import {
  type Access,
  accessOf,
  addressProblem,
  conflictWith,
} from "../contract/access.ts";
import { EventShelf } from "./event_store.ts";
import { EventFeed } from "./event_feed.ts";
import { McpSession } from "./mcp_session.ts";
import { MessageReader } from "./read_message.ts";
import { refusal, unknownSession } from "./refusal.ts";
import { isInitializeRequest } from "./sdk.ts";
import { taskmuxCatalogue } from "./taskmux_catalogue.ts";
import type { ToldTexts } from "./telling_transport.ts";

/** What all sessions together may cost. */
export interface SessionLimits {
  /** At a time. When one more begins, the one goes that nobody has used for longest. */
  readonly sessions: number;
  /** Milliseconds after which a session goes that has no request and no stream. Clients often go without a word. */
  readonly idleMs: number;
  /** Milliseconds between two looks for such sessions. */
  readonly sweepMs: number;
}

/** See {@linkcode SessionLimits}. */
export const SESSION_LIMITS: SessionLimits = {
  sessions: 1_024,
  idleMs: 30 * 60_000,
  sweepMs: 60_000,
};

/** How long the last answers may take when the daemon ends. */
const LAST_WORDS_MS = 500;

/**
 * Longest `initialize`, in characters. A session keeps what its client says of itself, so a thousand of them would hold
 * gigabytes of what is allowed for any other message.
 */
const MAX_INITIALIZE_CHARS = 64 * 1024;

const METHODS = ["GET", "POST", "DELETE"];

/** What sessions need. */
export interface McpSessionsOptions {
  readonly dispatcher: FrameDispatcher;
  readonly config: {
    /** Types of events that are told; empty = all. */
    readonly filter: readonly string[];
    readonly tools: readonly string[];
  };
  /** Aborts when the daemon ends; with it all sessions end. */
  readonly lifetime: AbortSignal;
  /** What is offered; by default what taskmux does. */
  readonly catalogue?: Catalogue;
  /** By default the machine's. */
  readonly clock?: Clock;
  readonly limits?: SessionLimits;
  log(level: "info" | "warning" | "error", message: string): void;
}

/** A session, as it is told. */
export interface SessionView extends Access {
  /** Name and version of the client; null while it has not told them. */
  readonly client: string | null;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Milliseconds since its last request. */
  readonly idleMs: number;
  /** Answers and event streams that are open. */
  readonly streams: number;
}

/** See the module. Disposal ends every session; who waits for an answer is told. */
export class McpSessions implements AsyncDisposable {
  readonly #options: McpSessionsOptions;
  readonly #catalogue: Catalogue;
  readonly #clock: Clock;
  readonly #limits: SessionLimits;
  readonly #reader: MessageReader;
  readonly #scope: TaskScope;
  readonly #shelf = new EventShelf();
  readonly #texts: ToldTexts = new WeakMap();
  readonly #budget: StreamBudget = { waitingBytes: 0 };
  /** By id, the oldest first. */
  readonly #sessions = new Map<string, McpSession>();
  #isSweeping = false;
  #ending: Promise<void> | null = null;

  constructor(options: McpSessionsOptions) {
    this.#options = options;
    this.#catalogue = options.catalogue ??
      taskmuxCatalogue({ ...options.config, feed: new EventFeed(options) });
    this.#clock = options.clock ?? systemClock;
    this.#limits = options.limits ?? SESSION_LIMITS;
    this.#reader = new MessageReader(this.#clock);
    this.#scope = new TaskScope((error) =>
      options.log("error", `mcp: ${error}`)
    );
    options.lifetime.addEventListener("abort", () => void this.#end(), {
      once: true,
    });
  }

  /** Everybody who is connected, the oldest first. */
  views(): readonly SessionView[] {
    return [...this.#sessions.values()].map((session) => ({
      ...session.access,
      client: session.client,
      since: session.since,
      idleMs: session.idleMs,
      streams: session.streams,
    }));
  }

  /** Answers a request to the path of MCP. Never rejects for what a client can cause. */
  async handle(request: Request, url: URL): Promise<Response> {
    if (this.#ending !== null) return ending();
    if (!METHODS.includes(request.method)) {
      return refusal(405, "Method not allowed.", {
        headers: { allow: METHODS.join(", ") },
      });
    }
    const id = request.headers.get("mcp-session-id");
    const session = id === null ? undefined : this.#sessions.get(id);
    if (session !== undefined) {
      const conflict = conflictWith(session.access, url);
      if (conflict !== null) return refusal(400, conflict);
    }
    if (request.method !== "POST") {
      if (session !== undefined) return await session.handle(request, null);
      return id === null ? withoutSession() : unknownSession();
    }
    const read = await this.#reader.read(request, this.#scope.signal);
    if (read.kind === "refused") return read.response;
    const { message } = read;
    if (session !== undefined) return await session.handle(request, message);
    // A client that was told that its session is unknown may still name it when it begins anew.
    if (isInitializeRequest(message)) {
      return await this.#begin(request, { url, message });
    }
    return id === null ? withoutSession() : unknownSession();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  async #begin(
    request: Request,
    { url, message }: { readonly url: URL; readonly message: unknown },
  ): Promise<Response> {
    const problem = addressProblem(url);
    if (problem !== null) return refusal(400, problem);
    if (JSON.stringify(message).length > MAX_INITIALIZE_CHARS) {
      return refusal(
        413,
        `Payload Too Large: initialize must not exceed ${MAX_INITIALIZE_CHARS} characters`,
      );
    }
    if (this.#ending !== null) return ending();
    if (!this.#makeRoom()) {
      return refusal(503, "Too many sessions, all of them in use", {
        headers: { "retry-after": "10" },
      });
    }
    const id = crypto.randomUUID();
    const session: McpSession = await McpSession.open({
      id,
      access: accessOf(url),
      dispatcher: this.#options.dispatcher,
      catalogue: this.#catalogue,
      clock: this.#clock,
      shelf: this.#shelf,
      texts: this.#texts,
      budget: this.#budget,
      lifetime: this.#options.lifetime,
      run: (work) => this.#scope.run(work),
      onBegin: () => {
        this.#sessions.set(id, session);
        this.#sweep();
      },
      onEnd: () => this.#sessions.delete(id),
    });
    const response = await session.handle(request, message);
    if (!this.#sessions.has(id)) session.end();
    return response;
  }

  /** @returns Whether one more session may begin. */
  #makeRoom(): boolean {
    if (this.#sessions.size < this.#limits.sessions) return true;
    let longest: McpSession | null = null;
    for (const session of this.#sessions.values()) {
      if (!session.isIdle) continue;
      if (longest === null || session.idleMs > longest.idleMs) {
        longest = session;
      }
    }
    longest?.end();
    return longest !== null;
  }

  /** Ends what nobody uses any more, for as long as there are sessions. */
  #sweep(): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    this.#scope.run(async (signal) => {
      while (this.#sessions.size > 0) {
        await this.#clock.sleep(this.#limits.sweepMs, signal);
        for (const session of this.#sessions.values()) {
          if (session.isIdle && session.idleMs >= this.#limits.idleMs) {
            session.end();
          }
        }
      }
      this.#isSweeping = false;
    });
  }

  #end(): Promise<void> {
    this.#ending ??= this.#endAll();
    return this.#ending;
  }

  async #endAll(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    await settledWithin(
      Promise.all(sessions.map((session) => session.endWithDaemon())),
      {
        clock: systemClock,
        ms: LAST_WORDS_MS,
        signal: new AbortController().signal,
      },
    );
    for (const session of sessions) session.end();
    await this.#scope[Symbol.asyncDispose]();
  }
}

function withoutSession(): Response {
  return refusal(400, "Bad Request: Mcp-Session-Id header is required");
}

function ending(): Response {
  return refusal(503, "The daemon ends", { headers: { "retry-after": "1" } });
}
