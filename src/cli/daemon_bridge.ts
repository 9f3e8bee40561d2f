/**
 * The daemon as a dispatcher in this process: what is asked here is asked there, of whichever daemon there is.
 *
 * Questions start no daemon and are answered from disk without one; what acts starts one. A daemon that ends meanwhile
 * is no end: questions are put to the next one, and so are waits. How far an action got nobody knows, so it is not put
 * twice.
 *
 * @module
 */

import type { Client } from "../client/client.ts";
import { NewsDesk } from "../client/news_desk.ts";
import type {
  CallName,
  Contract,
  ParamsInput,
  StreamName,
} from "../contract/mod.ts";
import type { ServerFrame } from "../contract/wire.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { RecentEvents, Settle } from "../domain/recent_events.ts";
import { systemClock } from "../kit/clock.ts";
import type { JsonObject } from "../kit/json.ts";
import type { Context } from "./context.ts";
import { findDaemon, needDaemon, unnamed } from "./daemon_access.ts";
import { answerFromDisk, followFromDisk } from "./disk_answers.ts";
import { callPatiently } from "./patient_call.ts";

/** How long the next daemon may take once one was lost in the middle of a question. */
const NEXT_DAEMON_MS = 3_000;

/** How long a wait is that does not say. As the contract has it. */
const DEFAULT_WAIT_S = 60;

/** Pause between two looks for it. */
const POLL_MS = 100;

/** Events that were told here without a daemon to note it, of which some are remembered so as not to tell them again. */
const MAX_UNNOTED = 1_000;

/** A project that is meant by its id here, and known by its file everywhere, registered or not. */
export interface HomeProject {
  readonly session: string;
  readonly config: string;
}

/** What goes along with a request; the part of a transport's context that is used here. */
export interface BridgeContext {
  readonly caller: string | null;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: {
    readonly task: string;
    readonly state: string;
  }) => void;
  readonly onNews: (settle: Settle) => void;
  readonly label?: string | undefined;
  readonly newsOf?: string | undefined;
}

/** What a bridge knows. */
export interface BridgeOptions {
  readonly contract: Contract;
  readonly home: HomeProject | null;
}

/** See the module. Disposal waits for what is being noted. */
export class DaemonBridge implements AsyncDisposable {
  readonly #context: Context;
  readonly #options: BridgeOptions;
  readonly #settling = new Set<Promise<void>>();
  readonly #unnoted = new Set<number>();

  constructor(context: Context, options: BridgeOptions) {
    this.#context = context;
    this.#options = options;
  }

  kindOf(name: string): "call" | "stream" | null {
    return this.#specOf(name)?.kind ?? null;
  }

  /**
   * One answer.
   *
   * @throws {TaskmuxError} Always of this type: as the daemon; E600 if only a daemon knows and none runs, one was lost, or
   * the caller is gone.
   */
  async call(
    name: string,
    asked: unknown,
    caller: BridgeContext,
  ): Promise<JsonObject> {
    try {
      return await this.#call(name, asked, caller);
    } catch (error) {
      if (error instanceof TaskmuxError) throw error;
      throw caller.signal.aborted
        ? new TaskmuxError("E600", `Cannot do ${name}: the caller is gone`)
        : new TaskmuxError(
          "E900",
          `Cannot do ${name}: ${
            error instanceof Error ? error.message : error
          }`,
          { cause: error },
        );
    }
  }

  async #call(
    name: string,
    asked: unknown,
    caller: BridgeContext,
  ): Promise<JsonObject> {
    const spec = this.#specOf(name);
    if (spec?.kind !== "call") throw unknown(name);
    const known = name as CallName;
    const params = this.#local(asked) as ParamsInput<CallName>;
    if (known === "task.wait") {
      return await this.#wait(params as ParamsInput<"task.wait">, caller);
    }
    const question = { name: known, params, caller };
    if (spec.effect !== "none") {
      const desk = new Receipt();
      const context = this.#as(caller, desk);
      const client = await needDaemon(context, caller.signal);
      return await this.#ask(client, question, desk);
    }
    return await this.#look(question);
  }

  /** Many answers, of one daemon. @throws {TaskmuxError} As {@linkcode call}. */
  async *stream(
    name: string,
    asked: unknown,
    { signal }: BridgeContext,
  ): AsyncGenerator<JsonObject, void, void> {
    if (this.#specOf(name)?.kind !== "stream") throw unknown(name);
    const params = this.#local(asked) as ParamsInput<StreamName>;
    const context = unnamed({ ...this.#context, manner: {}, news: undefined });
    const client = await findDaemon(context);
    if (client === null) {
      yield* followFromDisk(context, { name, params, signal });
      return;
    }
    try {
      const items = client.stream(name as StreamName, params, { signal });
      yield* items as AsyncIterable<JsonObject>;
    } finally {
      await client.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#settling);
  }

  #specOf(name: string): Contract[keyof Contract] | null {
    const { contract } = this.#options;
    return Object.hasOwn(contract, name)
      ? contract[name as keyof Contract]
      : null;
  }

  /** The parameters, with the project of this process by its file: it need not be registered yet. */
  #local(params: unknown): unknown {
    const { home } = this.#options;
    if (typeof params !== "object" || params === null || home === null) {
      return params;
    }
    const { scope } = params as {
      readonly scope?: { readonly session?: unknown };
    };
    return scope?.session === home.session
      ? { ...params, scope: { config: home.config } }
      : params;
  }

  #as({ caller, label, newsOf }: BridgeContext, news: NewsDesk): Context {
    const manner = {
      ...caller === null ? {} : { caller },
      ...label === undefined ? {} : { label },
      ...newsOf === undefined ? {} : { news_of: newsOf },
    };
    const desk = caller === null ? undefined : news;
    return { ...this.#context, manner, news: desk };
  }

  /** A question: of the daemon, of the next one if that is lost meanwhile, else of the disk. */
  async #look(question: Question): Promise<JsonObject> {
    const { caller, name, params } = question;
    const until = systemClock.monotonic() + NEXT_DAEMON_MS;
    let wasLost = false;
    while (true) {
      const desk = new Receipt();
      const context = this.#as(caller, desk);
      const client = await findDaemon(context);
      if (client !== null) {
        try {
          return await this.#ask(client, question, desk);
        } catch (error) {
          if (!isLost(error) || systemClock.monotonic() >= until) throw error;
          wasLost = true;
        }
      } else if (!wasLost || systemClock.monotonic() >= until) {
        const { contract } = this.#options;
        const { signal } = caller;
        return await answerFromDisk(context, {
          contract,
          name,
          params,
          signal,
        });
      }
      await systemClock.sleep(POLL_MS, caller.signal);
    }
  }

  async #ask(
    client: Client,
    { name, params, caller }: Question,
    desk: Receipt,
  ): Promise<JsonObject> {
    let isOpen = true;
    try {
      const { signal, onProgress } = caller;
      const answer = await client.call(name, params, { signal, onProgress });
      const { recent_events: news = [] } = answer as Partial<RecentEvents>;
      if (desk.confirm === null) return this.#fresh(answer);
      isOpen = false;
      caller.onNews((hasArrived) => {
        const settled = this.#settle(client, desk, hasArrived ? news : null);
        this.#settling.add(settled);
        settled.finally(() => this.#settling.delete(settled));
        return hasArrived;
      });
      return this.#fresh(answer);
    } finally {
      if (isOpen) await client.close();
    }
  }

  /** Tells the daemon that its news have arrived; null = they have not. */
  async #settle(
    client: Client,
    { confirm }: Receipt,
    news: RecentEvents["recent_events"] | null,
  ): Promise<void> {
    try {
      if (news === null) return;
      if (await confirm?.() === true) return;
      for (const { seq } of news) this.#unnoted.add(seq);
      for (const seq of this.#unnoted) {
        if (this.#unnoted.size <= MAX_UNNOTED) break;
        this.#unnoted.delete(seq);
      }
    } finally {
      await client.close();
    }
  }

  /** The answer without events that were told already. */
  #fresh(answer: object): JsonObject {
    const { recent_events: news } = answer as Partial<RecentEvents>;
    if (news === undefined || this.#unnoted.size === 0) {
      return answer as JsonObject;
    }
    const fresh = news.filter(({ seq }) => !this.#unnoted.has(seq));
    return { ...answer, recent_events: fresh } as unknown as JsonObject;
  }

  async #wait(
    params: ParamsInput<"task.wait">,
    caller: BridgeContext,
  ): Promise<JsonObject> {
    const desk = new NewsDesk(() => Promise.resolve(false));
    const { waited: before = 0, timeout = DEFAULT_WAIT_S } = params;
    const after = params.after ?? await this.#newestEvent(params, caller);
    return await callPatiently(this.#as(caller, desk), {
      name: "task.wait",
      params: (waitedS) => ({ ...params, after, waited: before + waitedS }),
      timeoutS: Math.max(0, timeout - before),
      what: params.for ?? "healthy",
      signal: caller.signal,
      onProgress: caller.onProgress,
    }) as unknown as JsonObject;
  }

  /** After which event one that is waited for comes, so that the next daemon knows it, too; null = none is waited for. */
  async #newestEvent(
    { for: condition = "" }: ParamsInput<"task.wait">,
    caller: BridgeContext,
  ): Promise<number | null> {
    if (!condition.startsWith("event:")) return null;
    const { cursor } = await this.#look({
      name: "event.list",
      params: { limit: 1 },
      caller: { ...caller, caller: null },
    });
    return Number(cursor);
  }
}

interface Question {
  readonly name: CallName;
  readonly params: ParamsInput<CallName>;
  readonly caller: BridgeContext;
}

/** Leaves it to others to confirm what came with an answer. Refusals are confirmed when they are here. */
class Receipt extends NewsDesk {
  /** Tells the daemon that the events of the answer have arrived; null = it had none. */
  confirm: (() => Promise<boolean | null>) | null = null;

  constructor() {
    super(() => Promise.resolve(false));
  }

  override async check(
    frame: ServerFrame,
    confirm: () => Promise<boolean | null>,
  ): Promise<ServerFrame> {
    if (!("result" in frame)) return await super.check(frame, confirm);
    const { recent_events: news = [] } = frame.result as Partial<RecentEvents>;
    if (news.length > 0) this.confirm = confirm;
    return frame;
  }
}

function isLost(error: unknown): boolean {
  return error instanceof TaskmuxError && error.code === "E600";
}

function unknown(name: string): TaskmuxError {
  return new TaskmuxError(
    "E500",
    `Cannot do ${name}: there is no such operation`,
  );
}
