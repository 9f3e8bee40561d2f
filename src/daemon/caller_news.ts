/**
 * What is new to each caller, added to every answer it gets: the events since its last call, each once.
 *
 * A caller's mark moves only when whoever carries the answer says that it has arrived, and one answer at a time is on
 * its way to a caller with events in it. So an answer that gets lost, with this daemon or without, loses no event, and
 * answers side by side never tell the same one.
 *
 * @module
 */

import { isCallerId } from "../domain/caller_id.ts";
import { TaskmuxError } from "../domain/error.ts";
import { type SharedTasks, toRecord } from "../domain/event_selection.ts";
import {
  MAX_RECENT_EVENTS,
  type RecentEvents,
  type Settle,
} from "../domain/recent_events.ts";
import type { Clock } from "../kit/clock.ts";
import type { JsonObject } from "../kit/json.ts";
import { scope as scopeSchema } from "../contract/operation.ts";
import type { Scope } from "../contract/operation.ts";
import { advance, OWN_EVENTS } from "../store/caller_table.ts";
import type { Store } from "../store/store.ts";
import type { Caller, Dispatcher } from "./dispatcher.ts";

/** How long an answer may be on its way. After that its events belong to the next one, and it arrives in vain. */
const ARRIVAL_MS = 10_000;

/** Answers that are on their way at a time, of all callers; beyond it the eldest arrives in vain. */
export const MAX_ON_THE_WAY = 1_000;

const NOTHING: RecentEvents = { recent_events: [] };

/** What news are made of. */
export interface CallerNewsOptions {
  readonly store: Pick<Store, "callers" | "events">;
  readonly clock: Clock;
  /** The project of a scope, or null if it is not registered. */
  sessionOf(scope: Scope): Promise<string | null>;
  /** What a project shares with another one now; its events concern it, too. */
  sharedBy(session: string): SharedTasks | null;
}

/** See the module. */
export class CallerNews {
  readonly #options: CallerNewsOptions;
  /** By caller, the oldest first. */
  readonly #onTheWay = new Map<string, { readonly since: number }>();

  constructor(options: CallerNewsOptions) {
    this.#options = options;
  }

  /** A caller asks. What happens from now on is new to it, unless it has been here before. */
  greet(caller: string): void {
    const { store, clock } = this.#options;
    store.callers.greet(caller, clock.now(), store.events.lastSeq);
  }

  /** Which events a question is about: of a project, `""` = only of taskmux itself, null = of all projects. */
  async about(params: unknown): Promise<string | null> {
    const asked = (params as { readonly scope?: unknown } | null)?.scope;
    if (asked === undefined) return null;
    const { success, data } = scopeSchema.safeParse(asked);
    if (!success) return OWN_EVENTS;
    return await this.#options.sessionOf(data) ?? OWN_EVENTS;
  }

  /** What is new to the caller, with what must be called once it has arrived, or has not; null = nothing. */
  take(
    caller: string,
    session: string | null,
  ): { readonly news: RecentEvents; readonly settle: Settle } | null {
    const { store, clock } = this.#options;
    const now = clock.monotonic();
    const before = this.#onTheWay.get(caller);
    if (before !== undefined && now - before.since < ARRIVAL_MS) return null;
    const marks = store.callers.get(caller);
    if (marks === null) return null;
    const about = session === null
      ? null
      : { session, shared: this.#options.sharedBy(session) };
    const found = store.events.after(marks, about, MAX_RECENT_EVENTS);
    if (found.count === 0) return null;
    const omitted = found.count - found.events.length;
    const delivery = { since: now };
    this.#begin(caller, delivery);
    return {
      news: {
        recent_events: found.events.map(toRecord),
        ...omitted === 0 ? {} : { recent_events_omitted: omitted },
      },
      settle: (hasArrived) => {
        if (this.#onTheWay.get(caller) !== delivery) return false;
        this.#onTheWay.delete(caller);
        if (!hasArrived) return false;
        const next = advance(marks, about, found.lastSeq);
        store.callers.set(caller, next, clock.now());
        return true;
      },
    };
  }

  #begin(caller: string, delivery: { readonly since: number }): void {
    this.#onTheWay.delete(caller);
    const [eldest] = this.#onTheWay.keys();
    const isFull = this.#onTheWay.size >= MAX_ON_THE_WAY;
    if (isFull && eldest !== undefined) this.#onTheWay.delete(eldest);
    this.#onTheWay.set(caller, delivery);
  }
}

/** The dispatcher, with what is new to a caller in every answer of a call, and in every refusal. */
export function withNews(dispatcher: Dispatcher, news: CallerNews): Dispatcher {
  return {
    ...dispatcher,
    async call(name, params, asker): Promise<JsonObject> {
      const { caller, newsOf } = asker;
      const about = (): Promise<string | null> =>
        news.about(
          newsOf === undefined ? params : { scope: { session: newsOf } },
        );
      if (caller === null || !isCallerId(caller)) {
        return await dispatcher.call(name, params, asker);
      }
      news.greet(caller);
      // A project may be unknown before the call or after it.
      const before = await about();
      const recent = async (): Promise<RecentEvents> => {
        const session = before === OWN_EVENTS ? await about() : before;
        return carry(news, asker, session);
      };
      try {
        const result = await dispatcher.call(name, params, asker);
        // Events come from JSON.
        return { ...result, ...await recent() } as JsonObject;
      } catch (error) {
        if (!(error instanceof TaskmuxError)) throw error;
        throw error.withRecent(await recent());
      }
    },
  };
}

function carry(
  news: CallerNews,
  { caller, signal, onNews }: Caller,
  session: string | null,
): RecentEvents {
  // Nobody is there to take them.
  if (caller === null || signal.aborted) return NOTHING;
  const taken = news.take(caller, session);
  if (taken === null) return NOTHING;
  onNews(taken.settle);
  return taken.news;
}
