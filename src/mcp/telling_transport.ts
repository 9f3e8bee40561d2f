/**
 * The SDK's transport over HTTP, at half the cost where a thousand clients are told the same.
 *
 * For each message its `send` parses four times, in vain, whether it is an answer, which costs 40 µs, more than all else
 * together, and makes its text for each client anew. What is told unasked is no answer, and its text is made once here.
 *
 * @module
 */

import {
  type EventStore,
  type JSONRPCMessage,
  WebStandardStreamableHTTPServerTransport,
} from "./sdk.ts";

type SendOptions = Parameters<
  WebStandardStreamableHTTPServerTransport["send"]
>[1];

/** The stream of what is told unasked, as SDK 1.32 has it. */
interface ToldStream {
  readonly controller?: ReadableStreamDefaultController<Uint8Array>;
  readonly encoder?: TextEncoder;
  /** Events that were sent when the client came back for them. */
  readonly replayedEventIds?: ReadonlySet<string>;
}

/** What SDK 1.32 keeps to itself. */
interface Inside {
  readonly _eventStore?: EventStore;
  readonly _standaloneSseStreamId?: string;
  readonly _streamMapping?: ReadonlyMap<string, ToldStream>;
}

/** Text of parameters that are the same object for many connections. */
export type ToldTexts = WeakMap<object, string>;

/** See the module. Does as the SDK's does, and leaves to it what it does not know. */
export class TellingTransport extends WebStandardStreamableHTTPServerTransport {
  readonly #texts: ToldTexts;

  /** @param texts Of all transports that are told the same. */
  constructor(
    options: ConstructorParameters<
      typeof WebStandardStreamableHTTPServerTransport
    >[0],
    texts: ToldTexts,
  ) {
    super(options);
    this.#texts = texts;
  }

  override async send(
    message: JSONRPCMessage,
    options?: SendOptions,
  ): Promise<void> {
    const {
      _eventStore: store,
      _standaloneSseStreamId: streamId,
      _streamMapping: streams,
    } = this as unknown as Inside;
    const isTold = "method" in message && !("id" in message) &&
      options?.relatedRequestId === undefined;
    const isKnown = streamId !== undefined && streams instanceof Map;
    if (!isTold || !isKnown) return await super.send(message, options);
    // Kept also while nobody listens, for who comes back.
    const eventId = await store?.storeEvent(streamId, message);
    const { controller, encoder, replayedEventIds } = streams.get(streamId) ??
      {};
    if (controller === undefined || encoder === undefined) return;
    if (eventId !== undefined && replayedEventIds?.has(eventId)) return;
    const id = eventId === undefined ? "" : `id: ${eventId}\n`;
    const event = `event: message\n${id}data: ${this.#textOf(message)}\n\n`;
    try {
      controller.enqueue(encoder.encode(event));
    } catch (error) {
      // Closed by the client just now.
      if (!(error instanceof TypeError)) throw error;
      this.onerror?.(error);
    }
  }

  #textOf(message: JSONRPCMessage): string {
    const { method, params } = message as {
      readonly method: string;
      readonly params?: object;
    };
    if (params === undefined || !Object.isFrozen(params)) {
      return JSON.stringify(message);
    }
    const known = this.#texts.get(params) ?? JSON.stringify(params);
    this.#texts.set(params, known);
    return `{"jsonrpc":"2.0","method":${
      JSON.stringify(method)
    },"params":${known}}`;
  }
}
