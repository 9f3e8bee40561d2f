/**
 * A frame that comes in, checked as far as that is possible without knowing what it asks for.
 *
 * @module
 */

import type { Json, JsonObject } from "../kit/json.ts";
import { Refusal } from "./refusal.ts";

/** Values within values. More is nothing that any command takes, and recursion over it would end in a stack overflow. */
const MAX_DEPTH = 32;

/** What connects an answer to its question. */
export type RequestId = string | number;

/** A question. */
export interface RequestFrame {
  /** Undefined = the asker takes answers in the order of its questions. */
  readonly id: RequestId | undefined;
  readonly command: string;
  readonly params: JsonObject;
}

/** A frame that is none, with what can be told of it all the same. */
export interface BrokenFrame {
  readonly id: RequestId | undefined;
  readonly command: string | null;
  readonly refusal: Refusal;
}

/** Reads a text. */
export function parseFrame(text: string): RequestFrame | BrokenFrame {
  const value = parseJson(text);
  if (value === undefined) return broken("invalid_json", "it is not JSON");
  if (depthExceeds(value, MAX_DEPTH)) {
    return broken("invalid_json", `it is more than ${MAX_DEPTH} levels deep`);
  }
  if (!isObject(value)) return broken("invalid_request", "it is no object");
  const { id, command = null, params = {} } = value;
  if (!isId(id)) {
    return broken("invalid_request", "its id is neither text nor a number");
  }
  if (command === null) {
    const refusal = new Refusal(
      "unknown_command",
      "Cannot answer: the frame names no command",
    );
    return { id, command, refusal };
  }
  if (typeof command !== "string") {
    return broken("invalid_request", "its command is no text", id);
  }
  // Scripts of the original send null for none.
  const given = params ?? {};
  if (isObject(given)) return { id, command, params: given };
  return {
    ...broken("invalid_request", "its params are no object", id),
    command,
  };
}

function broken(
  slug: "invalid_json" | "invalid_request",
  reason: string,
  id?: RequestId,
): BrokenFrame {
  return {
    id,
    command: null,
    refusal: new Refusal(slug, `Cannot read frame: ${reason}`),
  };
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

function isId(value: Json | undefined): value is RequestId | undefined {
  return value === undefined || typeof value === "string" ||
    typeof value === "number";
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Without recursion, and no further than it must. */
function depthExceeds(value: Json, limit: number): boolean {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((each) =>
      typeof each === "object" && each !== null ? Object.values(each) : []
    );
  }
  return false;
}
