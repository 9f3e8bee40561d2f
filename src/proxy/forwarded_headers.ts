/**
 * What a task is told of the client behind the proxy: `X-Forwarded-*` and `Forwarded` (RFC 7239). Pure.
 *
 * A client on this machine is believed: it could as well ask the task itself, and it may be a tunnel that says for whom
 * it asks. What it sent is completed (`For`, `Forwarded`) or left (`Proto`, `Host`, `Port`). What any other client sent
 * is replaced.
 *
 * @module
 */

import { type RawHeaders, valuesOf } from "./end_to_end_headers.ts";

/** What the proxy knows of a request. */
export interface ForwardedFacts {
  /** Address of the client. */
  readonly client: string;
  /** Name and port the client asked for, as it wrote them. */
  readonly authority: string;
}

/** In lower case. The proxy writes them anew. */
export const FORWARDED_NAMES: ReadonlySet<string> = new Set([
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
]);

const HTTPS_PORT = "443";

/** The fields to send instead of those in {@linkcode FORWARDED_NAMES}, names and values in turns. */
export function forwardedHeaders(
  raw: RawHeaders,
  facts: ForwardedFacts,
): string[] {
  const client = plainAddress(facts.client);
  const sent = isLoopback(client)
    ? (name: string) => valuesOf(raw, name)
    : () => [];
  const first = (name: string, own: string): string => sent(name)[0] ?? own;
  const element = `for=${nodeOf(client)};host=${
    quoted(facts.authority)
  };proto=https`;
  const port = /:(\d+)$/.exec(facts.authority)?.[1] ?? HTTPS_PORT;
  return [
    "X-Forwarded-For",
    [...sent("x-forwarded-for"), client].join(", "),
    "X-Forwarded-Proto",
    first("x-forwarded-proto", "https"),
    "X-Forwarded-Host",
    first("x-forwarded-host", facts.authority),
    "X-Forwarded-Port",
    first("x-forwarded-port", port),
    "Forwarded",
    [...sent("forwarded"), element].join(", "),
  ];
}

/** An IPv4 address that was mapped into IPv6 is an IPv4 address again. */
function plainAddress(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^127\.\d+\.\d+\.\d+$/.test(address);
}

/** RFC 7239 §6: an IPv6 address is in brackets and in quotes. */
function nodeOf(address: string): string {
  return address.includes(":") ? `"[${address}]"` : address;
}

/** A token as it is, anything else as a quoted string. */
function quoted(value: string): string {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value)
    ? value
    : `"${value.replace(/["\\]/g, "\\$&")}"`;
}
