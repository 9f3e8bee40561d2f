/**
 * Reads a request's JSON body, bounded.
 *
 * @module
 */
import { HttpError } from "./http_error.ts";

const MAX_BODY_BYTES = 64 * 1024;

/**
 * The parsed body, of which at most 64 KiB are read.
 *
 * @throws {HttpError} 415 `not_json`, 413 `too_large`, 400 `bad_json`.
 */
export async function readJsonBody(request: Request): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim();
  if (type !== "application/json") {
    throw new HttpError(415, "not_json", {
      message: "The body must be of type application/json",
    });
  }
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) {
      throw new HttpError(413, "too_large", {
        message: `The body must not exceed ${MAX_BODY_BYTES} bytes`,
      });
    }
    text += decoder.decode(chunk, { stream: true });
  }
  text += decoder.decode();
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new HttpError(400, "bad_json", {
      message: `The body is not JSON: ${error.message}`,
    });
  }
}
