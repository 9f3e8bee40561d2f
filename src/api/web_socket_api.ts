/**
 * The WebSocket API: upgrades requests to the root of the port, and looks after the connections.
 *
 * @module
 */

import { accessOf, unknownWord } from "../contract/access.ts";
import { CALLER_ID_RULE, isCallerId } from "../domain/caller_id.ts";
import { systemClock } from "../kit/clock.ts";
import type { JsonObject } from "../kit/json.ts";
import { TaskScope } from "../kit/task_scope.ts";
import type { FrameDispatcher } from "../transports/socket_server.ts";
import { ApiConnection } from "./api_connection.ts";
import { EventHub } from "./event_hub.ts";
import { Outbox, OutboxWatch } from "./outbox.ts";

/** Connections at a time. */
export const MOST_CONNECTIONS = 2_000;

/** Seconds of silence after which a client is asked whether it is there, and again until it counts as gone. */
const IDLE_S = 30;

/** The code with which connections end when the daemon does. */
const GOING_AWAY = 1001;

/** What the API needs. */
export interface WebSocketApiOptions {
  readonly dispatcher: FrameDispatcher;
  /** Owns the connections; closes with the daemon. */
  readonly scope: TaskScope;
  log(level: "info" | "warning" | "error", message: string): void;
}

/** See the module. */
export class WebSocketApi {
  readonly #options: WebSocketApiOptions;
  readonly #watch = new OutboxWatch(systemClock);
  readonly #hub: EventHub;
  #size = 0;

  constructor(options: WebSocketApiOptions) {
    this.#options = options;
    const { scope } = options;
    this.#hub = new EventHub({
      follow: (cursor, signal) => this.#follow(cursor, signal),
      cursor: (signal) => this.#cursor(signal),
    }, (work) => scope.run(work));
  }

  /** Connections that are open now. */
  get size(): number {
    return this.#size;
  }

  /** Answers a request that wants to become a WebSocket. Who may ask was decided before. */
  handle(request: Request, url: URL): Response {
    if (this.#size >= MOST_CONNECTIONS) return refuse(503, "too_many");
    const caller = url.searchParams.get("caller");
    if (caller !== null && !isCallerId(caller)) {
      return refuse(400, "invalid_caller", CALLER_ID_RULE);
    }
    if (unknownWord(url) !== null) {
      const known = 'It takes "session", "access" and "caller"';
      return refuse(400, "invalid_address", known);
    }
    const upgrade = tryUpgrade(request);
    if (upgrade === null) return refuse(400, "invalid_upgrade");
    this.#serve(upgrade.socket, { url, caller });
    return upgrade.response;
  }

  #serve(
    socket: WebSocket,
    { url, caller }: { readonly url: URL; readonly caller: string | null },
  ): void {
    const { dispatcher, scope, log } = this.#options;
    const outbox = new Outbox(socket, this.#watch);
    const own = new TaskScope((error) => log("error", `api: ${error}`));
    const connection = new ApiConnection({
      dispatcher,
      hub: this.#hub,
      outbox,
      access: accessOf(url),
      caller,
      scope: own,
      lifetime: scope.signal,
    });
    const { promise: closed, resolve: onClose } = Promise.withResolvers<void>();
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => connection.receive(data);
    socket.onclose = () => onClose();
    // What is wrong shows in the end of the connection, which follows.
    socket.onerror = (event) => event.preventDefault();
    this.#size++;
    scope.run(async (signal) => {
      const end = (): void => {
        outbox.close(GOING_AWAY, "the daemon ends");
        onClose();
      };
      signal.addEventListener("abort", end, { once: true });
      await closed;
      signal.removeEventListener("abort", end);
      this.#size--;
      await own[Symbol.asyncDispose]();
    });
  }

  #follow(cursor: string, signal: AbortSignal): AsyncIterable<JsonObject> {
    return this.#options.dispatcher.stream(
      "event.follow",
      { cursor },
      this.#nobody(signal),
    );
  }

  async #cursor(signal: AbortSignal): Promise<string> {
    const answer = await this.#options.dispatcher.call(
      "event.list",
      { limit: 1 },
      this.#nobody(signal),
    );
    return String(answer["cursor"]);
  }

  #nobody(signal: AbortSignal) {
    return {
      caller: null,
      reveal: false,
      signal,
      lifetime: this.#options.scope.signal,
      onProgress: () => {},
      onNews: () => {},
    };
  }
}

function tryUpgrade(request: Request): Deno.WebSocketUpgrade | null {
  try {
    return Deno.upgradeWebSocket(request, { idleTimeout: IDLE_S });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return null;
  }
}

function refuse(status: number, error: string, message?: string): Response {
  return Response.json(
    { ok: false, error, ...message === undefined ? {} : { message } },
    { status },
  );
}
