/**
 * The request as a task gets it: which fields, how framed. Pure.
 *
 * @module
 */

import {
  endToEndHeaders,
  fieldsOf,
  hasField,
  type RawHeaders,
  takesTrailers,
  valuesOf,
} from "./end_to_end_headers.ts";
import {
  FORWARDED_NAMES,
  type ForwardedFacts,
  forwardedHeaders,
} from "./forwarded_headers.ts";

/** What the fields are made of. */
export interface UpstreamRequestParts extends ForwardedFacts {
  readonly method: string;
  /** As received, pseudo-header fields included. */
  readonly headers: RawHeaders;
  readonly hasBody: boolean;
  /** Whether the connection may be used again. */
  readonly keepsConnection: boolean;
  /** Whether an answer 304 is to be avoided: the task is not told what the client has already. */
  readonly avoidsNotModified: boolean;
  /** What tells about the client, names and values in turns; without it what {@linkcode forwardedHeaders} says. */
  readonly forwarded?: RawHeaders | undefined;
}

/** Methods with which a body is expected, so that its absence is said (RFC 9110 §8.6). */
const BODY_METHODS: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

const CONDITIONS: readonly string[] = ["if-none-match", "if-modified-since"];

const ALWAYS_DROPPED: ReadonlySet<string> = new Set([
  ...FORWARDED_NAMES,
  "host",
]);

const DROPPED_WITH_CONDITIONS: ReadonlySet<string> = new Set([
  ...ALWAYS_DROPPED,
  ...CONDITIONS,
]);

/**
 * The fields for the task, names and values in turns: those of the client, in their order, after `Host`; those about the
 * client; those of the connection.
 */
export function upstreamHeaders(parts: UpstreamRequestParts): string[] {
  const { headers, authority } = parts;
  const kept = endToEndHeaders(
    headers,
    parts.avoidsNotModified ? DROPPED_WITH_CONDITIONS : ALWAYS_DROPPED,
  );
  return ["Host", authority].concat(
    withOneCookie(kept),
    parts.forwarded ?? forwardedHeaders(headers, parts),
    framing(parts),
    hopHeaders(parts),
  );
}

/** HTTP/2 splits the field to compress it better; HTTP/1 has it once (RFC 9113 §8.2.3). */
function withOneCookie(headers: string[]): string[] {
  const cookies = valuesOf(headers, "cookie");
  if (cookies.length < 2) return headers;
  let isFirst = true;
  return [...fieldsOf(headers)].flatMap(([name, value]) => {
    if (name.toLowerCase() !== "cookie") return [name, value];
    if (!isFirst) return [];
    isFirst = false;
    return [name, cookies.join("; ")];
  });
}

function framing({ method, headers, hasBody }: UpstreamRequestParts): string[] {
  if (hasField(headers, "content-length")) return [];
  if (!hasBody) return BODY_METHODS.has(method) ? ["Content-Length", "0"] : [];
  // Codings before the last one belong to the body, which passes as it is.
  const codings = valuesOf(headers, "transfer-encoding").join(", ");
  return ["Transfer-Encoding", codings === "" ? "chunked" : codings];
}

function hopHeaders(
  { headers, keepsConnection }: UpstreamRequestParts,
): string[] {
  const option = keepsConnection ? "keep-alive" : "close";
  return takesTrailers(headers)
    ? ["TE", "trailers", "Connection", `${option}, TE`]
    : ["Connection", option];
}
