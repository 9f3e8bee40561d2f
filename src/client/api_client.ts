/**
 * The client for scripts in TypeScript: asks the daemon that runs, and follows events and logs across its restarts. For
 * Deno, and for Node from version 22 on, where `close()` stands for the `await using` of 24.
 *
 * ```ts
 * import { connect } from "@taskmux/cli/client";
 *
 * await using taskmux = await connect();
 * const scope = { session: "shop" };
 * await taskmux.call("task.ensure", { scope, tasks: ["api"] });
 * for await (const item of taskmux.logs({ session: "shop", tasks: ["api"] })) {
 *   if (item.type === "line") console.log(item.text);
 * }
 * ```
 *
 * @module
 */

import type { JsonObject } from "../kit/json.ts";
import { findApi } from "./api_address.ts";
import { feed } from "./api_feed.ts";
import type {
  ApiEvent,
  EventFilter,
  EventItem,
  LogFilter,
  LogItem,
} from "./api_items.ts";
import { ApiSocket } from "./api_socket.ts";
import type { Operations } from "./operations/mod.ts";

export type { Json, JsonObject } from "../kit/json.ts";
export { ApiError, type ApiErrorFacts } from "./api_error.ts";
export type {
  ApiEvent,
  EventFilter,
  EventItem,
  LogFilter,
  LogItem,
} from "./api_items.ts";
export type * from "./operations/mod.ts";

/** The name of something that can be asked, such as `task.status`. */
export type OperationName = keyof Operations;

/** Parameters of an operation; those with a default may be left out. */
export type OperationParams<N extends OperationName> = Operations[N]["params"];

/** The answer of an operation. */
export type OperationResult<N extends OperationName> = Operations[N]["result"];

/** Where to connect, and as whom. */
export interface ConnectOptions {
  /** Such as `ws://localhost:8765`. Absent = `port`. */
  readonly url?: string;
  /** Port on this machine. Absent = the one of the daemon of `home`. */
  readonly port?: number;
  /** State folder of the daemon; by default `TASKMUX_HOME`, else `~/.taskmux`. */
  readonly home?: string;
  /** A name of your choice: each answer then has `recent_events`, what happened since the last one. */
  readonly caller?: string;
  /** The one project that this connection may be about. */
  readonly session?: string;
  /** `read`: nothing can be changed over this connection. */
  readonly access?: "read";
  /** Closes the client when it aborts. */
  readonly signal?: AbortSignal;
}

/**
 * Connects to the daemon that runs. None is started.
 *
 * @throws {ApiError} E600 if none answers.
 */
export async function connect(
  options: ConnectOptions = {},
): Promise<ApiClient> {
  const client = new ApiClient(options);
  await client.call("daemon.ping", {});
  return client;
}

/** A client that connects again when it has to. Safe to use from many places at once. */
export class ApiClient implements AsyncDisposable {
  readonly #options: ConnectOptions;
  readonly #closed = new AbortController();
  #socket: ApiSocket | null = null;
  #opening: Promise<ApiSocket> | null = null;

  /** A client that connects when it is first used. */
  constructor(options: ConnectOptions = {}) {
    this.#options = options;
    const { signal } = options;
    if (signal?.aborted) this.close();
    signal?.addEventListener("abort", () => this.close(), { once: true });
  }

  /**
   * Asks an operation.
   *
   * @param options When the signal aborts nobody waits any more; what was begun goes on.
   * @returns Its answer. `ok` may be false where several things were asked for and one of them failed.
   * @throws {ApiError} What the daemon refuses with; E600 if there is no connection, or it ends before the answer. The
   * question may have been answered then; it is not asked again.
   */
  async call<N extends OperationName>(
    name: N,
    params: OperationParams<N>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<OperationResult<N>> {
    return await this.command(name, params, options) as OperationResult<N>;
  }

  /**
   * Sends any command, such as one of the Python original: `command("status", { session: "shop" })`.
   *
   * @throws {ApiError} As {@linkcode ApiClient.call}.
   */
  async command(
    name: string,
    params: object = {},
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<JsonObject> {
    const socket = await this.#connection();
    const { id: _, command: __, ...answer } = await socket.ask(name, params, {
      signal,
    });
    return answer;
  }

  /**
   * Events as they happen, each once and in order, whatever becomes of the connection. Ends when the client is closed.
   *
   * @throws {ApiError} If the filter is refused.
   */
  async *events(
    filter: EventFilter = {},
  ): AsyncGenerator<EventItem, void, void> {
    const params = asJson({ ...filter, to: "events" });
    for await (const push of this.#feed(params)) {
      const cursor = String(push["cursor"]);
      if (push["type"] === "gap") {
        yield { type: "gap", events: Number(push["events"]), cursor };
      } else {
        // The daemon's own shape.
        const event = push["data"] as unknown as ApiEvent;
        yield { type: "event", event, cursor };
      }
    }
  }

  /**
   * The last lines of logs, then each new one, each once, whatever becomes of the connection. Ends when the client is
   * closed, or some time after the last of the tasks is gone.
   *
   * @throws {ApiError} If the filter is refused.
   */
  async *logs(filter: LogFilter): AsyncGenerator<LogItem, void, void> {
    let held: LogItem[] = [];
    // Without a cursor nobody could go on after them, so they wait for it; whatever comes again was not given out.
    const params = asJson({ ...filter, to: "logs" });
    for await (const push of this.#feed(params, () => held = [])) {
      const cursor = push["cursor"] ?? null;
      held.push(...itemsOf(push));
      if (typeof cursor !== "string") continue;
      const items = held;
      held = [];
      const last = items.pop();
      yield* items;
      if (last !== undefined) yield { ...last, cursor };
    }
  }

  /** Ends everything under way. Idempotent. */
  close(): void {
    this.#closed.abort();
    this.#socket?.close();
  }

  /** The same as {@linkcode ApiClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #feed(
    params: JsonObject,
    onConnect: () => void = () => {},
  ): AsyncGenerator<JsonObject, void, void> {
    return feed({
      params,
      signal: this.#closed.signal,
      connection: () => {
        onConnect();
        return this.#connection();
      },
    });
  }

  async #connection(): Promise<ApiSocket> {
    this.#closed.signal.throwIfAborted();
    if (this.#socket?.isOpen) return this.#socket;
    this.#opening ??= this.#open().finally(() => this.#opening = null);
    return await this.#opening;
  }

  async #open(): Promise<ApiSocket> {
    const { caller, session, access } = this.#options;
    const url = await findApi(this.#options);
    for (const [name, value] of Object.entries({ caller, session, access })) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    this.#socket = await ApiSocket.open(url, this.#closed.signal);
    return this.#socket;
  }
}

function itemsOf({ type, bytes, data }: JsonObject): LogItem[] {
  if (type === "gap") {
    return [{ type: "gap", bytes: Number(bytes), cursor: null }];
  }
  // The daemon's own shape.
  const lines = data as unknown as readonly LogLineData[];
  return lines.map(({ ts, task, text }) => ({
    type: "line",
    ts,
    task,
    text,
    cursor: null,
  }));
}

interface LogLineData {
  readonly ts: string;
  readonly task: string;
  readonly text: string;
}

/** What is not given is not sent. */
function asJson(params: object): JsonObject {
  return JSON.parse(JSON.stringify(params));
}
