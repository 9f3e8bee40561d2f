/**
 * The WebSocket API: upgrades requests to the root of the port, and looks after the connections.
 *
 * @module
 */

import { accessOf, addressProblem } from "../contract/access.ts";
import { CALLER_ID_RULE, isCallerId } from "../domain/caller_id.ts";
import { systemClock } from "../kit/clock.ts";
import { TaskScope } from "../kit/task_scope.ts";
import { ask, type Asking, follow } from "../transports/ask.ts";
import type { FrameDispatcher } from "../transports/socket_server.ts";
import { ApiConnection, type ApiLoad } from "./api_connection.ts";
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
  readonly #load: ApiLoad = { requests: 0, subscriptions: 0 };
  #size = 0;

  constructor(options: WebSocketApiOptions) {
    this.#options = options;
    const { scope } = options;
    this.#hub = new EventHub({
      follow: (cursor, signal) =>
        follow(this.#asking(signal), "event.follow", { cursor }),
      cursor: async (signal) => {
        const newest = { limit: 1 };
        return (await ask(this.#asking(signal), "event.list", newest)).cursor;
      },
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
    const problem = addressProblem(url);
    if (problem !== null) return refuse(400, "invalid_address", problem);

    // Before the upgrade: after it there is no request.
    const program = request.headers.get("user-agent");
    const upgrade = tryUpgrade(request);
    if (upgrade === null) return refuse(400, "invalid_upgrade");
    this.#serve(upgrade.socket, { url, caller, program });
    return upgrade.response;
  }

  #serve(
    socket: WebSocket,
    { url, ...client }: {
      readonly url: URL;
      readonly caller: string | null;
      readonly program: string | null;
    },
  ): void {
    const { dispatcher, scope, log } = this.#options;
    const outbox = new Outbox(socket, this.#watch);
    const own = new TaskScope((error) => log("error", `api: ${error}`));
    const connection = new ApiConnection({
      dispatcher,
      hub: this.#hub,
      load: this.#load,
      outbox,
      access: accessOf(url),
      ...client,
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

  #asking(signal: AbortSignal): Asking {
    const { dispatcher, scope } = this.#options;
    return { dispatcher, signal, lifetime: scope.signal };
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
