/**
 * Stores events, then tells those who listen: what is told is always stored before.
 *
 * @module
 */

import type { EventRecord, NewEvent, TaskEvent } from "../domain/event.ts";
import {
  type EventSelection,
  isSelected,
  toRecord,
} from "../domain/event_selection.ts";
import { BoundedQueue, type Gap } from "../kit/bounded_queue.ts";

/** Events a subscriber may be behind. Beyond it the oldest are dropped and a gap is told. */
const SUBSCRIBER_QUEUE_DEPTH = 1_024;

/** Where events are kept. */
export interface EventSink {
  append(event: NewEvent): TaskEvent;
}

/** See the module. */
export class EventBus {
  readonly #sink: EventSink;
  readonly #onError: (error: unknown) => void;
  readonly #subscribers = new Set<
    { selection: EventSelection; queue: BoundedQueue<EventRecord> }
  >();

  constructor(sink: EventSink, onError: (error: unknown) => void) {
    this.#sink = sink;
    this.#onError = onError;
  }

  /** Stores and fans out. Never throws and never waits for a subscriber. */
  publish(event: NewEvent): void {
    let stored: TaskEvent;
    try {
      stored = this.#sink.append(event);
    } catch (error) {
      this.#onError(error);
      return;
    }
    // One object for all: whoever sends it need make its text only once.
    const record = Object.freeze(toRecord(stored));
    for (const { selection, queue } of this.#subscribers) {
      if (isSelected(record, selection)) queue.push(record);
    }
  }

  /**
   * Events from this call on, until the signal aborts. A gap stands for what a slow reader missed.
   *
   * @param signal Must abort in the end, also when the events are never read.
   */
  subscribe(
    selection: EventSelection,
    signal: AbortSignal,
  ): AsyncGenerator<EventRecord | Gap, void, void> {
    const queue = new BoundedQueue<EventRecord>(SUBSCRIBER_QUEUE_DEPTH);
    const subscriber = { selection, queue };
    if (!signal.aborted) {
      this.#subscribers.add(subscriber);
      const leave = (): void => {
        this.#subscribers.delete(subscriber);
      };
      signal.addEventListener("abort", leave, { once: true });
    }
    return queue.items(signal);
  }
}
