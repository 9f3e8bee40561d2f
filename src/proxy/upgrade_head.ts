/**
 * The heads of an upgrade: the request as the task gets it, and the answer as the client does (RFC 9110 §7.8).
 *
 * Pure.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  endToEndHeaders,
  fieldsOf,
  type RawHeaders,
  valuesOf,
} from "./end_to_end_headers.ts";
import {
  FORWARDED_NAMES,
  type ForwardedFacts,
  forwardedHeaders,
} from "./forwarded_headers.ts";

/** Largest head of an answer, in bytes. */
export const MAX_ANSWER_HEAD_BYTES = 64 * 1024;

/** Fields that do not go beyond the connection of an answer. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "upgrade",
]);

/** Fields of the request that are written anew. */
const REPLACED: ReadonlySet<string> = new Set([...FORWARDED_NAMES, "host"]);

/** Protocols that would take the connection out of HTTP/1.1 without being a tunnel. */
const HTTP_PROTOCOL_REGEXP = /^(?:h2c?|http\b.*)$/i;

const ANSWER_REGEXP = /^HTTP\/1\.[01] ([1-9]\d\d)(?: |\r\n)/;

/** A request that asks for another protocol. */
export interface UpgradeRequest extends ForwardedFacts {
  readonly method: string;
  readonly path: string;
  /** As received. */
  readonly headers: RawHeaders;
  /** What tells about the client, names and values in turns; without it what {@linkcode forwardedHeaders} says. */
  readonly forwarded?: RawHeaders;
}

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** Bytes of it, with the empty line. */
  readonly length: number;
  /** Its bytes as characters. */
  readonly text: string;
}

/** The protocols asked for that a tunnel can carry, as one field value; null if there is none, as with `h2c`. */
export function askedProtocol(headers: RawHeaders): string | null {
  const asked = valuesOf(headers, "upgrade")
    .flatMap((value) => value.split(","))
    .map((protocol) => protocol.trim())
    .filter((protocol) =>
      protocol !== "" && !HTTP_PROTOCOL_REGEXP.test(protocol)
    );
  return asked.length === 0 ? null : asked.join(", ");
}

/**
 * The head that the task gets. Without a protocol to ask for it is that of an ordinary request, the last one on its
 * connection.
 *
 * @returns Characters below 256, one for each byte.
 */
export function upgradeRequestHead(request: UpgradeRequest): string {
  const { method, path, headers, authority } = request;
  const protocol = askedProtocol(headers);
  const fields = fieldsOf([
    "Host",
    authority,
    ...endToEndHeaders(headers, REPLACED),
    ...request.forwarded ?? forwardedHeaders(headers, request),
    ...(protocol === null
      ? ["Connection", "close"]
      : ["Connection", "Upgrade", "Upgrade", protocol]),
  ]);
  const lines = [...fields].map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/**
 * The head at the beginning of these bytes.
 *
 * @returns Null while it is not whole.
 * @throws {RangeError} If it is longer than {@linkcode MAX_ANSWER_HEAD_BYTES}.
 * @throws {SyntaxError} If it is none of HTTP/1.
 */
export function parseAnswerHead(bytes: Uint8Array): AnswerHead | null {
  const start = bytes.subarray(0, MAX_ANSWER_HEAD_BYTES);
  const text = Buffer.from(start).toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) {
    if (bytes.length < MAX_ANSWER_HEAD_BYTES) return null;
    throw new RangeError(
      `Cannot read the answer: its head is longer than ${MAX_ANSWER_HEAD_BYTES} bytes`,
    );
  }
  const status = ANSWER_REGEXP.exec(text)?.[1];
  if (status === undefined) {
    throw new SyntaxError("Cannot read the answer: it is not HTTP/1");
  }
  const length = end + 4;
  return { status: Number(status), length, text: text.slice(0, length) };
}

/** The head of an answer that is no change of protocols, for a connection that ends with it. */
export function lastAnswerHead({ text }: AnswerHead): string {
  const [first, ...fields] = text.trimEnd().split("\r\n");
  const kept = fields.filter((field) => !HOP_BY_HOP.has(nameOf(field)));
  return `${[first, ...kept, "Connection: close"].join("\r\n")}\r\n\r\n`;
}

/** Bytes of the body behind the head of an answer to such a request; null if only its end tells. */
export function bodyLength(
  { status, text }: AnswerHead,
  method: string | undefined,
): number | null {
  if (status === 204 || status === 304 || method === "HEAD") return 0;
  const fields = text.split("\r\n").slice(1);
  if (fields.some((field) => nameOf(field) === "transfer-encoding")) {
    return null;
  }
  const length = fields.find((field) => nameOf(field) === "content-length");
  const digits = /:[ \t]*(\d{1,15})[ \t]*$/.exec(length ?? "")?.[1];
  return digits === undefined ? null : Number(digits);
}

function nameOf(field: string): string {
  return field.slice(0, field.indexOf(":")).toLowerCase();
}
