/**
 * Sends the answer of a task on to the client, as a stream.
 *
 * @module
 */

import type { IncomingMessage } from "node:http";
import { endToEndHeaders, hasField, valuesOf } from "./end_to_end_headers.ts";
import type { Exchange } from "./exchange.ts";

/** Answers that end with their head (RFC 9110 §6.4.1). */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/** Belongs to chunked framing. */
const TRAILER: ReadonlySet<string> = new Set(["trailer"]);

/**
 * Relays the head and then the body: no more of it than the client takes, and not as whole unless it was.
 *
 * @param done Called when the task has nothing more to say, or broke off.
 * @throws {TypeError} If the head cannot be sent on. Nothing was sent then.
 * @throws {RangeError} If its status cannot.
 */
export function relayAnswer(
  exchange: Exchange,
  answer: IncomingMessage,
  done: () => void,
): void {
  const { statusCode: status = 0 } = answer;
  if (status < 200) throw new RangeError(`${status} is no answer`);
  const length = bodyLength(exchange.method, answer);
  const isChunked = length === null;
  exchange.respond({
    status,
    message: answer.statusMessage ?? "",
    headers: endToEndHeaders(
      answer.rawHeaders,
      isChunked ? undefined : TRAILER,
    ),
    hasBody: length !== 0,
    mayHaveTrailers: isChunked,
  });
  if (length === 0) exchange.end(null, []);
  // What came with the head is in the buffer by then, and takes it along.
  else queueMicrotask(() => answer.readableLength === 0 && exchange.flush());
  let missing = length;
  answer.on("data", (chunk: Uint8Array) => {
    if (missing !== null) missing -= chunk.length;
    // Said with the last bytes, not after them: a frame less, and no write of nothing.
    if (missing === 0) exchange.end(chunk, []);
    else if (!exchange.write(chunk)) {
      answer.pause();
      // Not one listener for all: it would tie each answer to the connection, and with it the next ones, so that they all
      // outlive young collections.
      exchange.onceDrained(() => answer.resume());
    }
  });
  answer.on("end", () => {
    if (missing === null) {
      exchange.end(null, endToEndHeaders(answer.rawTrailers));
    }
    done();
  });
  answer.on("error", () => exchange.abort());
  answer.on("close", () => {
    if (!answer.complete) exchange.abort();
    done();
  });
}

/** Bytes of the body; null = it says itself where it ends. */
function bodyLength(method: string, answer: IncomingMessage): number | null {
  if (method === "HEAD" || BODILESS.has(answer.statusCode ?? 0)) return 0;
  if (hasField(answer.rawHeaders, "transfer-encoding")) return null;
  // Not from the parsed headers, which cost more than all of this. The parser refuses an answer with two.
  const [length] = valuesOf(answer.rawHeaders, "content-length");
  return length === undefined ? null : Number(length);
}
