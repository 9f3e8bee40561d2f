/**
 * The heads of the messages that most traffic consists of, read without a doubt or not at all. Pure.
 *
 * What is not read here is no error: the whole parser of `node:http` decides about it. So everything that servers are
 * known to read in different ways is left to it.
 *
 * @module
 */

import type { RawHeaders } from "./end_to_end_headers.ts";

/** A request without a body, after which the connection stays open. */
export interface PlainRequest {
  readonly method: string;
  /** In origin form, as it was sent. */
  readonly path: string;
  readonly authority: string;
  readonly headers: RawHeaders;
}

/** An answer, and how its body ends. */
export interface PlainAnswer {
  readonly status: number;
  readonly message: string;
  readonly headers: RawHeaders;
  /** Bytes of the body; `chunked` = it says itself where it ends; `close` = where the connection does. */
  readonly body: number | "chunked" | "close";
  /** Whether the connection may be used again after the body. */
  readonly isKept: boolean;
  /** Seconds for which the server said it keeps it; null = it did not. */
  readonly keepsS: number | null;
}

/** Lines of visible characters, spaces and tabs, none of them folded; each ends with CR and LF. */
const LINES_REGEXP = /^(?:[\t\x20-\x7e\x80-\xff]+\r\n(?![ \t]))+\r\n$/;

const REQUEST_LINE_REGEXP = /^(GET|HEAD|OPTIONS) (\/[!-~]*) HTTP\/1\.1$/;

const STATUS_LINE_REGEXP = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: (.*))?$/;

const NAME_REGEXP = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const LENGTH_REGEXP = /^\d{1,15}$/;

/** Answers that end with their head (RFC 9110 §6.4.1). */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/** Fields with which a request is more than plain. */
const SPECIAL: ReadonlySet<string> = new Set([
  "content-length",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Reads the head of a request.
 *
 * @param text All of it, one character per byte, up to the empty line and nothing behind it.
 * @returns Null if it is anything but plain.
 */
export function readPlainRequest(text: string): PlainRequest | null {
  if (!LINES_REGEXP.test(text)) return null;
  const lines = text.split("\r\n");
  const [, method, path] = REQUEST_LINE_REGEXP.exec(lines[0]!) ?? [];
  const headers = readFields(lines);
  if (method === undefined || path === undefined || headers === null) {
    return null;
  }
  let authority: string | null = null;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!.toLowerCase();
    const value = headers[index + 1]!;
    if (SPECIAL.has(name)) return null;
    if (name === "connection" && value.toLowerCase() !== "keep-alive") {
      return null;
    }
    if (name !== "host") continue;
    if (authority !== null) return null;
    authority = value;
  }
  return authority === null ? null : { method, path, authority, headers };
}

/**
 * Reads the head of an answer.
 *
 * @param text As of {@linkcode readPlainRequest}.
 * @param method Of the request.
 * @returns Null if there is any doubt about it.
 */
export function readPlainAnswer(
  text: string,
  method: string,
): PlainAnswer | null {
  if (!LINES_REGEXP.test(text)) return null;
  const lines = text.split("\r\n");
  const [, minor, digits, message = ""] = STATUS_LINE_REGEXP.exec(lines[0]!) ??
    [];
  const headers = readFields(lines);
  if (minor === undefined || headers === null) return null;
  const status = Number(digits);
  const found = readFraming(headers);
  if (found === null) return null;
  const { length, isChunked, isClosed, keepsS } = found;
  const isBodiless = method === "HEAD" || status < 200 || BODILESS.has(status);
  const body = isBodiless ? 0 : isChunked ? "chunked" : length ?? "close";
  const isKept = minor === "1" && !isClosed && body !== "close";
  return { status, message, headers, body, isKept, keepsS };
}

interface Framing {
  length: number | null;
  isChunked: boolean;
  isClosed: boolean;
  keepsS: number | null;
}

function readFraming(headers: RawHeaders): Framing | null {
  const framing: Framing = {
    length: null,
    isChunked: false,
    isClosed: false,
    keepsS: null,
  };
  for (let index = 0; index < headers.length; index += 2) {
    const value = headers[index + 1]!;
    switch (headers[index]!.toLowerCase()) {
      case "content-length":
        if (framing.length !== null || !LENGTH_REGEXP.test(value)) return null;
        framing.length = Number(value);
        break;
      case "transfer-encoding":
        if (framing.isChunked || value.toLowerCase() !== "chunked") return null;
        framing.isChunked = true;
        break;
      case "connection":
        framing.isClosed ||= /\bclose\b/i.test(value);
        break;
      case "keep-alive":
        framing.keepsS = keptFor(value);
        break;
    }
  }
  const isDoubtful = framing.isChunked && framing.length !== null;
  return isDoubtful ? null : framing;
}

function keptFor(value: string): number | null {
  const seconds = /\btimeout\s*=\s*(\d{1,9})/i.exec(value)?.[1];
  return seconds === undefined ? null : Number(seconds);
}

/** Names and values in turns, of all lines but the first one and the two empty ones at the end. */
function readFields(lines: readonly string[]): string[] | null {
  const fields: string[] = [];
  for (let index = 1; index < lines.length - 2; index++) {
    const line = lines[index]!;
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    if (colon < 1 || !NAME_REGEXP.test(name)) return null;
    fields.push(name, trimmed(line, colon + 1));
  }
  return fields;
}

/** The rest of a line without the spaces and tabs around it. */
function trimmed(line: string, from: number): string {
  let begin = from;
  let end = line.length;
  while (begin < end && isBlank(line.charCodeAt(begin))) begin++;
  while (end > begin && isBlank(line.charCodeAt(end - 1))) end--;
  return line.slice(begin, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
