/**
 * Where requests wait for a task that is on its way up: one watch per task, however many wait.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { settledWithin } from "../kit/deadline.ts";

/** Longest wait of one request. */
export const HOLD_MS = 10_000;

/** Requests that may wait for one task. */
const MAX_WAITING_PER_TASK = 256;

/** Requests that may wait at all. */
const MAX_WAITING = 2_000;

/** What a wait came to. */
export type Waited<T> =
  | { readonly kind: "answer"; readonly answer: T }
  | { readonly kind: "late" }
  /** Too many wait already. */
  | { readonly kind: "full" };

interface Room<T> {
  readonly answer: Promise<T>;
  readonly end: AbortController;
  waiting: number;
}

/** See the module. */
export class WaitingRoom<T> {
  readonly #clock: Clock;
  readonly #rooms = new Map<object, Room<T>>();
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits for an answer, at most {@linkcode HOLD_MS}.
   *
   * @param task Who waits for the same one shares the watch.
   * @param watch Makes the answer for all; its signal aborts when nobody waits any more.
   * @throws The signal's reason, or what the watch throws.
   */
  async wait(
    task: object,
    watch: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<Waited<T>> {
    const waiting = this.#rooms.get(task)?.waiting ?? 0;
    if (waiting >= MAX_WAITING_PER_TASK || this.#waiting >= MAX_WAITING) {
      return { kind: "full" };
    }
    const room = this.#rooms.get(task) ?? this.#open(task, watch);
    room.waiting++;
    this.#waiting++;
    try {
      const isHere = await settledWithin(room.answer, {
        clock: this.#clock,
        ms: HOLD_MS,
        signal,
      });
      return isHere
        ? { kind: "answer", answer: await room.answer }
        : { kind: "late" };
    } finally {
      room.waiting--;
      this.#waiting--;
      if (room.waiting === 0) this.#close(task, room);
    }
  }

  #open(
    task: object,
    watch: (signal: AbortSignal) => Promise<T>,
  ): Room<T> {
    const end = new AbortController();
    const room = { answer: watch(end.signal), end, waiting: 0 };
    this.#rooms.set(task, room);
    const close = (): void => this.#close(task, room);
    // Who comes later asks anew. A failure is told to those who wait.
    room.answer.then(close, close);
    return room;
  }

  #close(task: object, room: Room<T>): void {
    if (this.#rooms.get(task) === room) this.#rooms.delete(task);
    room.end.abort();
  }
}
