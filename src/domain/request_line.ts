/**
 * One request from outside as one line of a log, and back. Pure.
 *
 * `GET /cart?page=2 200 passed 12ms 203.0.113.7 Mozilla/5.0 (X11; Linux x86_64)`: method, path, status, verdict, duration,
 * address of the visitor, user agent; `-` for what is not known. A visitor can put nothing into it that is not seen, nor
 * anything where it does not belong.
 *
 * @module
 */

import { isSecretName } from "./secret_name.ts";

/** What became of a request. */
export type GateVerdict = "passed" | "refused" | "failed";

/** One request that came to a gate. */
export interface GateRequest {
  /** When it was over, wall time in milliseconds: entries are told in this order. */
  readonly at: number;
  readonly method: string;
  /** Path and query, without what would let others in. */
  readonly path: string;
  /** As it was answered; 499 = its visitor went away before. */
  readonly status: number;
  readonly durationMs: number;
  /** Address, as the provider tells it. */
  readonly visitor: string | null;
  /**
   * - `passed`: the task answered, or the gate did what was asked
   * - `refused`: it was not let in
   * - `failed`: it was let in, and the task did not answer
   */
  readonly verdict: GateVerdict;
  readonly userAgent: string | null;
}

/** Longest parts of a line, in characters. */
const MAX_PATH = 1_000;
const MAX_AGENT = 200;
const MAX_WORD = 50;

const CUT = "…";

const NOTHING = "-";

const LINK_REGEXP = /^(\/\.taskmux\/link\/)[^?]+/;

/** Names that are those of secrets in addresses, beside {@linkcode isSecretName}. */
const SECRET_PARAMETERS: ReadonlySet<string> = new Set([
  "auth",
  "authorization",
  "code",
  "jwt",
  "key",
  "otp",
  "pass",
  "session",
  "sid",
  "sig",
  "signature",
  "state",
  "ticket",
  "x-amz-signature",
]);

const HIDDEN = "***";

const LINE_REGEXP =
  /^(\S+) (\S+) ([1-9]\d\d) (passed|refused|failed) (\d{1,15})ms (\S+) (.+)$/;

/** The line, without an end. */
export function requestLine(request: GateRequest): string {
  const { method, path, status, verdict, durationMs, visitor, userAgent } =
    request;
  return [
    word(method, MAX_WORD),
    word(path, MAX_PATH),
    String(status),
    verdict,
    `${Math.max(0, Math.round(durationMs))}ms`,
    visitor === null ? NOTHING : word(visitor, MAX_WORD),
    userAgent === null ? NOTHING : words(userAgent),
  ].join(" ");
}

/**
 * What a line tells.
 *
 * @param at When it was over, in milliseconds: it stands before the line.
 * @returns Null if it is no such line.
 */
export function parseRequestLine(text: string, at: number): GateRequest | null {
  const [, method, path, status, verdict, ms, visitor, agent] =
    LINE_REGEXP.exec(text) ?? [];
  if (method === undefined || path === undefined) return null;
  return {
    at,
    method,
    path,
    status: Number(status),
    durationMs: Number(ms),
    visitor: visitor === NOTHING || visitor === undefined ? null : visitor,
    verdict: verdict as GateVerdict,
    userAgent: agent === NOTHING || agent === undefined ? null : agent,
  };
}

/** A path as it may be kept: without the secret of a link, and values of parameters that look like secrets. */
export function loggedPath(path: string): string {
  const shown = path.replace(LINK_REGEXP, `$1${HIDDEN}`);
  const mark = shown.indexOf("?");
  if (mark === -1) return shown.slice(0, MAX_PATH);
  const query = shown.slice(mark + 1).split("&").map((parameter) => {
    const equals = parameter.indexOf("=");
    const name = equals === -1 ? "" : parameter.slice(0, equals);
    return isSecret(name) ? `${name}=${HIDDEN}` : parameter;
  });
  return `${shown.slice(0, mark)}?${query.join("&")}`.slice(0, MAX_PATH);
}

function isSecret(name: string): boolean {
  const plain = decoded(name);
  return SECRET_PARAMETERS.has(plain.toLowerCase()) || isSecretName(plain);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return name;
  }
}

/** One word: what is not printable ASCII is written as in addresses. */
function word(text: string, max: number): string {
  const plain = text.toWellFormed().replace(
    /[^!-~]/gu,
    (character) => encodeURIComponent(character),
  );
  const cut = plain.length > max ? plain.slice(0, max) + CUT : plain;
  return cut === "" || cut === NOTHING ? "%2D" : cut;
}

/** The rest of a line: printable ASCII, one space between two words. */
function words(text: string): string {
  const plain = text.replace(/[^ -~]/g, "?").replace(/ +/g, " ").trim();
  const cut = plain.length > MAX_AGENT
    ? plain.slice(0, MAX_AGENT) + CUT
    : plain;
  return cut === "" ? NOTHING : cut;
}
