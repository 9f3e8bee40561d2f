/**
 * The rules by which a tunnel finds what is behind a public name. Pure.
 *
 * @module
 */

import type { Json, JsonObject } from "../../kit/json.ts";
import type { TunnelTarget } from "../tunnel_provider.ts";
import { isObject, listOf } from "./cloudflare_refusal.ts";

/** What a tunnel needs as its last rule: nothing is there. */
const CATCH_ALL: JsonObject = { service: "http_status:404" };

/** The configuration of a tunnel as Cloudflare holds it; null = it has none yet. */
export type TunnelConfiguration = JsonObject | null;

/** The configuration in the answer of the API. */
export function toConfiguration(answer: Json): TunnelConfiguration {
  return isObject(answer) && isObject(answer.config) ? answer.config : null;
}

/** The names of its rules, each once. */
export function hostnamesOf(configuration: TunnelConfiguration): string[] {
  const names = listOf(configuration?.ingress).flatMap((rule) =>
    isObject(rule) && typeof rule.hostname === "string" && rule.hostname !== ""
      ? [rule.hostname.toLowerCase()]
      : []
  );
  return [...new Set(names)];
}

/**
 * The configuration with exactly these targets, sorted by name, and nothing behind every other name. What else it says
 * stays.
 *
 * @param kept Rules that are not ours and stay.
 * @returns Null if it is like that already.
 */
export function withTargets(
  configuration: TunnelConfiguration,
  targets: readonly TunnelTarget[],
  kept: readonly Json[] = [],
): JsonObject | null {
  const rules = targets.flatMap(({ hostname, origin }) =>
    hostname === null
      ? []
      // The gate at the origin takes any Host and speaks plain HTTP: nothing needs to be told to cloudflared.
      : [{ hostname, service: origin, originRequest: {} }]
  ).sort((a, b) => a.hostname < b.hostname ? -1 : 1);
  const last = kept.filter(isForAll);
  const ingress = [
    ...kept.filter((rule) => !isForAll(rule)),
    ...rules,
    ...last.length > 0 ? last : [CATCH_ALL],
  ];
  const present = configuration?.ingress;
  const isSame = Array.isArray(present) && shape(present) === shape(ingress);
  return isSame ? null : { ...configuration, ingress };
}

/** The rules that are not for the given names: those for other names, and for whatever has no rule. */
export function rulesBeside(
  configuration: TunnelConfiguration,
  hostnames: readonly string[],
): Json[] {
  return listOf(configuration?.ingress).filter((rule) => {
    if (!isObject(rule)) return false;
    if (isForAll(rule)) {
      return typeof rule.service === "string" &&
        !rule.service.startsWith("http_status:");
    }
    return !hostnames.includes(String(rule.hostname).toLowerCase());
  });
}

/** Names that are served beside the given ones. */
export function strangeNames(
  configuration: TunnelConfiguration,
  hostnames: readonly string[],
): string[] {
  const beside = rulesBeside(configuration, hostnames);
  return [
    ...hostnamesOf({ ingress: beside }),
    ...beside.some(isForAll) ? ["every other name"] : [],
  ];
}

function isForAll(rule: Json): boolean {
  return isObject(rule) &&
    (typeof rule.hostname !== "string" || rule.hostname === "");
}

/** What of rules counts: Cloudflare adds ids and empty settings of its own. */
function shape(rules: readonly Json[]): string {
  return JSON.stringify(rules.map((rule) => {
    if (!isObject(rule)) return null;
    const { hostname = "", path = "", service = "", originRequest } = rule;
    const settings = isObject(originRequest) ? originRequest : {};
    return [hostname, path, service, settings];
  }));
}
