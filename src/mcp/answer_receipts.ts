/**
 * Tells when an answer has left: what is new to a caller counts as told only then.
 *
 * @module
 */

import type { Settle } from "../domain/recent_events.ts";
import { answeredRequest } from "./answered_request.ts";
import type { RequestId, Transport } from "./sdk.ts";

/** See the module. */
export class AnswerReceipts {
  readonly #expected = new Map<RequestId, Settle[]>();

  /** Settles once the answer to a request was taken by the transport, or with false once the signal aborts before that. */
  expect(id: RequestId, settle: Settle, signal: AbortSignal): void {
    if (signal.aborted) {
      settle(false);
      return;
    }
    const settles = this.#expected.get(id);
    if (settles !== undefined) {
      settles.push(settle);
      return;
    }
    this.#expected.set(id, [settle]);
    signal.addEventListener("abort", () => this.#settle(id, false), {
      once: true,
    });
  }

  /** The same transport, watched from now on. */
  watch(transport: Transport): Transport {
    const send = transport.send.bind(transport);
    transport.send = (message, options) => {
      const id = answeredRequest(message);
      const sent = send(message, options);
      return id === null ? sent : this.#await(id, sent);
    };
    return transport;
  }

  async #await(id: RequestId, sent: Promise<void>): Promise<void> {
    try {
      await sent;
    } catch (error) {
      this.#settle(id, false);
      throw error;
    }
    this.#settle(id, true);
  }

  #settle(id: RequestId, hasArrived: boolean): void {
    const settles = this.#expected.get(id) ?? [];
    this.#expected.delete(id);
    for (const settle of settles) settle(hasArrived);
  }
}
