/**
 * Requests to a server of this machine that no proxy of the environment sees: `fetch` gives those of plain HTTP to
 * whatever `HTTP_PROXY` names, for loopback as well.
 *
 * @module
 */

import { type IncomingMessage, request } from "node:http";

/** What is asked. */
export interface LocalRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** An answer whose body is still to come. */
export interface LocalAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Asks; redirects are not followed. The signal ends the body as well.
 *
 * @param address Of plain HTTP.
 * @throws {TypeError} If there is no answer, with the reason as its cause.
 * @throws The signal's reason, if it aborts.
 */
export async function localFetch(
  address: string,
  { method, headers, body }: LocalRequest,
  signal: AbortSignal,
): Promise<LocalAnswer> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asked = request(address, { method, headers, agent: false });
  const fail = (error: Error): void =>
    reject(new TypeError("fetch failed", { cause: error }));
  const abort = (): void => {
    reject(signal.reason);
    asked.destroy();
  };
  signal.addEventListener("abort", abort, { once: true });
  asked.on("error", fail);
  asked.on("response", resolve);
  asked.on("close", () => {
    signal.removeEventListener("abort", abort);
    fail(new Error("the connection ended without an answer"));
  });
  asked.end(body);
  const answer = await promise;
  const fields = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) {
    if (typeof value === "string") fields.set(name, value);
  }
  return {
    status: answer.statusCode ?? 0,
    headers: fields,
    body: bodyOf(answer, signal),
  };
}

async function* bodyOf(
  answer: IncomingMessage,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of answer) yield chunk as Uint8Array;
    signal.throwIfAborted();
  } catch (error) {
    signal.throwIfAborted();
    throw new TypeError("fetch failed", { cause: error });
  }
}
