/**
 * Reads what a client posts, within bounds for each request and for all of them.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { DeadlineError, withDeadline } from "../kit/deadline.ts";
import { refusal } from "./refusal.ts";
import { RPC_ERROR } from "./rpc_error.ts";

/** Bytes of one request's body. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Bytes of bodies that are being read at a time. */
const MAX_READING_BYTES = 64 * 1024 * 1024;

/** How long a body may take. */
const BODY_MS = 30_000;

/** What was posted, or the answer to who posted it. */
export type Reading =
  | { readonly kind: "message"; readonly message: unknown }
  | { readonly kind: "refused"; readonly response: Response };

/** See the module. */
export class MessageReader {
  readonly #clock: Clock;
  #readingBytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Reads a body as JSON. Never rejects: a body that breaks off, or takes 30 s, is refused like one that is too long. */
  async read(request: Request, signal: AbortSignal): Promise<Reading> {
    const declared = Number(request.headers.get("content-length") ?? 0);
    if (declared > MAX_BODY_BYTES) {
      void request.body?.cancel();
      return tooLong();
    }
    let text: string | null;
    try {
      text = await withDeadline(
        { clock: this.#clock, ms: BODY_MS, signal },
        (until) => this.#text(request, until),
      );
    } catch (error) {
      if (error instanceof OverloadedError) {
        return refused(503, "Too much is being sent", { "retry-after": "1" });
      }
      if (error instanceof DeadlineError) {
        return refused(408, "The body took too long");
      }
      // Whoever broke off does not read this.
      return refused(400, "The body broke off");
    }
    if (text === null) return tooLong();
    try {
      return { kind: "message", message: JSON.parse(text) };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const response = refusal(400, "Parse error: Invalid JSON", {
        code: RPC_ERROR.parse,
      });
      return { kind: "refused", response };
    }
  }

  /** Null = too long. */
  async #text(request: Request, signal: AbortSignal): Promise<string | null> {
    if (request.body === null) return "";
    const reader = request.body.getReader();
    const stop = (): void => void reader.cancel(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    const decoder = new TextDecoder();
    let text = "";
    let size = 0;
    try {
      while (true) {
        const { done, value } = await reader.read();
        signal.throwIfAborted();
        if (done) return text + decoder.decode();
        size += value.length;
        this.#readingBytes += value.length;
        if (size > MAX_BODY_BYTES) {
          // Drained and dropped: many clients read no answer before they have sent everything.
          void reader.cancel();
          return null;
        }
        if (this.#readingBytes > MAX_READING_BYTES) {
          throw new OverloadedError("Too many bytes at a time");
        }
        text += decoder.decode(value, { stream: true });
      }
    } finally {
      this.#readingBytes -= size;
      signal.removeEventListener("abort", stop);
    }
  }
}

class OverloadedError extends Error {
  override readonly name = "OverloadedError";
}

function tooLong(): Reading {
  return refused(
    413,
    `Payload Too Large: Request body must not exceed ${MAX_BODY_BYTES} bytes`,
  );
}

function refused(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reading {
  return { kind: "refused", response: refusal(status, message, { headers }) };
}
