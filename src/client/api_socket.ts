/**
 * One connection to the WebSocket API: questions with their answers, and pushes with their subscriptions.
 *
 * @module
 */

import type { Json, JsonObject } from "../kit/json.ts";
import { Timer } from "../kit/timer.ts";
import { ApiError, unreachable } from "./api_error.ts";

/** How long a daemon may take to accept a connection. */
const CONNECT_MS = 10_000;

/** A push, and how long its text is. */
export type PushHandler = (push: JsonObject, length: number) => void;

interface Pending {
  readonly resolve: (answer: JsonObject) => void;
  readonly reject: (error: ApiError) => void;
  readonly onPush: PushHandler | null;
}

/** An open connection. */
export class ApiSocket {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  readonly #handlers = new Map<number, PushHandler>();
  readonly #onClose = new Set<() => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(String(data));
    socket.onclose = ({ code, reason }) => this.#end(code, reason);
    socket.onerror = () => {};
  }

  /**
   * Connects. Takes at most {@linkcode CONNECT_MS}.
   *
   * @throws {ApiError} E600 if nobody takes the connection.
   * @throws The reason of the signal when it aborts.
   */
  static async open(url: URL, signal: AbortSignal): Promise<ApiSocket> {
    signal.throwIfAborted();
    const socket = new WebSocket(url);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (): void =>
      reject(unreachable(`Cannot connect to ${url.origin}: nobody answers`));
    const timer = new Timer(fail);
    timer.arm(CONNECT_MS);
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    socket.onopen = () => resolve();
    socket.onerror = () => {};
    socket.onclose = fail;
    try {
      await promise;
    } catch (error) {
      socket.close();
      throw error;
    } finally {
      timer.disarm();
      signal.removeEventListener("abort", abort);
    }
    return new ApiSocket(socket);
  }

  /** Whether questions can be asked. */
  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /**
   * Asks.
   *
   * @param options With `onPush` the answer is that of a subscription, whose pushes go there.
   * @throws {ApiError} What the daemon refuses with; E600 if the connection ends before the answer.
   * @throws The reason of the signal when it aborts.
   */
  async ask(
    command: string,
    params: object,
    { onPush = null, signal }: {
      readonly onPush?: PushHandler | null;
      readonly signal?: AbortSignal | undefined;
    } = {},
  ): Promise<JsonObject> {
    signal?.throwIfAborted();
    if (!this.isOpen) throw unreachable(`Cannot do ${command}: not connected`);
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
    const withdraw = (): void => {
      this.#pending.delete(id);
      this.#send({ command: "cancel", params: { id }, id: `cancel-${id}` });
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", withdraw, { once: true });
    this.#pending.set(id, { resolve, reject, onPush });
    this.#send({ id, command, params });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", withdraw);
    }
  }

  /** Pushes of a subscription are no longer wanted. */
  unsubscribe(subscription: number): void {
    if (!this.#handlers.delete(subscription)) return;
    const id = `unsubscribe-${subscription}`;
    this.#send({ id, command: "unsubscribe", params: { subscription } });
  }

  /** Calls back once when the connection is over; at once if it is. */
  onClose(callback: () => void): void {
    if (this.isOpen) this.#onClose.add(callback);
    else callback();
  }

  /** Ends the connection. */
  close(): void {
    this.#socket.close(1000, "");
    this.#end(1000, "closed by this side");
  }

  #send(frame: object): void {
    if (this.isOpen) this.#socket.send(JSON.stringify(frame));
  }

  #receive(text: string): void {
    const frame: JsonObject = JSON.parse(text);
    const { id, subscription, type } = frame;
    if (typeof type === "string" && typeof subscription === "number") {
      this.#handlers.get(subscription)?.(frame, text.length);
      return;
    }
    const pending = typeof id === "number" ? this.#pending.get(id) : undefined;
    if (pending === undefined) return;
    this.#pending.delete(id as number);
    const refusal = refusalOf(frame);
    if (refusal !== null) {
      pending.reject(refusal);
      return;
    }
    // Here and now, because the first push may follow at once.
    if (pending.onPush !== null && typeof subscription === "number") {
      this.#handlers.set(subscription, pending.onPush);
    }
    pending.resolve(frame);
  }

  #end(code: number, reason: string): void {
    const why = reason === "" ? `code ${code}` : reason;
    const lost = unreachable(`Cannot tell the answer: disconnected (${why})`);
    for (const { reject } of this.#pending.values()) reject(lost);
    this.#pending.clear();
    this.#handlers.clear();
    for (const callback of this.#onClose) callback();
    this.#onClose.clear();
  }
}

/** The error that a frame tells; null if it tells none. Results may have an `ok` that is false, too. */
export function refusalOf(frame: JsonObject): ApiError | null {
  const { ok, error, error_code, message, hint, details } = frame;
  const isRefusal = ok === false && isText(error) && isText(error_code) &&
    isText(message);
  if (!isRefusal) return null;
  return new ApiError(message, {
    code: error_code,
    slug: error,
    hint: isText(hint) ? hint : undefined,
    details,
  });
}

function isText(value: Json | undefined): value is string {
  return typeof value === "string";
}
