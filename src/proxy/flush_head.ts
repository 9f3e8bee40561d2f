/**
 * Sends the head of an HTTP/1.1 message by itself.
 *
 * @module
 */

import type { OutgoingMessage } from "node:http";

interface BytewiseMessage {
  _send(data: string, encoding: "latin1"): void;
}

/**
 * As `flushHeaders`, but each character as the one byte that it was: `flushHeaders` sends fields that are not ASCII as
 * UTF-8, so that what was UTF-8 already is encoded twice. There is no public way to choose.
 */
export function flushHead(message: OutgoingMessage): void {
  if (message.headersSent && isSent(message)) return;
  (message as unknown as BytewiseMessage)._send("", "latin1");
}

function isSent(message: OutgoingMessage): boolean {
  return (message as unknown as { _headerSent: boolean })._headerSent;
}
