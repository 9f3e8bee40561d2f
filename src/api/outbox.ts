/**
 * What goes out to a client, bounded: a socket takes whatever it is given, and keeps what the client does not read.
 *
 * That backlog is memory of its own, outside the heap; only its size can be asked for. So who feeds a client looks here
 * first, and waits here until the client has read.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { Timer } from "../kit/timer.ts";

/** Bytes that may wait for a client before nothing that it subscribed to is added. */
export const HIGH_WATER_BYTES = 1024 * 1024;

/** Bytes down to which they must be read before more is added. */
const LOW_WATER_BYTES = 256 * 1024;

/** Bytes of answers that may wait. Whoever asks on and on without reading is sent away. */
const MOST_WAITING_BYTES = 32 * 1024 * 1024;

/** How long a client may leave more than it should unread. */
const STALL_MS = 30_000;

const LOOK_MS = 20;

/** The code with which a client is sent away that does not read. */
const TOO_SLOW = 1008;

/** The part of a `WebSocket` that is used. */
export interface Sink {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(text: string): void;
  close(code: number, reason: string): void;
}

interface Waiter {
  readonly outbox: Outbox;
  /** Bytes that must have gone out, counted from the beginning. */
  readonly mark: number;
  readonly since: number;
  /** Whether the client must be this far in {@linkcode STALL_MS}. */
  readonly isUrgent: boolean;
  resolve(hasArrived: boolean): void;
}

/** Looks after all clients that somebody waits for. Costs nothing while nobody does. */
export class OutboxWatch {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();
  readonly #timer = new Timer(() => this.#look());

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when the bytes have gone out, or, with false, when the client is gone. */
  wait(
    outbox: Outbox,
    mark: number,
    { isUrgent }: { readonly isUrgent: boolean },
  ): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const since = this.#clock.monotonic();
    this.#waiters.add({ outbox, mark, since, isUrgent, resolve });
    this.#timer.arm(LOOK_MS);
    return promise;
  }

  #look(): void {
    const now = this.#clock.monotonic();
    for (const waiter of this.#waiters) {
      const { outbox, mark, since, isUrgent, resolve } = waiter;
      const hasArrived = outbox.gone >= mark;
      if (!hasArrived && outbox.isOpen) {
        if (isUrgent && now - since >= STALL_MS) outbox.sendAway();
        else continue;
      }
      this.#waiters.delete(waiter);
      resolve(hasArrived);
    }
    if (this.#waiters.size > 0) this.#timer.arm(LOOK_MS);
  }
}

/** The outgoing side of one connection. */
export class Outbox {
  readonly #socket: Sink;
  readonly #watch: OutboxWatch;
  #given = 0;
  #isSentAway = false;
  #room: Promise<boolean> | null = null;

  constructor(socket: Sink, watch: OutboxWatch) {
    this.#socket = socket;
    this.#watch = watch;
  }

  /** Whether what is sent now can still arrive. */
  get isOpen(): boolean {
    return !this.#isSentAway && this.#socket.readyState === WebSocket.OPEN;
  }

  /** Whether the client has to read before more of what it subscribed to is sent. */
  get isFull(): boolean {
    return this.#socket.bufferedAmount > HIGH_WATER_BYTES;
  }

  /** Bytes that have gone out since the beginning. */
  get gone(): number {
    return this.#given - this.#socket.bufferedAmount;
  }

  /** Sends, in order; never waits. @returns False if the connection is over, or is ended because the client does not read. */
  send(text: string): boolean {
    if (!this.isOpen) return false;
    const before = this.#socket.bufferedAmount;
    if (before > MOST_WAITING_BYTES) {
      this.sendAway();
      return false;
    }
    this.#socket.send(text);
    this.#given += this.#socket.bufferedAmount - before;
    return true;
  }

  /** Resolves when everything sent until now has gone out; false = it never will. */
  async flushed(): Promise<boolean> {
    return await this.#watch.wait(this, this.#given, { isUrgent: false });
  }

  /** Resolves at once unless the client has to read first; false = it is gone, or was sent away for not reading. */
  async room(): Promise<boolean> {
    if (!this.isFull) return this.isOpen;
    const mark = this.#given - LOW_WATER_BYTES;
    this.#room ??= this.#watch.wait(this, mark, { isUrgent: true })
      .finally(() => this.#room = null);
    return await this.#room;
  }

  /** Ends the connection of a client that does not read. What is unread is freed when the port lets go of it. */
  sendAway(): void {
    this.close(TOO_SLOW, "reads too slowly");
  }

  /** Ends the connection; idempotent. */
  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.#isSentAway = true;
    this.#socket.close(code, reason);
  }
}
