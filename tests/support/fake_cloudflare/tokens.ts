/**
 * Who asks the fake Cloudflare API, and what it may do. The refusals are those of the real one, which differ by endpoint.
 *
 * @module
 */

import { type ApiAnswer, done, Refusal } from "./answers.ts";
import type { FakeScope, FakeToken, FakeWorld } from "./world.ts";

/** 40 characters since there are tokens; those with a prefix of their own are longer. */
const TOKEN = /^Bearer [A-Za-z0-9_-]{40,80}$/;

const MALFORMED: Refusal = new Refusal(400, {
  code: 6003,
  message: "Invalid request headers",
  error_chain: [{
    code: 6111,
    message: "Invalid format for Authorization header",
  }],
});

/** The token of a request, in whatever state; null = nobody's. @throws {Refusal} Without one, or in another form. */
export function findToken(
  world: FakeWorld,
  authorization: string | undefined,
): FakeToken | null {
  if (authorization === undefined || !TOKEN.test(authorization)) {
    throw MALFORMED;
  }
  const value = authorization.slice("Bearer ".length);
  return world.tokens.find((token) => token.value === value) ?? null;
}

/** The answer of `/user/tokens/verify` and of `/accounts/ID/tokens/verify`. */
export function verifyToken(
  token: FakeToken | null,
  owner: FakeToken["owner"],
): ApiAnswer {
  if (token === null || token.status === "revoked" || token.owner !== owner) {
    throw new Refusal(401, { code: 1000, message: "Invalid API Token" });
  }
  const told = token.status === "active"
    ? "This API Token is valid and active"
    : `This API Token is ${token.status}`;
  return done({ id: token.id, status: token.status }, [
    { code: 10000, message: told, type: null },
  ]);
}

/** Refuses who is nobody. `zones` answers otherwise than what belongs to an account. */
export function requireActive(
  token: FakeToken | null,
  part: "zones" | "account",
): FakeToken {
  if (token !== null && token.status === "active") return token;
  throw part === "zones"
    ? new Refusal(403, { code: 9109, message: "Invalid access token" })
    : new Refusal(403, { code: 10000, message: "Authentication error" });
}

/** Whether one of these is given. What may change a thing may read it. */
export function may(token: FakeToken, ...scopes: FakeScope[]): boolean {
  return scopes.some((scope) =>
    token.scopes.has(scope) ||
    (scope.endsWith(":read") &&
      token.scopes.has(scope.replace(":read", ":edit") as FakeScope))
  );
}

/** Refuses what the token may not do in an account. */
export function requireAccount(
  token: FakeToken,
  accountId: string,
  scope: FakeScope,
): void {
  const isReached = token.accounts === null || token.accounts.has(accountId);
  if (isReached && may(token, scope)) return;
  throw new Refusal(403, { code: 10000, message: "Authentication error" });
}

/** Refuses what the token may not do in a zone. */
export function requireZone(
  token: FakeToken,
  zoneId: string,
  ...scopes: FakeScope[]
): void {
  if (reachesZone(token, zoneId) && may(token, ...scopes)) return;
  throw scopes.includes("zone:read")
    ? new Refusal(403, {
      code: 9109,
      message: "Unauthorized to access requested resource",
    })
    : new Refusal(403, { code: 10000, message: "Authentication error" });
}

/** Whether a zone is among the token's resources. */
export function reachesZone(token: FakeToken, zoneId: string): boolean {
  return token.zones === null || token.zones.has(zoneId);
}
