/**
 * Whether an API token is one, and still good. It can be asked about without any permission.
 *
 * @module
 */

import type { Json } from "../../kit/json.ts";
import {
  ADDRESS_FIX,
  CloudflareRefusal,
  isObject,
  TOKEN_PAGE,
} from "./cloudflare_refusal.ts";
import type { CloudflareSession } from "./cloudflare_session.ts";

/** Beginning of tokens that belong to an account, not to a user. */
const ACCOUNT_TOKEN_PREFIX = "cfat_";

/** Beginning of the key that opens everything and is no token. */
const GLOBAL_KEY_PREFIX = "cfk_";

/** A token that ends sooner is warned of. */
const SOON_MS = 7 * 24 * 3_600_000;

/** How it is with a token. */
export type TokenState =
  | { readonly kind: "active"; readonly detail: string }
  /** It is good for nothing. */
  | { readonly kind: "bad"; readonly detail: string; readonly fix: string }
  /** Cloudflare did not tell. */
  | { readonly kind: "unknown"; readonly refusal: CloudflareRefusal };

/** Asks about the token of a session; that of an account in the account's own place. */
export async function tokenState(
  session: CloudflareSession,
  signal: AbortSignal,
): Promise<TokenState> {
  const { apiToken, accountId } = session.context.cloudflare;
  const token = apiToken.value ?? "";
  const account = accountId.value;
  const isAccounts = token.startsWith(ACCOUNT_TOKEN_PREFIX);
  if (token.startsWith(GLOBAL_KEY_PREFIX)) {
    return bad("is the Global API Key, which is no token");
  }
  try {
    if (isAccounts && account !== null) {
      return await verify(session, accountPath(account), signal);
    }
    return await verify(session, "/user/tokens/verify", signal);
  } catch (error) {
    if (!(error instanceof CloudflareRefusal)) throw error;
    if (!error.isDenied) return { kind: "unknown", refusal: error };
    // Older tokens do not show whose they are.
    if (isAccounts || account === null) return refused(error);
  }
  try {
    return await verify(session, accountPath(account), signal);
  } catch (error) {
    if (!(error instanceof CloudflareRefusal)) throw error;
    return error.isDenied || error.isUnroutable || error.isMissing
      ? refused(error)
      : { kind: "unknown", refusal: error };
  }
}

async function verify(
  session: CloudflareSession,
  path: string,
  signal: AbortSignal,
): Promise<TokenState> {
  const answer = await session.api.get({
    path,
    doing: "verify the API token",
  }, signal);
  return stateOf(answer, session.context.clock.now());
}

function accountPath(account: string): string {
  return `/accounts/${encodeURIComponent(account)}/tokens/verify`;
}

/** @param now Wall time in milliseconds. */
function stateOf(answer: Json, now: number): TokenState {
  const { status, expires_on, not_before } = isObject(answer) ? answer : {};
  const ends = typeof expires_on === "string" ? Date.parse(expires_on) : NaN;
  const begins = typeof not_before === "string" ? Date.parse(not_before) : NaN;
  if (status === "expired") return bad("has expired");
  if (status === "disabled") {
    return bad("is disabled", `Enable it at ${TOKEN_PAGE}`);
  }
  if (status !== "active") return bad(`is not active, but ${String(status)}`);
  if (begins > now) return bad(`is not valid before ${String(not_before)}`);
  return {
    kind: "active",
    detail: ends - now < SOON_MS
      ? `the token is valid, but only until ${String(expires_on)}`
      : "the token is valid",
  };
}

function refused(refusal: CloudflareRefusal): TokenState {
  const { words } = refusal;
  if (refusal.isElsewhere) {
    return bad(`may not be used from this network: ${words}`, ADDRESS_FIX);
  }
  return refusal.isMalformed
    ? bad(`is no API token of Cloudflare: ${words}`)
    : bad(`is not known, or was revoked: ${words}`);
}

/** @param state Ends the sentence "the token …". */
function bad(
  state: string,
  fix = `Make one at ${TOKEN_PAGE}, then taskmux tunnel enable asks for it`,
): TokenState {
  return { kind: "bad", detail: `the token ${state}`, fix };
}
