/**
 * The events of all projects, once, for however many who subscribed to some of them.
 *
 * An event is turned into text once for everybody, and given to each in one go: nobody waits for anybody. Who is behind
 * reads what it lacks from the history, see `event_subscription.ts`.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import type { EventRecord } from "../domain/event.ts";
import { type Clock, systemClock } from "../kit/clock.ts";
import { inLaterTurn } from "../kit/turn.ts";

/** How long events are given out before others have their turn. */
const BUSY_MS = 8;

/** Who gets events. Must neither throw nor wait. */
export interface EventListener {
  onEvent(event: SharedEvent): void;
  /** Events were lost on the way here; the history has them. */
  onGap(): void;
  /** There will be no more. */
  onEnd(error: unknown): void;
}

/** An event, and its text for each number of a subscription. */
export class SharedEvent {
  readonly record: EventRecord;
  readonly #texts = new Map<number, string>();
  #json: string | null = null;

  constructor(record: EventRecord) {
    this.record = record;
  }

  /** The frame that tells it. */
  textFor(subscription: number): string {
    const known = this.#texts.get(subscription);
    if (known !== undefined) return known;
    this.#json ??= JSON.stringify(this.record);
    const cursor = String(this.record.seq);
    const text =
      `{"type":"event","subscription":${subscription},"cursor":"${cursor}","data":${this.#json}}`;
    this.#texts.set(subscription, text);
    return text;
  }
}

/** What the hub listens to. */
export interface EventSource {
  /** Items of `event.follow` after a cursor, of all projects. */
  follow(
    cursor: string,
    signal: AbortSignal,
  ): AsyncIterable<Result<"event.follow">>;
  /** Where the history ends now. */
  cursor(signal: AbortSignal): Promise<string>;
}

interface Listening {
  readonly ended: AbortController;
  readonly ready: Promise<void>;
}

/** See the module. Listens as long as anybody does. */
export class EventHub {
  readonly #source: EventSource;
  readonly #clock: Clock;
  readonly #run: (work: (signal: AbortSignal) => Promise<void>) => void;
  readonly #listeners = new Set<EventListener>();
  #listening: Listening | null = null;

  /** @param run Owns the work of listening, and aborts it in the end. */
  constructor(
    source: EventSource,
    run: (work: (signal: AbortSignal) => Promise<void>) => void,
    clock: Clock = systemClock,
  ) {
    this.#source = source;
    this.#run = run;
    this.#clock = clock;
  }

  /** Resolves when every event after now reaches the listener. */
  async add(listener: EventListener): Promise<void> {
    this.#listeners.add(listener);
    const listening = this.#listening ?? this.#listen();
    this.#listening = listening;
    await listening.ready;
  }

  remove(listener: EventListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#listening?.ended.abort();
    this.#listening = null;
  }

  #listen(): Listening {
    const ended = new AbortController();
    const ready = Promise.withResolvers<void>();
    const listening = { ended, ready: ready.promise };
    this.#run(async (signal) => {
      const until = AbortSignal.any([signal, ended.signal]);
      let error: unknown = null;
      try {
        const cursor = await this.#source.cursor(until);
        ready.resolve();
        await this.#giveOut(cursor, until);
      } catch (thrown) {
        error = thrown;
      } finally {
        ready.resolve();
      }
      if (this.#listening !== listening) return;
      this.#listening = null;
      const left = [...this.#listeners];
      this.#listeners.clear();
      for (const listener of left) listener.onEnd(error);
    });
    return listening;
  }

  async #giveOut(cursor: string, signal: AbortSignal): Promise<void> {
    let busySince = this.#clock.monotonic();
    for await (const item of this.#source.follow(cursor, signal)) {
      if ("gap" in item) {
        for (const listener of this.#listeners) listener.onGap();
        continue;
      }
      // What follows events gives records.
      const event = new SharedEvent(item as unknown as EventRecord);
      for (const listener of this.#listeners) listener.onEvent(event);
      // Events that are there already come without a turn of the event loop between them.
      if (this.#clock.monotonic() - busySince < BUSY_MS) continue;
      await new Promise<void>(inLaterTurn);
      busySince = this.#clock.monotonic();
    }
  }
}
