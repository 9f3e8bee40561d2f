/**
 * One request of a client and the answer to it, whichever protocol the client speaks.
 *
 * @module
 */

import type { Readable } from "node:stream";
import type { Departure } from "./departure.ts";
import type { RawHeaders } from "./end_to_end_headers.ts";
import type { RequestTarget } from "./request_target.ts";
import type { Refusal } from "./router.ts";

/** The head of an answer, fields of the upstream's hop already removed. */
export interface AnswerHead {
  readonly status: number;
  /** Reason phrase; HTTP/2 has none. */
  readonly message: string;
  readonly headers: RawHeaders;
  /** Whether anything follows the head. */
  readonly hasBody: boolean;
  /** Whether trailers may follow the body. */
  readonly mayHaveTrailers: boolean;
}

/** See the module. The answer is one `respond`, then writes, then one `end`; or one `refuse`; or `abort` at any time. */
export interface Exchange {
  readonly method: string;
  /** Null if the request names no target that can be served. */
  readonly target: RequestTarget | null;
  /** As received, pseudo-header fields included. */
  readonly headers: RawHeaders;
  /** Address of the client. */
  readonly client: string;
  /** The body, if there is one. Ends without an error only if it is whole. */
  readonly body: Readable | null;
  /** Trailers of the body; whole when it has ended. */
  readonly trailers: RawHeaders;
  /** Whether an answer 304 should be avoided. */
  readonly avoidsNotModified: boolean;
  /** Whether the client goes away before the answer is complete. */
  readonly departure: Departure;
  /** Whether a head was sent, or a refusal. */
  readonly isAnswered: boolean;
  /** Passes an interim answer (1xx) on, if this client can take it. */
  inform(status: number, headers: RawHeaders): void;
  /**
   * Sends the head, if possible together with the first bytes of the body.
   *
   * @throws {TypeError} On fields that cannot be sent.
   */
  respond(head: AnswerHead): void;
  /** Sends the head now: the body takes its time. */
  flush(): void;
  /** @returns False if no more should come before there is room again. */
  write(chunk: Uint8Array): boolean;
  /** Has `drained` called once, when there is room again. To be asked for only when there is none. */
  onceDrained(drained: () => void): void;
  /** Completes the answer. */
  end(last: Uint8Array | null, trailers: RawHeaders): void;
  /** Answers without a task. */
  refuse(refusal: Refusal): void;
  /** Ends the answer so that the client knows that it is not whole. */
  abort(): void;
}
