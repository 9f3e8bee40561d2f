/**
 * Requests of a session that are under way, and what becomes of their answers.
 *
 * An answer that carries what is new to its caller counts as arrived once the connection has taken it, or, if the
 * connection is gone, when it is kept for a client that can come back for it. In any other case it was lost.
 *
 * @module
 */

import type { Settle } from "../domain/recent_events.ts";
import type { RequestId } from "./sdk.ts";
import type { BoundedStream } from "./bounded_stream.ts";

/** What one HTTP request asked. */
interface Exchange {
  /** Without an answer yet. */
  readonly open: Set<RequestId>;
  /** What takes the answers to the client; null = not yet, or no more. */
  carrier: BoundedStream | null;
  /** Whether it has no carrier any more. */
  isCutOff: boolean;
}

interface Untold {
  readonly exchange: Exchange;
  readonly settles: readonly Settle[];
}

/** See the module. */
export class Exchanges {
  readonly #byRequest = new Map<RequestId, Exchange>();
  readonly #news = new Map<RequestId, Settle[]>();
  /** By the event that the answer is. */
  readonly #untold = new Map<string, Untold>();
  /** Requests that the client withdrew and wants no answer to. */
  readonly #withdrawn = new Set<RequestId>();
  /** What clients came back for, by stream. */
  readonly #resumed = new Map<string, BoundedStream>();
  readonly #canGiveAgain: (eventId: string) => boolean;

  /** @param canGiveAgain Whether a client that comes back still gets this event. */
  constructor(canGiveAgain: (eventId: string) => boolean) {
    this.#canGiveAgain = canGiveAgain;
  }

  /** Requests without an answer. */
  get ids(): readonly RequestId[] {
    return [...this.#byRequest.keys()];
  }

  /** How many they are. */
  get size(): number {
    return this.#byRequest.size;
  }

  /** Whether such a request is under way. */
  has(id: RequestId): boolean {
    return this.#byRequest.has(id);
  }

  /** Requests came, in one HTTP request. */
  begin(ids: readonly RequestId[]): Exchange {
    const exchange = { open: new Set(ids), carrier: null, isCutOff: false };
    for (const id of ids) this.#byRequest.set(id, exchange);
    return exchange;
  }

  /** They were refused. */
  refuse({ open }: Exchange): void {
    for (const id of open) {
      this.#byRequest.delete(id);
      this.lose(id);
    }
  }

  /** This takes the answers to the client. */
  carry(exchange: Exchange, carrier: BoundedStream): void {
    exchange.carrier = carrier;
  }

  /** The client came back for a stream. */
  resume(stream: string, carrier: BoundedStream): void {
    this.#resumed.set(stream, carrier);
  }

  /** What carries a stream that the client came back for; null = nothing. */
  carrierOf(stream: string): BoundedStream | null {
    return this.#resumed.get(stream) ?? null;
  }

  /** The answer to a request will carry news. */
  expectNews(id: RequestId, settle: Settle): void {
    if (!this.#byRequest.has(id)) {
      settle(false);
      return;
    }
    const settles = this.#news.get(id);
    if (settles === undefined) this.#news.set(id, [settle]);
    else settles.push(settle);
  }

  /** The client withdrew a request. @returns Whether its stream has nothing else to say, and so ends without an answer. */
  withdraw(id: RequestId): boolean {
    this.lose(id);
    const isLast = this.#byRequest.get(id)?.open.size === 1;
    if (isLast) this.#withdrawn.add(id);
    return isLast;
  }

  /** Whether the answer to a request is for nobody. */
  isWithdrawn(id: RequestId): boolean {
    return this.#withdrawn.has(id);
  }

  /** The answer to a request will not carry its news. */
  lose(id: RequestId): void {
    const settles = this.#news.get(id) ?? [];
    this.#news.delete(id);
    for (const settle of settles) settle(false);
  }

  /** A request was answered. @returns Whether it was the last of its exchange. */
  answered(
    { requestId, stream, eventId }: {
      readonly requestId: RequestId;
      readonly stream: string;
      readonly eventId: string;
    },
  ): boolean {
    const exchange = this.#byRequest.get(requestId);
    if (exchange === undefined) return true;
    this.#byRequest.delete(requestId);
    this.#withdrawn.delete(requestId);
    exchange.open.delete(requestId);
    const carrier = this.#resumed.get(stream);
    if (carrier !== undefined) {
      exchange.carrier = carrier;
      exchange.isCutOff = false;
    }
    const settles = this.#news.get(requestId);
    this.#news.delete(requestId);
    if (settles !== undefined) {
      this.#untold.set(eventId, { exchange, settles });
      if (exchange.isCutOff) this.#decide(eventId);
    }
    return exchange.open.size === 0;
  }

  /** A connection has taken an event. */
  taken(eventId: string): void {
    this.#settle(eventId, true);
  }

  /** A carrier is no more. */
  cutOff(carrier: BoundedStream): void {
    for (const [stream, each] of this.#resumed) {
      if (each === carrier) this.#resumed.delete(stream);
    }
    for (const exchange of new Set(this.#byRequest.values())) {
      if (exchange.carrier === carrier) exchange.isCutOff = true;
    }
    for (const [eventId, { exchange }] of this.#untold) {
      if (exchange.carrier === carrier) this.#decide(eventId);
    }
  }

  /** The session is over. */
  loseAll(): void {
    for (const id of [...this.#news.keys()]) this.lose(id);
    for (const id of [...this.#untold.keys()]) this.#settle(id, false);
    this.#byRequest.clear();
    this.#resumed.clear();
  }

  #decide(eventId: string): void {
    this.#settle(eventId, this.#canGiveAgain(eventId));
  }

  #settle(eventId: string, hasArrived: boolean): void {
    const settles = this.#untold.get(eventId)?.settles ?? [];
    this.#untold.delete(eventId);
    for (const settle of settles) settle(hasArrived);
  }
}
