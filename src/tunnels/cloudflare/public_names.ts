/**
 * Where public names lie at Cloudflare: the zones that the token sees, and what is wrong with a name or its zone.
 *
 * @module
 */

import type { TunnelTarget } from "../tunnel_provider.ts";
import {
  CloudflareRefusal,
  DNS_PERMISSION,
  isObject,
} from "./cloudflare_refusal.ts";
import type { CloudflareSession } from "./cloudflare_session.ts";
import {
  depthIn,
  isPublicName,
  toZone,
  type Zone,
  zoneOf,
} from "./hostname_zone.ts";

/** Most zones that the API lists at once. */
const PAGE_SIZE = 50;

/** Most zones that are named in a sentence. */
const MAX_NAMED = 5;

/** A public name, and where it lies. */
export interface PublicName {
  readonly hostname: string;
  readonly zone: Zone;
}

/** What is known of the configured zone: in the list, found by its id, not there, or none is configured. */
export type ConfiguredZone = "seen" | "unseen" | "unset";

/** The zones that the token sees. */
export interface SeenZones {
  readonly zones: readonly Zone[];
  readonly configured: ConfiguredZone;
}

/** A public name that can be used, or what is wrong with it. */
export type NamePlan =
  | {
    readonly name: PublicName;
    /** What its owner should know. */
    readonly warning: string | null;
  }
  | {
    readonly hostname: string;
    readonly detail: string;
    readonly fix: string;
  };

/** All zones that the token sees, page by page. @throws {CloudflareRefusal} */
export async function seenZones(
  session: CloudflareSession,
  signal: AbortSignal,
): Promise<SeenZones> {
  const items = await session.api.list(
    {
      path: "/zones",
      doing: "list the zones that the API token sees",
      needs: DNS_PERMISSION,
    },
    PAGE_SIZE,
    signal,
  );
  const zones = items.map(toZone).filter((zone) => zone !== null);
  const id = session.context.cloudflare.zoneId.value;
  if (id === null) return { zones, configured: "unset" };
  if (zones.some((zone) => zone.id === id)) {
    return { zones, configured: "seen" };
  }
  const zone = await zoneById(session, id, signal);
  return zone === null
    ? { zones, configured: "unseen" }
    : { zones: [...zones, zone], configured: "seen" };
}

/** Where the names of targets lie, in the order of the targets. Pure. */
export function planNames(
  session: CloudflareSession,
  targets: readonly TunnelTarget[],
  { zones }: SeenZones,
): NamePlan[] {
  const { zoneId, accountId } = session.context.cloudflare;
  const prefer = { zoneId: zoneId.value, account: accountId.value };
  return targets.map(({ hostname, task }, at) => {
    const flaw = nameFlaw(hostname, { task, at, targets });
    if (flaw !== null || hostname === null) {
      return {
        hostname: hostname ?? task,
        detail: flaw ?? "it has no public name",
        fix:
          `Give it a public_hostname of its own, such as ${task}.example.com, in taskmux.toml`,
      };
    }
    const zone = zoneOf(hostname, zones, prefer);
    if (zone === null) return noZone(hostname, zones);
    return zoneFlaw({ hostname, zone }, accountId.value) ??
      { name: { hostname, zone }, warning: certificateWarning(hostname, zone) };
  });
}

function nameFlaw(
  hostname: string | null,
  { task, at, targets }: {
    readonly task: string;
    readonly at: number;
    readonly targets: readonly TunnelTarget[];
  },
): string | null {
  if (hostname === null) return `task ${task} has no public_hostname`;
  if (!isPublicName(hostname)) return `"${hostname}" is no public name`;
  const first = targets.findIndex((other) => other.hostname === hostname);
  return first === at
    ? null
    : `"${hostname}" is the name of task ${targets[first]?.task ?? ""}, too`;
}

function noZone(hostname: string, zones: readonly Zone[]): NamePlan {
  const names = zones.map(({ name }) => name).sort();
  const more = names.length > MAX_NAMED
    ? ` and ${names.length - MAX_NAMED} more`
    : "";
  return {
    hostname,
    detail: names.length === 0
      ? "the API token sees no zone at all"
      : `it lies in none of the zones that the API token sees: ${
        names.slice(0, MAX_NAMED).join(", ")
      }${more}`,
    fix:
      "Add its domain to Cloudflare, give the API token that zone (Zone Resources), or choose a name in one of the zones",
  };
}

function zoneFlaw(
  { hostname, zone }: PublicName,
  account: string | null,
): NamePlan | null {
  if (zone.status !== "active") {
    return {
      hostname,
      detail: `zone ${zone.name} is ${zone.status}, not active`,
      fix:
        `Have the registrar of ${zone.name} name Cloudflare's name servers: the dashboard says which`,
    };
  }
  if (zone.isPaused) {
    return {
      hostname,
      detail: `Cloudflare is paused for zone ${zone.name}`,
      fix:
        `Enable Cloudflare for ${zone.name} in the dashboard (Overview, Advanced Actions)`,
    };
  }
  // What can be no account is told of by itself.
  const isAccount = account !== null && /^[0-9a-f]{32}$/.test(account);
  if (isAccount && zone.account !== null && zone.account !== account) {
    return {
      hostname,
      detail:
        `zone ${zone.name} belongs to account ${zone.account}, and a tunnel of account ${account} cannot serve it`,
      fix:
        `taskmux tunnel config-set --scope global account_id=${zone.account}`,
    };
  }
  return null;
}

function certificateWarning(hostname: string, zone: Zone): string | null {
  return depthIn(hostname, zone) <= 1
    ? null
    : `the free certificate of Cloudflare covers *.${zone.name}, not this name: without an advanced certificate browsers refuse it, while ${
      hostname.split(".").slice(0, -zone.name.split(".").length).join("-")
    }.${zone.name} would work`;
}

async function zoneById(
  session: CloudflareSession,
  id: string,
  signal: AbortSignal,
): Promise<Zone | null> {
  try {
    const answer = await session.api.get({
      path: `/zones/${encodeURIComponent(id)}`,
      doing: `look at zone ${id}`,
      needs: DNS_PERMISSION,
    }, signal);
    return isObject(answer) ? toZone(answer) : null;
  } catch (error) {
    if (!(error instanceof CloudflareRefusal)) throw error;
    if (error.isDenied || error.isMissing || error.isUnroutable) return null;
    throw error;
  }
}
