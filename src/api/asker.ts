/**
 * How one frame asks the daemon: what its connection may not do is refused, and what is new to the caller is collected.
 *
 * @module
 */

import {
  type CallName,
  contract,
  type Name,
  type ParamsInput,
  type Result,
} from "../contract/mod.ts";
import type { Access } from "../contract/access.ts";
import { TaskmuxError } from "../domain/error.ts";
import {
  joinRecent,
  type RecentEvents,
  type Settle,
} from "../domain/recent_events.ts";
import type { JsonObject } from "../kit/json.ts";
import type {
  FrameContext,
  FrameDispatcher,
} from "../transports/socket_server.ts";
import { Refusal } from "./refusal.ts";

/** Whose frame it is. */
export interface AskerOptions {
  readonly dispatcher: FrameDispatcher;
  readonly access: Access;
  /** The name it gave itself; null = none. */
  readonly caller: string | null;
  /** Who it is, for the log. */
  readonly label?: string;
  /** Aborts when the connection is over. */
  readonly signal: AbortSignal;
  /** Aborts when the daemon ends. */
  readonly lifetime: AbortSignal;
}

/** Asks for one frame, once or several times. */
export class Asker {
  readonly access: Access;
  readonly #options: AskerOptions;
  readonly #settles: Settle[] = [];
  #recent: RecentEvents | null = null;

  constructor(options: AskerOptions) {
    this.#options = options;
    this.access = options.access;
  }

  /** The keys of an answer that tell what is new to the caller; none for nobody. */
  get news(): JsonObject {
    // Events come from JSON.
    return { ...this.#recent } as unknown as JsonObject;
  }

  /** To be called once, when the answer has arrived or was lost. */
  settle(hasArrived: boolean): void {
    for (const settle of this.#settles.splice(0)) settle(hasArrived);
  }

  /** Whether there is something to {@linkcode settle}. */
  get hasNews(): boolean {
    return this.#settles.length > 0;
  }

  /**
   * Asks an operation that is known to exist.
   *
   * @throws {TaskmuxError} What the operation fails with.
   * @throws {Refusal} If the connection may not ask that.
   */
  async ask<N extends CallName>(
    name: N,
    params: ParamsInput<N>,
  ): Promise<Result<N>> {
    // The dispatcher checks parameters, and handlers what they answer.
    return await this.call(name, params as JsonObject) as Result<N>;
  }

  /** The same for a name that came over the wire. */
  async call(name: string, params: JsonObject): Promise<JsonObject> {
    const { dispatcher } = this.#options;
    const allowed = allowedParams(this.access, name, params);
    try {
      const answer = await dispatcher.call(name, allowed, this.#context());
      const { recent_events, recent_events_omitted, ...result } = answer;
      this.#note({ recent_events, recent_events_omitted });
      return result;
    } catch (error) {
      if (error instanceof TaskmuxError) this.#note({ ...error.recent });
      throw error;
    }
  }

  /** Items until the signal aborts. */
  stream(
    name: string,
    params: JsonObject,
    signal: AbortSignal,
  ): AsyncIterable<JsonObject> {
    const { dispatcher } = this.#options;
    return dispatcher.stream(
      name,
      allowedParams(this.access, name, params),
      { ...this.#context(), caller: null, signal },
    );
  }

  #context(): FrameContext {
    const { caller, label, signal, lifetime, access: { pin } } = this.#options;
    return {
      caller,
      ...label === undefined ? {} : { label },
      ...pin === null ? {} : { newsOf: pin },
      reveal: false,
      signal,
      lifetime,
      onProgress: () => {},
      onNews: (settle) => {
        this.#settles.push(settle);
      },
    };
  }

  #note(found: { readonly [key: string]: unknown }): void {
    const { recent_events: events, recent_events_omitted: omitted } = found;
    if (!Array.isArray(events)) return;
    this.#recent = joinRecent(this.#recent, {
      recent_events: events,
      ...typeof omitted === "number" ? { recent_events_omitted: omitted } : {},
    });
  }
}

/**
 * The parameters with which a connection may ask an operation: on one that is pinned to a project, that is the scope.
 *
 * @throws {Refusal} If it may not at all.
 */
export function allowedParams(
  access: Access,
  name: string,
  params: JsonObject,
): JsonObject {
  const spec = Object.hasOwn(contract, name) ? contract[name as Name] : null;
  // The dispatcher says what is wrong with it.
  if (spec === null) return params;
  if (spec.permission === "admin") {
    throw new Refusal(
      "forbidden",
      `Cannot do ${name} here: it is for the command line only`,
    );
  }
  if (access.isReadOnly && spec.permission !== "read") {
    throw new Refusal(
      "read_only",
      `Cannot do ${name}: the connection may only read`,
      "Connect without access=read",
    );
  }
  return access.pin === null
    ? params
    : pinned(access.pin, { name, params, spec });
}

function pinned(
  pin: string,
  { name, params, spec }: {
    readonly name: string;
    readonly params: JsonObject;
    readonly spec: (typeof contract)[Name];
  },
): JsonObject {
  const known: object = spec.params.shape;
  if ("scope" in known) {
    const scope = params["scope"] ?? { session: pin };
    const isOwn = typeof scope === "object" && scope !== null &&
      Object.keys(scope).length === 1 &&
      (scope as JsonObject)["session"] === pin;
    if (!isOwn) throw pinViolation(pin, name);
    return { ...params, scope };
  }
  const isElsewhere = "session" in known
    ? params["session"] !== pin
    : spec.permission !== "read";
  if (isElsewhere) throw pinViolation(pin, name);
  return params;
}

/** What a connection is told that asks beyond its project. */
export function pinViolation(pin: string, what: string): Refusal {
  return new Refusal(
    "pin_violation",
    `Cannot do ${what}: the connection is pinned to "${pin}"`,
    "Connect without session= to reach other projects",
  );
}
