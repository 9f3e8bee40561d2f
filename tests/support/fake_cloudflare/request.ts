/**
 * A request to the fake Cloudflare API, as its routes see it.
 *
 * @module
 */

import type { IncomingMessage } from "node:http";
import { Refusal } from "./answers.ts";
import { findToken } from "./tokens.ts";
import type { FakeToken, FakeWorld } from "./world.ts";

/** Below which everything lies. */
export const BASE_PATH = "/client/v4";

/** See the module. */
export interface ApiRequest {
  readonly method: string;
  /** Below the base. */
  readonly path: string;
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly token: FakeToken | null;
  /** Empty where there is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** @throws {Refusal} If nobody asks, or what is sent is no object of JSON. */
export function readApiRequest(
  world: FakeWorld,
  request: IncomingMessage,
  text: string,
): ApiRequest {
  const url = new URL(request.url ?? "/", "http://fake");
  const path = url.pathname.slice(BASE_PATH.length);
  return {
    method: request.method ?? "GET",
    path,
    segments: path.split("/").slice(1),
    query: url.searchParams,
    token: findToken(world, request.headers.authorization),
    body: parse(text),
  };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  if (text === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Refusal(400, {
    code: 9207,
    message: "Request body is invalid.",
  });
}
