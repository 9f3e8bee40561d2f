/**
 * What was sent over the event streams of a session, so that a client whose connection broke gets the rest.
 *
 * Every message has a number within its stream, and an event's id says number and stream. So a client that comes too late
 * is told exactly how many messages are gone. The last messages are kept, within bounds for a session and for all of them.
 *
 * @module
 */

import { answeredRequest } from "./answered_request.ts";
import { gapNotice } from "./gap_notice.ts";
import { RPC_ERROR } from "./rpc_error.ts";
import type {
  EventStore as SdkEventStore,
  JSONRPCMessage,
  RequestId,
} from "./sdk.ts";

/** Name that the SDK gives to the stream of what answers no request. */
export const EVENTS_STREAM = "_GET_stream";

/** What is kept at most. */
export interface StoreLimits {
  readonly messages: number;
  /** Characters of JSON. The last message is kept however long it is. */
  readonly bytes: number;
  /** Streams of which is known how far they came. */
  readonly streams: number;
}

/** For a session. */
export const STORE_LIMITS: StoreLimits = {
  messages: 512,
  bytes: 1024 * 1024,
  streams: 512,
};

/** Characters of JSON that all sessions keep together. */
const MAX_SHELF_LENGTH = 32 * 1024 * 1024;

const EVENT_ID_REGEXP = /^(\d{1,15})\.([\w-]{1,64})$/;

interface Kept {
  readonly stream: string;
  /** Within its stream, the first is 1. */
  readonly number: number;
  readonly message: JSONRPCMessage;
  readonly bytes: number;
  /** Takes it out of its session's store. */
  drop(): void;
}

interface StreamState {
  /** Messages so far. */
  count: number;
  /** Whether a client may know an event of it, so that keeping messages makes sense. */
  canBeResumed: boolean;
  /** Whether the client took an event of it, and so can come back. */
  hasCursor: boolean;
  /** Whether all its requests are answered. */
  isDone: boolean;
  readonly lostAnswers: { readonly number: number; readonly id: RequestId }[];
}

/** What the stores of all sessions keep, the oldest first. */
export class EventShelf {
  readonly #kept = new Set<Kept>();
  readonly #sizes = new WeakMap<object, number>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number = MAX_SHELF_LENGTH) {
    this.#maxBytes = maxBytes;
  }

  /** Characters of JSON that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Characters of a message as JSON. What is told to many sessions has the same parameters for all of them. */
  sizeOf(message: JSONRPCMessage): number {
    const params = "params" in message ? message.params : undefined;
    const known = params === undefined ? undefined : this.#sizes.get(params);
    if (known !== undefined) return known;
    const size = JSON.stringify(message).length;
    if (params !== undefined) this.#sizes.set(params, size);
    return size;
  }

  /** Adds a message. The oldest of all go until there is room. */
  add(kept: Kept): void {
    this.#kept.add(kept);
    this.#bytes += kept.bytes;
    for (const eldest of this.#kept) {
      if (this.#bytes <= this.#maxBytes || eldest === kept) return;
      eldest.drop();
    }
  }

  /** Takes one out. */
  remove(kept: Kept): void {
    if (this.#kept.delete(kept)) this.#bytes -= kept.bytes;
  }
}

/** What a session's store tells. */
export interface StoreOptions {
  readonly shelf: EventShelf;
  readonly limits?: StoreLimits;
  /** Whether the answer to a request is for nobody, so that it only ends the stream. */
  isWithdrawn(id: RequestId): boolean;
  /** A request was answered, by this event. @returns Whether it was the last one of its stream. */
  onAnswer(answer: {
    readonly requestId: RequestId;
    readonly stream: string;
    readonly eventId: string;
  }): boolean;
}

/** See the module. Its methods return before anything else happens, which is what makes a resumption exact. */
export class EventStore implements SdkEventStore {
  readonly #options: StoreOptions;
  readonly #limits: StoreLimits;
  readonly #kept = new Set<Kept>();
  readonly #streams = new Map<string, StreamState>();
  #bytes = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#limits = options.limits ?? STORE_LIMITS;
  }

  /** Where the stream of events stands: whoever follows it from here gets all that happens from now on. */
  follow(): string {
    const state = this.#state(EVENTS_STREAM);
    state.canBeResumed = true;
    return eventId(state.count, EVENTS_STREAM);
  }

  /** The client has this event. */
  taken(id: string): void {
    const place = this.#parse(id);
    if (place !== null) place.state.hasCursor = true;
  }

  /** Whether the client can still get this event, should it come back. */
  canGiveAgain(id: string): boolean {
    const place = this.#parse(id);
    if (place === null || !place.state.hasCursor) return false;
    return this.#kept.values().some((kept) =>
      kept.stream === place.stream && kept.number === place.number
    );
  }

  /** Of a stream whose requests are all answered, the id of its last event; null for any other. */
  endOf(stream: string): string | null {
    const state = this.#streams.get(stream);
    return state?.isDone ? eventId(state.count, stream) : null;
  }

  /** For the SDK. An empty message stands for the beginning of a stream, and is none. */
  storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    const state = this.#state(stream);
    if (!("jsonrpc" in message)) {
      state.canBeResumed = true;
      return Promise.resolve(eventId(state.count, stream));
    }
    const requestId = answeredRequest(message);
    if (requestId !== null && this.#options.isWithdrawn(requestId)) {
      const eventOfNone = eventId(state.count, stream);
      state.isDone = this.#options.onAnswer({
        requestId,
        stream,
        eventId: eventOfNone,
      });
      return Promise.resolve(eventOfNone);
    }
    const number = ++state.count;
    const id = eventId(number, stream);
    // Nobody can ask for what came before the first event that had an id.
    if (state.canBeResumed) this.#keep({ stream, number, message });
    if (stream !== EVENTS_STREAM) state.canBeResumed = true;
    if (requestId !== null) {
      const answer = { requestId, stream, eventId: id };
      state.isDone = this.#options.onAnswer(answer);
    }
    return Promise.resolve(id);
  }

  /** For the SDK. Undefined = no event of this session. */
  getStreamIdForEventId(id: string): Promise<string | undefined> {
    return Promise.resolve(this.streamOf(id) ?? undefined);
  }

  /** The stream of an event; null = no event of this session, or of one that ended long ago. */
  streamOf(id: string): string | null {
    return this.#parse(id)?.stream ?? null;
  }

  /**
   * For the SDK: sends what came after an event, in order, each once, and instead of what is gone a warning
   * `{ gap: N }` for N messages; an answer that is gone is one with an error.
   */
  async replayEventsAfter(
    lastId: string,
    { send }: {
      send(id: string, message: JSONRPCMessage): Promise<void>;
    },
  ): Promise<string> {
    const place = this.#parse(lastId);
    if (place === null) throw new RangeError(`No event: ${lastId}`);
    const { stream, state } = place;
    state.hasCursor = true;
    let at = place.number;
    const skipTo = async (number: number): Promise<void> => {
      const instead = [
        gapWarning(number - at),
        ...state.lostAnswers
          .filter((each) => each.number > at && each.number <= number)
          .map(({ id }) => lostAnswer(id)),
      ];
      for (const [index, message] of instead.entries()) {
        // Who has the last of them has all.
        const place = index === instead.length - 1 ? number : at;
        await send(eventId(place, stream), message);
      }
      at = number;
    };
    // Until nothing was added meanwhile: what is sent from then on goes to the client at once.
    while (at < state.count) {
      for (const kept of this.#kept) {
        if (kept.stream !== stream || kept.number <= at) continue;
        if (kept.number > at + 1) await skipTo(kept.number - 1);
        await send(eventId(kept.number, stream), kept.message);
        at = kept.number;
      }
      if (at < state.count) await skipTo(state.count);
    }
    return stream;
  }

  /** The session is over. */
  clear(): void {
    for (const kept of this.#kept) this.#options.shelf.remove(kept);
    this.#kept.clear();
    this.#streams.clear();
  }

  #keep(
    { stream, number, message }: Pick<Kept, "stream" | "number" | "message">,
  ): void {
    const kept: Kept = {
      stream,
      number,
      message,
      bytes: this.#options.shelf.sizeOf(message),
      drop: () => this.#drop(kept),
    };
    this.#kept.add(kept);
    this.#bytes += kept.bytes;
    const { messages, bytes } = this.#limits;
    for (const eldest of this.#kept) {
      const isFull = this.#kept.size > messages || this.#bytes > bytes;
      if (!isFull || eldest === kept) break;
      this.#drop(eldest);
    }
    this.#options.shelf.add(kept);
  }

  #drop(kept: Kept): void {
    this.#options.shelf.remove(kept);
    if (!this.#kept.delete(kept)) return;
    this.#bytes -= kept.bytes;
    const id = answeredRequest(kept.message);
    if (id === null) return;
    this.#streams.get(kept.stream)?.lostAnswers.push({
      number: kept.number,
      id,
    });
  }

  #state(stream: string): StreamState {
    const known = this.#streams.get(stream);
    if (known !== undefined) return known;
    const state: StreamState = {
      count: 0,
      canBeResumed: false,
      hasCursor: false,
      isDone: false,
      lostAnswers: [],
    };
    this.#streams.set(stream, state);
    this.#forgetStreams();
    return state;
  }

  /** The oldest that are over go. Those that are not are as many as there are requests. */
  #forgetStreams(): void {
    if (this.#streams.size <= this.#limits.streams) return;
    for (const [stream, { isDone }] of this.#streams) {
      if (!isDone) continue;
      for (const kept of this.#kept) {
        if (kept.stream === stream) this.#drop(kept);
      }
      this.#streams.delete(stream);
      return;
    }
  }

  #parse(id: string): {
    readonly stream: string;
    readonly number: number;
    readonly state: StreamState;
  } | null {
    const [, digits, stream] = EVENT_ID_REGEXP.exec(id) ?? [];
    if (stream === undefined) return null;
    const state = this.#streams.get(stream);
    const number = Number(digits);
    if (state === undefined || number > state.count) return null;
    return { stream, number, state };
  }
}

function eventId(number: number, stream: string): string {
  return `${number}.${stream}`;
}

function gapWarning(gap: number): JSONRPCMessage {
  return {
    jsonrpc: "2.0",
    method: "notifications/message",
    params: { ...gapNotice(gap) },
  };
}

function lostAnswer(id: RequestId): JSONRPCMessage {
  const message = "Cannot give the answer again: it was kept for as long as " +
    "there was room";
  return { jsonrpc: "2.0", id, error: { code: RPC_ERROR.answerLost, message } };
}
