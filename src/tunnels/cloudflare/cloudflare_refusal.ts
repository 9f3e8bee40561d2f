/**
 * What Cloudflare's API says when it refuses, in words that name the way out. Cloudflare publishes no list of its codes:
 * those here are the ones its clients meet, see docs/decisions/0032.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import type { Json, JsonObject } from "../../kit/json.ts";

/** The permission that tunnels need, as the dashboard names it. */
export const TUNNEL_PERMISSION = "Account / Cloudflare Tunnel / Edit";

/** The permission that DNS records need, as the dashboard names it. */
export const DNS_PERMISSION = "Zone / DNS / Edit";

/** Where API tokens are made. */
export const TOKEN_PAGE = "https://dash.cloudflare.com/profile/api-tokens";

/** What to do about a token that is bound to other addresses than ours. */
export const ADDRESS_FIX =
  `Change the client IP address filter of the token at ${TOKEN_PAGE}`;

/** Longest text of Cloudflare in a sentence of ours, in characters. */
const MAX_WORDS = 300;

/** Deepest `error_chain` that is told. */
const MAX_CHAIN = 4;

/** Why there is no good answer. */
export type RefusalReason =
  /** The API said no. */
  | "refused"
  /** It did not get there, or no answer came back. */
  | "unreachable"
  /** What came back is not an answer of the API. */
  | "garbled"
  /** Too many requests. */
  | "limited";

/** What is known of a refusal. */
export interface RefusalFacts {
  /** What was to be done: ends the sentence "Cannot …". */
  readonly doing: string;
  readonly reason: RefusalReason;
  /** Null if there was no answer. */
  readonly status: number | null;
  /** Cloudflare's codes, those of chains too. */
  readonly codes: readonly number[];
  /** What was said, without a secret. */
  readonly words: string;
  /** Whether it may have been done nevertheless. */
  readonly isUncertain: boolean;
  /** The permission of the token that this takes, as the dashboard names it. */
  readonly needs: string | null;
}

/** An E741 about a request, with what decides how to go on. Never holds a secret, nor a cause that could. */
export class CloudflareRefusal extends TaskmuxError {
  readonly reason: RefusalReason;
  readonly status: number | null;
  readonly codes: readonly number[];
  readonly doing: string;
  readonly words: string;
  readonly isUncertain: boolean;
  readonly needs: string | null;

  constructor(facts: RefusalFacts) {
    const { doing, reason, status, codes, words, isUncertain, needs } = facts;
    super("E741", `Cannot ${doing}: ${words}`, {
      hint: remedy(facts),
      details: { provider: "cloudflare", status, codes: [...codes] },
    });
    this.reason = reason;
    this.status = status;
    this.codes = codes;
    this.doing = doing;
    this.words = words;
    this.needs = needs;
    this.isUncertain = isUncertain;
  }

  /** Whether the token is not good for this: unknown, expired, or without the permission. Cloudflare often does not say which. */
  get isDenied(): boolean {
    return this.#isSaid([401, 403], DENIED_CODES);
  }

  /** Whether what was sent as a token cannot be one. */
  get isMalformed(): boolean {
    return this.#isSaid([], MALFORMED_CODES);
  }

  /** Whether the token may not be used from this network: "Cannot use the access token from location: ADDRESS". */
  get isElsewhere(): boolean {
    return this.isDenied && /from location/i.test(this.words);
  }

  /** Whether there is no such thing, or none that the token may see. */
  get isMissing(): boolean {
    return !this.isUnroutable && this.#isSaid([404], MISSING_CODES);
  }

  /** Whether something else has the name. */
  get isTaken(): boolean {
    return this.#isSaid([409], TAKEN_CODES);
  }

  /** Whether the tunnel still has connections. */
  get isBusy(): boolean {
    return this.codes.includes(BUSY_CODE);
  }

  /** Whether the account's or the zone's number in the path leads nowhere. */
  get isUnroutable(): boolean {
    return this.#isSaid([], UNROUTABLE_CODES);
  }

  /** Only what Cloudflare itself says counts: a proxy's 404 must not make us believe that a tunnel is gone. */
  #isSaid(statuses: readonly number[], codes: readonly number[]): boolean {
    return this.reason === "refused" &&
      (this.status !== null && statuses.includes(this.status) ||
        this.codes.some((code) => codes.includes(code)));
  }
}

/** "Tunnel not found", "Configuration for tunnel not found", "Record does not exist". */
const MISSING_CODES = [1055, 81044];
/** "You already have a tunnel with this name"; a record of that name, or the very same, is there. */
const TAKEN_CODES = [1013, 81053, 81054, 81055, 81056, 81057, 81058];
/** "This tunnel has active connections". */
const BUSY_CODE = 1022;
/** "Could not route to …, perhaps your object identifier is invalid?" */
const UNROUTABLE_CODES = [7000, 7003];
/** Headers that are no credentials, unknown tokens, missing permissions. */
const DENIED_CODES = [
  1000,
  6003,
  6100,
  6102,
  6103,
  6111,
  9103,
  9106,
  9107,
  9109,
  10000,
  10001,
];
/** What is said of a token that cannot be one. */
const MALFORMED_CODES = [6003, 6100, 6102, 6103, 6111];
/** "Please wait and consider throttling your request speed". */
const LIMIT_CODES = [971, 10429];
/** "Record quota exceeded". */
const QUOTA_CODE = 81045;
/** "Bad Configuration". */
const BAD_CONFIGURATION_CODE = 1056;

/** What Cloudflare said in an answer that is no success. */
export interface Complaint {
  readonly codes: readonly number[];
  readonly words: string;
}

/**
 * Reads an answer's errors, then its messages.
 *
 * @returns Null if it has neither.
 */
export function complaintOf(answer: JsonObject): Complaint | null {
  const errors = listOf(answer.errors).flatMap((error) => chain(error));
  const told = errors.length > 0
    ? errors
    : listOf(answer.messages).flatMap((message) => chain(message));
  if (told.length === 0) return null;
  const codes = told.flatMap(({ code }) => code === null ? [] : [code]);
  const words = told.map(({ code, message }) =>
    code === null ? message : `${message} (${code})`
  );
  return { codes, words: shorten(words.join(", ")) };
}

/** Whether the codes say that requests come too fast, whatever the status. */
export function isLimit(codes: readonly number[]): boolean {
  return codes.some((code) => LIMIT_CODES.includes(code));
}

/** At most {@linkcode MAX_WORDS} characters, on one line. */
export function shorten(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  return line.length <= MAX_WORDS ? line : `${line.slice(0, MAX_WORDS)}…`;
}

interface Told {
  readonly code: number | null;
  readonly message: string;
}

function chain(error: Json, depth = 0): Told[] {
  if (typeof error === "string") return [{ code: null, message: error }];
  if (!isObject(error) || depth >= MAX_CHAIN) return [];
  const { code, message } = error;
  return [
    {
      code: typeof code === "number" ? code : null,
      message: typeof message === "string" ? message : "no reason given",
    },
    ...listOf(error.error_chain).flatMap((cause) => chain(cause, depth + 1)),
  ];
}

/** The next thing to do. */
function remedy({ reason, status, codes, needs, words }: RefusalFacts): string {
  const anyOf = (known: readonly number[]) =>
    known.some((code) => codes.includes(code));
  if (reason === "unreachable") {
    return "Check the network and https://www.cloudflarestatus.com, then try again";
  }
  if (reason === "limited" || anyOf(LIMIT_CODES)) {
    return "Wait five minutes: Cloudflare takes 1200 requests in that time from one user";
  }
  if (reason === "garbled") {
    return "Something between here and Cloudflare may have answered, such as a proxy or a portal; try again";
  }
  if (anyOf(MALFORMED_CODES)) {
    return "Copy the API token again: it is no token of Cloudflare. A Global API Key is none, either";
  }
  if (anyOf(DENIED_CODES) || status === 401 || status === 403) {
    if (/from location/i.test(words)) return ADDRESS_FIX;
    return needs === null
      ? `taskmux tunnel test tells what is wrong with the API token; tokens are made at ${TOKEN_PAGE}`
      : `Give the API token the permission "${needs}" at ${TOKEN_PAGE}; taskmux tunnel test tells what else it lacks`;
  }
  if (anyOf(UNROUTABLE_CODES)) {
    return "taskmux tunnel config shows account_id and zone_id: one of them is none of Cloudflare";
  }
  if (codes.includes(BUSY_CODE)) {
    return "Stop cloudflared wherever it runs for this tunnel, wait a minute, then try again";
  }
  if (codes.includes(QUOTA_CODE)) {
    return "The zone has as many DNS records as its plan allows: delete some in the dashboard";
  }
  if (codes.includes(BAD_CONFIGURATION_CODE)) {
    return "Look at the public hostnames of the task: Cloudflare takes one of them for none";
  }
  if (codes.includes(1013)) {
    return "taskmux tunnel config-set --scope project tunnel_name=ANOTHER-NAME";
  }
  if (anyOf(TAKEN_CODES)) {
    return "Delete or rename that DNS record in the dashboard, or choose another public_hostname";
  }
  if (status !== null && status >= 500) {
    return "See https://www.cloudflarestatus.com and try again";
  }
  return "taskmux tunnel test tells what is missing";
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The items of a JSON array; none if it is something else. */
export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
