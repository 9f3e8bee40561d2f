/**
 * A request at a public gate: answered under the public name of its task.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { AnswerHead } from "./exchange.ts";
import type { RawHeaders } from "./end_to_end_headers.ts";
import { Http1Exchange } from "./http1_exchange.ts";
import {
  answerFields,
  type PublicNames,
  trailerFields,
} from "./public_headers.ts";
import { publicAnswer, type PublicWords, unavailable } from "./public_pages.ts";
import type { RefusalResponse } from "./refusal_response.ts";
import type { GateVerdict } from "../domain/request_line.ts";
import type { Refusal } from "./router.ts";

/** Status of a request whose visitor went away before it was answered. */
export const GONE = 499;

/** How much of a body is read for which there is an answer already. */
const MAX_DISCARDED_BYTES = 1024 * 1024;

/** See the module. */
export class PublicExchange extends Http1Exchange {
  readonly #request: IncomingMessage;
  readonly #options: {
    readonly names: PublicNames;
    readonly isGuarded: boolean;
  };
  /** How it was answered. */
  status: number = GONE;
  /** What became of it. */
  verdict: GateVerdict = "failed";

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    options: { readonly names: PublicNames; readonly isGuarded: boolean },
  ) {
    super(request, response);
    this.#request = request;
    this.#options = options;
  }

  /** What must not stand before the body must not come behind it either. */
  override get trailers(): RawHeaders {
    return trailerFields(super.trailers);
  }

  override respond(head: AnswerHead): void {
    super.respond({
      ...head,
      headers: answerFields(head.headers, this.#options),
    });
    this.status = head.status;
    this.verdict = "passed";
  }

  /** The task cannot answer. */
  override refuse(refusal: Refusal): void {
    this.tell(unavailable(refusal), "failed");
  }

  override say(answer: RefusalResponse): void {
    super.say(answer);
    this.#discardBody();
    this.status = answer.status;
  }

  override abort(): void {
    super.abort();
    this.verdict = "failed";
  }

  /** Nobody sends us without end what nobody takes. */
  #discardBody(): void {
    let size = 0;
    this.body?.on("data", (chunk: Uint8Array) => {
      size += chunk.length;
      if (size > MAX_DISCARDED_BYTES) this.#request.socket.destroy();
    });
  }

  /** Answers without the task. */
  tell(words: PublicWords, verdict: GateVerdict): void {
    this.say(publicAnswer(this.#request.headers, words));
    this.verdict = verdict;
  }
}
