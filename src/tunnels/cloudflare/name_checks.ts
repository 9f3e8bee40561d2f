/**
 * Checks of public names: their zones, and what stands in DNS.
 *
 * @module
 */

import { sourceText } from "../../config/tunnel_settings.ts";
import type { TunnelCheck, TunnelTarget } from "../tunnel_provider.ts";
import { failed, passed } from "./check_answer.ts";
import {
  ADDRESS_FIX,
  CloudflareRefusal,
  DNS_PERMISSION,
  TOKEN_PAGE,
} from "./cloudflare_refusal.ts";
import type { CloudflareSession } from "./cloudflare_session.ts";
import type { Zone } from "./hostname_zone.ts";
import {
  commentOf,
  foreignFix,
  type FoundRecord,
  judgeRecords,
  recordsAt,
  told,
} from "./project_records.ts";
import {
  planNames,
  type PublicName,
  type SeenZones,
  seenZones,
} from "./public_names.ts";

/** How a token comes to see zones. */
const ZONE_FIX =
  `Give the token the permissions "${DNS_PERMISSION}" and "Zone / Zone / Read" for the zone of your names (Zone Resources) at ${TOKEN_PAGE}`;

/** What was found of names and zones. */
export interface NameFindings {
  readonly checks: readonly TunnelCheck[];
  /** The names that lie in a zone, and nothing is wrong with it. */
  readonly names: readonly PublicName[];
  readonly zones: readonly Zone[];
}

/** What is found where nothing could be asked. */
export const NO_NAMES: NameFindings = { checks: [], names: [], zones: [] };

/** What of Cloudflare's DNS has to be known to judge names. */
export interface RecordSubject {
  readonly names: readonly PublicName[];
  /** What records have to say; null = there is no tunnel yet, undefined = that cannot be told. */
  readonly content: string | null | undefined;
}

/** Whether the token sees zones, the configured one among them, and whether the names lie in them. @throws {CloudflareRefusal} */
export async function checkNames(
  session: CloudflareSession,
  targets: readonly TunnelTarget[],
  signal: AbortSignal,
): Promise<NameFindings> {
  let seen: SeenZones;
  try {
    seen = await seenZones(session, signal);
  } catch (error) {
    if (!(error instanceof CloudflareRefusal) || !error.isDenied) throw error;
    const fix = error.isElsewhere ? ADDRESS_FIX : ZONE_FIX;
    const detail = error.message;
    return { ...NO_NAMES, checks: [failed("scope_zone", { detail, fix })] };
  }
  const zone = checkZone(session, seen);
  if (seen.zones.length === 0) {
    const detail = "the API token sees no zone";
    const scope = failed("scope_zone", { detail, fix: ZONE_FIX });
    return { ...NO_NAMES, checks: [scope, ...zone] };
  }
  const plans = planNames(session, targets, seen);
  const { length } = seen.zones;
  return {
    checks: [
      passed(
        "scope_zone",
        `the token sees ${length === 1 ? "one zone" : `${length} zones`}`,
      ),
      ...zone,
      ...plans.map((plan) =>
        "name" in plan
          ? passed(
            `hostname:${plan.name.hostname}`,
            plan.warning === null
              ? `it lies in zone ${plan.name.zone.name}`
              : `it lies in zone ${plan.name.zone.name}, but ${plan.warning}`,
          )
          : failed(`hostname:${plan.hostname}`, plan)
      ),
    ],
    names: plans.flatMap((plan) => "name" in plan ? [plan.name] : []),
    zones: seen.zones,
  };
}

/** Whether the token may use DNS, and whether each name is free, ours, or somebody's. @throws {CloudflareRefusal} */
export async function checkRecords(
  session: CloudflareSession,
  { names, content }: RecordSubject,
  signal: AbortSignal,
): Promise<TunnelCheck[]> {
  if (names.length === 0) return [];
  const denied = new Map<string, CloudflareRefusal>();
  const checks: TunnelCheck[] = [];
  for (const name of names) {
    if (denied.has(name.zone.name)) continue;
    try {
      const records = await recordsAt(session, name, signal);
      checks.push(...judge(session, { name, records, content }));
    } catch (error) {
      if (!(error instanceof CloudflareRefusal) || !error.isDenied) throw error;
      denied.set(name.zone.name, error);
    }
  }
  const [refusal] = denied.values();
  const zones = [...denied.keys()].join(", ");
  const scope = refusal === undefined
    ? passed(
      "scope_dns",
      "the token may read DNS; whether it may change it shows when a record is made",
    )
    : failed("scope_dns", {
      detail: refusal.message,
      fix: refusal.isElsewhere
        ? ADDRESS_FIX
        : `Give the token the permission "${DNS_PERMISSION}" for ${zones} at ${TOKEN_PAGE}`,
    });
  return [scope, ...checks];
}

function checkZone(
  { context }: CloudflareSession,
  { configured }: SeenZones,
): TunnelCheck[] {
  const { value, source } = context.cloudflare.zoneId;
  if (configured === "unset" || value === null) return [];
  if (configured === "seen") {
    return [passed("zone", `${value}, ${sourceText(source)}`)];
  }
  const scope = source === "project" ? "project" : "global";
  return [failed("zone", {
    detail: `the API token does not see zone ${value}, ${sourceText(source)}`,
    fix:
      `Give the token that zone (Zone Resources) at ${TOKEN_PAGE}, or set the right one: taskmux tunnel config-set --scope ${scope} zone_id=ID`,
  })];
}

function judge(
  session: CloudflareSession,
  { name, records, content }: {
    readonly name: PublicName;
    readonly records: readonly FoundRecord[];
    readonly content: string | null | undefined;
  },
): TunnelCheck[] {
  const verdict = judgeRecords(records, {
    name,
    content: content ?? null,
    facts: session.facts,
    comment: commentOf(session),
  });
  const check = `dns:${name.hostname}`;
  switch (verdict.kind) {
    case "absent":
      return [passed(check, "the name is free")];
    case "ours":
      return [passed(
        check,
        verdict.isRight
          ? "it leads to this project's tunnel"
          : "it led to a tunnel of this project and will lead to the present one",
      )];
    case "foreign": {
      // It may be ours: without a look at the tunnel nobody knows.
      if (
        content === undefined &&
        verdict.record.content.endsWith(".cfargotunnel.com")
      ) return [];
      return [failed(check, {
        detail: `its record ${told(verdict.record)} ${verdict.reason}`,
        fix: foreignFix(name),
      })];
    }
  }
}
