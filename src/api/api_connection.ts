/**
 * One client of the WebSocket API: frames in, answers and pushes out.
 *
 * @module
 */

import type { Access } from "../contract/access.ts";
import { VERSION } from "../contract/wire.ts";
import { CALLER_ID_RULE, isCallerId } from "../domain/caller_id.ts";
import { TaskmuxError } from "../domain/error.ts";
import { closest } from "../kit/did_you_mean.ts";
import type { JsonObject } from "../kit/json.ts";
import type { TaskScope } from "../kit/task_scope.ts";
import type { FrameDispatcher } from "../transports/socket_server.ts";
import { Asker } from "./asker.ts";
import type { EventHub } from "./event_hub.ts";
import { answerOriginal, ORIGINAL_COMMANDS } from "./original_commands.ts";
import type { Outbox } from "./outbox.ts";
import { answerOfError, Refusal } from "./refusal.ts";
import {
  type BrokenFrame,
  parseFrame,
  type RequestFrame,
  type RequestId,
} from "./request_frame.ts";
import { prepareSubscription } from "./subscribe.ts";

/** Largest frame that is read, in characters. */
export const MAX_FRAME_LENGTH = 1024 * 1024;

/** Questions that one client may have under way. */
export const MOST_REQUESTS = 256;

/** Subscriptions of one client. */
export const MOST_SUBSCRIPTIONS = 64;

/** Questions and subscriptions of all clients together. */
export const MOST_OF_ALL = { requests: 4_096, subscriptions: 4_096 } as const;

/** What all connections of an API have under way. */
export interface ApiLoad {
  requests: number;
  subscriptions: number;
}

/** WebSocket close codes (RFC 6455, section 7.4.1; 1013 is registered with IANA). */
const CLOSE = { tooLarge: 1009, tryLater: 1013 } as const;

/** Commands about the connection itself. */
const OWN_COMMANDS = ["hello", "subscribe", "unsubscribe", "cancel"];

/** What a connection works with. */
export interface ApiConnectionOptions {
  readonly dispatcher: FrameDispatcher;
  readonly hub: EventHub;
  /** Shared by all connections. */
  readonly load: ApiLoad;
  readonly outbox: Outbox;
  readonly access: Access;
  readonly caller: string | null;
  /** What the client calls its program; null = nothing. */
  readonly program: string | null;
  /** Owns the work of this connection; closes with it. */
  readonly scope: TaskScope;
  /** Aborts when the daemon ends. */
  readonly lifetime: AbortSignal;
}

/** See the module. */
export class ApiConnection {
  readonly #options: ApiConnectionOptions;
  #caller: string | null;
  /** Where the questions without id are; they are answered one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #pending = 0;
  #lastNumber = 0;
  readonly #subscriptions = new Map<number, AbortController>();
  /** Questions with an id that are under way. */
  readonly #withdrawals = new Map<RequestId, AbortController>();

  constructor(options: ApiConnectionOptions) {
    this.#options = options;
    this.#caller = options.caller;
  }

  /** Takes what the socket has received. Never throws, never waits. */
  receive(data: unknown): void {
    const { outbox } = this.#options;
    if (typeof data !== "string") {
      this.#refuse({
        id: undefined,
        command: null,
        refusal: new Refusal(
          "invalid_json",
          "Cannot read frame: it is binary, not text",
        ),
      });
      return;
    }
    if (data.length > MAX_FRAME_LENGTH) {
      outbox.close(CLOSE.tooLarge, "frame is larger than 1 MiB");
      return;
    }
    const frame = parseFrame(data);
    const isTooMany = this.#pending >= MOST_REQUESTS ||
      this.#options.load.requests >= MOST_OF_ALL.requests;
    if (isTooMany) this.#tooMany(frame);
    else this.#accept(frame);
  }

  #accept(frame: RequestFrame | BrokenFrame): void {
    const { scope, load } = this.#options;
    // It is over, and nothing is begun any more.
    if (scope.signal.aborted) return;
    const { turn, done } = this.#turnOf(frame);
    this.#pending++;
    load.requests++;
    scope.run(async () => {
      try {
        await turn;
        // Who does not read its answers gets no more of them made.
        if (!await this.#options.outbox.room()) return;
        if ("refusal" in frame) this.#refuse(frame);
        else await this.#answer(frame);
      } finally {
        this.#pending--;
        load.requests--;
        done();
      }
    });
  }

  /** Questions with an id are answered side by side, the others in their order. */
  #turnOf({ id }: RequestFrame | BrokenFrame): {
    readonly turn: Promise<void> | undefined;
    done(): void;
  } {
    if (id !== undefined) return { turn: undefined, done: () => {} };
    const turn = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    return { turn, done: resolve };
  }

  #tooMany({ id, command }: RequestFrame | BrokenFrame): void {
    const { outbox } = this.#options;
    const reason = `${
      this.#pending >= MOST_REQUESTS ? MOST_REQUESTS : MOST_OF_ALL.requests
    } questions are under way`;
    // Without an id the refusal would be taken for the answer to an earlier question.
    if (id === undefined) {
      outbox.close(CLOSE.tryLater, reason);
      return;
    }
    const refusal = new Refusal("too_many", `Cannot answer: ${reason}`);
    this.#refuse({ id, command, refusal });
  }

  #refuse({ id, command, refusal }: BrokenFrame): void {
    this.#send({
      ...id === undefined ? {} : { id },
      // The original tells it with every error but this one.
      ...refusal.slug === "invalid_json" ? {} : { command },
      ...refusal.toAnswer(),
    });
  }

  async #answer({ id, command, params }: RequestFrame): Promise<void> {
    const head = { ...id === undefined ? {} : { id }, command };
    const withdrawn = new AbortController();
    if (id !== undefined) this.#withdrawals.set(id, withdrawn);
    const asker = this.#asker(this.#caller, withdrawn.signal);
    let after: (() => Promise<void>) | null = null;
    let answer: JsonObject;
    try {
      const own = await this.#answerOwn(command, params, asker);
      after = own?.after ?? null;
      answer = own?.answer ??
        await answerOriginal(command, { params, asker }) ??
        await this.#answerOperation(command, params, asker);
    } catch (error) {
      answer = answerOfError(error);
    } finally {
      const isOwn = id !== undefined && this.#withdrawals.get(id) === withdrawn;
      if (isOwn) this.#withdrawals.delete(id);
    }
    this.#send({ ...head, ...answer, ...asker.news });
    if (after !== null) this.#options.scope.run(after);
    if (!asker.hasNews) return;
    this.#options.scope.run(async () =>
      asker.settle(await this.#options.outbox.flushed())
    );
  }

  async #answerOwn(
    command: string,
    params: JsonObject,
    asker: Asker,
  ): Promise<
    { readonly answer: JsonObject; readonly after?: () => Promise<void> } | null
  > {
    switch (command) {
      case "hello":
        return { answer: this.#greet(params) };
      case "subscribe":
        return await this.#subscribe(params, asker);
      case "unsubscribe":
        return { answer: this.#unsubscribe(params) };
      case "cancel":
        return { answer: this.#cancel(params) };
      default:
        return null;
    }
  }

  async #answerOperation(
    command: string,
    params: JsonObject,
    asker: Asker,
  ): Promise<JsonObject> {
    const kind = this.#options.dispatcher.kindOf(command);
    if (kind === "call") return await asker.call(command, params);
    if (kind === "stream") {
      throw new Refusal(
        "forbidden",
        `Cannot do ${command} as a question: its answers have no end`,
        'Use {"command":"subscribe","params":{"to":"events"}} or "logs"',
      );
    }
    const near = closest(command, [...OWN_COMMANDS, ...ORIGINAL_COMMANDS]);
    throw new Refusal(
      "unknown_command",
      `Cannot do "${command}": unknown command`,
      near === null
        ? `one of ${[...OWN_COMMANDS, ...ORIGINAL_COMMANDS].join(", ")}`
        : `did you mean "${near}"?`,
    );
  }

  #greet({ caller = null }: JsonObject): JsonObject {
    if (caller !== null) {
      if (typeof caller !== "string" || !isCallerId(caller)) {
        throw new TaskmuxError("E500", `Cannot greet: ${CALLER_ID_RULE}`);
      }
      this.#caller = caller;
    }
    const { pin, isReadOnly } = this.#options.access;
    return {
      ok: true,
      taskmux: "daemon",
      version: VERSION,
      caller: this.#caller,
      pin,
      access: isReadOnly ? "read" : "full",
    };
  }

  async #subscribe(
    params: JsonObject,
    asker: Asker,
  ): Promise<{ readonly answer: JsonObject; after(): Promise<void> }> {
    if (this.#subscriptions.size >= MOST_SUBSCRIPTIONS) {
      throw new Refusal(
        "too_many",
        `Cannot subscribe: there are ${MOST_SUBSCRIPTIONS} subscriptions`,
      );
    }
    const { load } = this.#options;
    if (load.subscriptions >= MOST_OF_ALL.subscriptions) {
      throw new Refusal(
        "too_many",
        `Cannot subscribe: all clients together have ${MOST_OF_ALL.subscriptions} subscriptions`,
      );
    }
    const number = ++this.#lastNumber;
    const ended = new AbortController();
    this.#subscriptions.set(number, ended);
    load.subscriptions++;
    const { hub, outbox, scope } = this.#options;
    scope.signal.addEventListener("abort", () => this.#end(number), {
      once: true,
      signal: ended.signal,
    });
    try {
      const prepared = await prepareSubscription(params, {
        number,
        asker,
        reader: this.#asker(null),
        hub,
        outbox,
        signal: AbortSignal.any([scope.signal, ended.signal]),
        onEnd: () => this.#end(number),
      });
      const { cursor, run } = prepared;
      return { answer: { ok: true, subscription: number, cursor }, after: run };
    } catch (error) {
      this.#end(number);
      throw error;
    }
  }

  /** Nobody waits for an answer any more; what was begun goes on. */
  #cancel({ id = null }: JsonObject): JsonObject {
    const isKnown = typeof id === "string" || typeof id === "number";
    const withdrawal = isKnown ? this.#withdrawals.get(id) : undefined;
    withdrawal?.abort(new DOMException("The caller withdrew", "AbortError"));
    return { ok: true, cancelled: withdrawal !== undefined };
  }

  #unsubscribe({ subscription = null }: JsonObject): JsonObject {
    if (typeof subscription === "number" && this.#end(subscription)) {
      return { ok: true, subscription };
    }
    throw new Refusal(
      "unknown_subscription",
      `Cannot end subscription ${JSON.stringify(subscription)}: there is none`,
    );
  }

  #end(number: number): boolean {
    const ended = this.#subscriptions.get(number);
    if (ended === undefined) return false;
    this.#subscriptions.delete(number);
    this.#options.load.subscriptions--;
    ended.abort();
    return true;
  }

  #asker(caller: string | null, withdrawn?: AbortSignal): Asker {
    const { dispatcher, access, program, scope, lifetime } = this.#options;
    const who = this.#caller ?? program;
    return new Asker({
      dispatcher,
      access,
      caller,
      label: who === null ? "websocket" : `websocket ${who}`,
      signal: withdrawn === undefined
        ? scope.signal
        : AbortSignal.any([scope.signal, withdrawn]),
      lifetime,
    });
  }

  #send(frame: JsonObject): void {
    this.#options.outbox.send(JSON.stringify(frame));
  }
}
