/**
 * What a server tells one client unasked: never waits for the client, and never piles up for it.
 *
 * @module
 */

import type { Notice } from "./catalogue.ts";
import { gapNotice } from "./gap_notice.ts";
import {
  type LoggingLevel,
  LoggingLevelSchema,
  type ServerNotification,
} from "./sdk.ts";

/** Notifications that a transport may have in hand. A client that is slower than that gets a gap. */
export const MAX_IN_HAND = 256;

/** From the least to the worst. */
const LEVELS: readonly LoggingLevel[] = LoggingLevelSchema.options;

/** Hands a notification to the transport; resolves once it has taken it. */
export type SendNotification = (
  notification: ServerNotification,
) => Promise<void>;

/** See the module. */
export class Outbox {
  readonly #send: SendNotification;
  readonly #taken = (): void => void this.#inHand--;
  #inHand = 0;
  #missed = 0;
  /** The least level that the client wants; by default all. */
  level: LoggingLevel = "debug";

  constructor(send: SendNotification) {
    this.#send = send;
  }

  /** Sends, or not if the transport has too much in hand. @returns Whether it was sent. */
  send(
    notification: ServerNotification,
    via: SendNotification = this.#send,
  ): boolean {
    if (this.#inHand >= MAX_IN_HAND) return false;
    this.#inHand++;
    // A transport that is gone ends the connection by itself.
    via(notification).then(this.#taken, this.#taken);
    return true;
  }

  /** Sends a notice that the client's level lets through; those that cannot be sent are told as a gap. */
  notice(notice: Notice, via?: SendNotification): void {
    if (LEVELS.indexOf(notice.level) < LEVELS.indexOf(this.level)) return;
    const method = "notifications/message";
    if (this.#missed > 0) {
      const params = gapNotice(this.#missed);
      if (this.send({ method, params })) this.#missed = 0;
    }
    if (!this.send({ method, params: notice }, via)) this.#missed++;
  }
}
