/**
 * What a provider's program tells of itself over HTTP on loopback. Not `fetch`, which obeys the variables that name a
 * proxy.
 *
 * @module
 */

import { type ClientRequest, type IncomingMessage, request } from "node:http";

/** More than any of these programs answers. */
const MAX_BODY_BYTES = 64 * 1024;

/** It answers from memory. */
const ANSWER_LIMIT_MS = 2_000;

/**
 * The JSON of `http://127.0.0.1:PORT/PATH`.
 *
 * @returns Null if there is no answer yet, or another one than JSON with status 200.
 * @throws The signal's reason, if it aborts.
 */
export async function askProgram(
  port: number,
  path: string,
  signal: AbortSignal,
): Promise<unknown> {
  signal.throwIfAborted();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_LIMIT_MS)]);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  let asked: ClientRequest | null = null;
  const abort = () => {
    asked?.destroy();
    reject(limit.reason);
  };
  limit.addEventListener("abort", abort, { once: true });
  try {
    asked = request({ host: "127.0.0.1", port, path, agent: false });
    asked.on("error", () => resolve(null));
    asked.on("response", (response) => {
      jsonOf(response).then(resolve, () => resolve(null));
    });
    asked.end();
    return await promise;
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) return null;
    throw error;
  } finally {
    limit.removeEventListener("abort", abort);
    asked?.destroy();
  }
}

async function jsonOf(response: IncomingMessage): Promise<unknown> {
  if (response.statusCode !== 200) return null;
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response) {
    const bytes: Uint8Array = chunk;
    text += decoder.decode(bytes, { stream: true });
    if (text.length > MAX_BODY_BYTES) return null;
  }
  return JSON.parse(text);
}
