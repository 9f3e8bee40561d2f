/**
 * Which request a message answers.
 *
 * @module
 */

import type { JSONRPCMessage, RequestId } from "./sdk.ts";

/** The request that a message answers, with a result or an error; null if it answers none. */
export function answeredRequest(message: JSONRPCMessage): RequestId | null {
  const isAnswer = "result" in message || "error" in message;
  return isAnswer ? message.id ?? null : null;
}
