/**
 * What a request asks for: the authority it names, and the target as it goes on. Pure.
 *
 * @module
 */

import { type RawHeaders, valuesOf } from "./end_to_end_headers.ts";

/** See the module. */
export interface RequestTarget {
  /** Name and port, as the client wrote them. */
  readonly authority: string;
  /** Path and query, byte by byte as the client sent them; `*` of an OPTIONS request. */
  readonly path: string;
}

/**
 * Reads the target of an HTTP/1 request (RFC 9112 §3.2). The authority of an absolute target counts more than `Host`.
 *
 * @returns Null if it has no or several hosts, or a form that no request to a server has.
 */
export function http1Target(
  url: string,
  raw: RawHeaders,
): RequestTarget | null {
  const hosts = valuesOf(raw, "host");
  const [host] = hosts;
  if (hosts.length > 1 || host === undefined) return null;
  if (url.startsWith("/") || url === "*") return { authority: host, path: url };
  const [, authority, rest] = /^https?:\/\/([^/?#]+)(.*)$/i.exec(url) ?? [];
  if (authority === undefined || rest === undefined) return null;
  return { authority, path: rest.startsWith("/") ? rest : `/${rest}` };
}

/** Reads the target of an HTTP/2 request (RFC 9113 §8.3.1). */
export function http2Target(raw: RawHeaders): RequestTarget | null {
  const authority = valuesOf(raw, ":authority")[0] ?? valuesOf(raw, "host")[0];
  const path = valuesOf(raw, ":path")[0];
  if (authority === undefined || path === undefined) return null;
  return path.startsWith("/") || path === "*" ? { authority, path } : null;
}
