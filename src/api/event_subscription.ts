/**
 * One subscription to events: what came after its cursor from the history, then what happens, without a hole between.
 *
 * @module
 */

import type { ParamsInput } from "../contract/mod.ts";
import { type EventSelection, isSelected } from "../domain/event_selection.ts";
import type { EventRecord } from "../domain/event.ts";
import type { Asker } from "./asker.ts";
import { type EventHub, type EventListener, SharedEvent } from "./event_hub.ts";
import type { Outbox } from "./outbox.ts";
import { answerOfError } from "./refusal.ts";

/** Events of the history that are read at a time. */
const PAGE_LENGTH = 500;

/** After these a project may share other tasks than before; the history tells which. */
const SHARING_EVENTS: readonly string[] = [
  "project_registered",
  "project_unregistered",
  "config_reloaded",
  "config_missing",
];

/** Events that may happen while the last page is read. Beyond it there is another page. */
const MOST_MEANWHILE = 256;

/** What is subscribed to. */
export interface EventSubscriptionOptions {
  readonly number: number;
  readonly hub: EventHub;
  readonly outbox: Outbox;
  readonly asker: Asker;
  readonly selection: EventSelection;
  /** The same as a question to the history. */
  readonly question: ParamsInput<"event.list">;
  readonly cursor: string;
  /** Aborts with the subscription. */
  readonly signal: AbortSignal;
  onEnd(): void;
}

/** See the module. */
export class EventSubscription implements EventListener {
  readonly #options: EventSubscriptionOptions;
  #selection: EventSelection;
  /** Everything up to this number was sent or is not wanted. */
  #position: number;
  /** What happens while the history is read; null = nothing is to be read, events go out as they come. */
  #meanwhile: SharedEvent[] | null = [];
  #hasMissed = false;
  #wake: (() => void) | null = null;
  #isOver = false;

  constructor(options: EventSubscriptionOptions) {
    this.#options = options;
    this.#selection = options.selection;
    this.#position = Number(options.cursor);
  }

  /** Feeds the client until the signal aborts or there is nothing left to come. Never rejects. */
  async run(): Promise<void> {
    const { hub, signal, number, outbox, onEnd } = this.#options;
    const wake = (): void => this.#wake?.();
    signal.addEventListener("abort", wake);
    try {
      await hub.add(this);
      while (!signal.aborted && !this.#isOver) {
        await this.#catchUp();
        await this.#untilBehind();
      }
    } catch (error) {
      if (!signal.aborted) {
        const answer = answerOfError(error);
        outbox.send(
          JSON.stringify({ type: "end", subscription: number, ...answer }),
        );
      }
    } finally {
      signal.removeEventListener("abort", wake);
      hub.remove(this);
      onEnd();
    }
  }

  onEvent(event: SharedEvent): void {
    const { outbox } = this.#options;
    const { record } = event;
    if (record.seq <= this.#position) return;
    const isOfOne = this.#selection.session !== undefined;
    if (isOfOne && SHARING_EVENTS.includes(record.event)) this.onGap();
    if (!isSelected(record, this.#selection)) return;
    if (this.#meanwhile !== null) {
      if (this.#meanwhile.length < MOST_MEANWHILE) this.#meanwhile.push(event);
      else this.#hasMissed = true;
    } else if (outbox.isFull) {
      this.onGap();
    } else {
      this.#send(event);
    }
  }

  onGap(): void {
    this.#hasMissed = true;
    this.#meanwhile ??= [];
    this.#wake?.();
  }

  onEnd(error: unknown): void {
    const { number, outbox } = this.#options;
    const answer = error === null ? { ok: true } : { ok: false };
    outbox.send(
      JSON.stringify({ type: "end", subscription: number, ...answer }),
    );
    this.#isOver = true;
    this.#wake?.();
  }

  /** Resolves when there is something in the history that the client lacks. */
  async #untilBehind(): Promise<void> {
    const { signal } = this.#options;
    if (this.#meanwhile !== null || signal.aborted || this.#isOver) return;
    await new Promise<void>((resolve) => this.#wake = resolve);
    this.#wake = null;
  }

  /** Reads the history to its end, and goes over to what happens in the same breath. */
  async #catchUp(): Promise<void> {
    const { asker, outbox, question, signal } = this.#options;
    for (let hasMore = true; hasMore;) {
      if (!await outbox.room()) this.#isOver = true;
      if (this.#isOver || signal.aborted) return;
      this.#meanwhile = [];
      this.#hasMissed = false;
      const cursor = String(this.#position);
      const page = await asker.ask("event.list", {
        ...question,
        cursor,
        limit: PAGE_LENGTH,
      });
      if (signal.aborted) return;
      this.#selection = { ...this.#selection, shared: page.shared ?? null };
      this.#tellForgotten(page.forgotten ?? 0);
      // The history has records.
      const events = page.events as unknown as readonly EventRecord[];
      for (const record of events) this.#send(new SharedEvent(record));
      this.#position = Math.max(this.#position, Number(page.cursor));
      hasMore = page.has_more || this.#hasMissed;
    }
    const meanwhile = this.#meanwhile ?? [];
    this.#meanwhile = null;
    for (const event of meanwhile) {
      if (event.record.seq > this.#position) this.#send(event);
    }
  }

  #send(event: SharedEvent): void {
    const { number, outbox } = this.#options;
    outbox.send(event.textFor(number));
    this.#position = event.record.seq;
  }

  /** Events that came after the cursor and are in no history any more. */
  #tellForgotten(events: number): void {
    if (events === 0) return;
    const { number, outbox } = this.#options;
    const cursor = String(this.#position);
    const subscription = number;
    outbox.send(
      JSON.stringify({ type: "gap", subscription, cursor, events }),
    );
  }
}
