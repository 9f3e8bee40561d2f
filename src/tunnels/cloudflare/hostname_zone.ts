/**
 * Which zone of DNS a public name belongs to. Pure.
 *
 * @module
 */

import type { JsonObject } from "../../kit/json.ts";
import { isObject } from "./cloudflare_refusal.ts";

/** Longest name of DNS (RFC 1035 §2.3.4), without the final dot. */
const MAX_NAME_LENGTH = 253;

const LABEL_REGEXP = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** A zone of the account. */
export interface Zone {
  readonly id: string;
  readonly name: string;
  /** `active`, or `pending` until the domain's name servers are Cloudflare's, and others. */
  readonly status: string;
  /** Whether the owner has turned Cloudflare off for it. */
  readonly isPaused: boolean;
  /** Null if the API does not say. */
  readonly account: string | null;
}

/** Reads a zone of the API; null if it is none. */
export function toZone(item: JsonObject): Zone | null {
  const { id, name, status, paused, account } = item;
  if (typeof id !== "string" || typeof name !== "string") return null;
  const owner = isObject(account) ? account.id : null;
  return {
    id,
    name: name.toLowerCase(),
    status: typeof status === "string" ? status : "active",
    isPaused: paused === true,
    account: typeof owner === "string" ? owner : null,
  };
}

/** Whether a name can be public: two labels or more of letters, digits and hyphens, no `*`. */
export function isPublicName(name: string): boolean {
  const labels = name.split(".");
  return name.length <= MAX_NAME_LENGTH && labels.length > 1 &&
    labels.every((label) => LABEL_REGEXP.test(label));
}

/** What decides between zones of one name. */
export interface ZonePreference {
  readonly zoneId: string | null;
  readonly account: string | null;
}

/**
 * The zone of a name: the longest one that it lies in, label by label, as DNS asks that one. Of several with one name the
 * configured one, then one of the account, then an active one.
 *
 * @returns Null if it lies in none.
 */
export function zoneOf(
  hostname: string,
  zones: readonly Zone[],
  prefer: ZonePreference,
): Zone | null {
  const around = zones.filter(({ name }) =>
    hostname === name || hostname.endsWith(`.${name}`)
  );
  const rank = (zone: Zone): number =>
    zone.name.length * 8 +
    (zone.id === prefer.zoneId ? 4 : 0) +
    (zone.account === prefer.account ? 2 : 0) +
    (zone.status === "active" ? 1 : 0);
  return around.reduce<Zone | null>(
    (best, zone) => best === null || rank(zone) > rank(best) ? zone : best,
    null,
  );
}

/** How many labels a name has before those of its zone. */
export function depthIn(hostname: string, zone: Zone): number {
  return hostname.split(".").length - zone.name.split(".").length;
}
