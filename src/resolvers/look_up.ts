/**
 * What programs of this machine find under a name: by the C library's own way (`getaddrinfo`), with hosts file, nsswitch
 * and all. `Deno.resolveDns` asks servers only.
 *
 * @module
 */

import type { Machine } from "./resolver.ts";

/** Names that are asked for at the same time. */
const LOOKUPS_AT_ONCE = 8;

/**
 * Whether names lead to loopback, and to nothing else.
 *
 * @returns For each name; null where it cannot be told, because there is no program that asks.
 */
export async function leadHere(
  names: readonly string[],
  machine: Machine,
  signal: AbortSignal,
): Promise<(boolean | null)[]> {
  const found: (boolean | null)[] = [];
  for (let start = 0; start < names.length; start += LOOKUPS_AT_ONCE) {
    const some = names.slice(start, start + LOOKUPS_AT_ONCE);
    found.push(
      ...await Promise.all(
        some.map((name) => leadsHere(name, machine, signal)),
      ),
    );
  }
  return found;
}

/** A name below a domain that nobody has ever used: if it leads here, all do. */
export function unusedName(tld: string): string {
  const label = `taskmux-${crypto.randomUUID().slice(0, 8)}`;
  return `${label}.${label}.${tld}`;
}

async function leadsHere(
  name: string,
  { os, program }: Machine,
  signal: AbortSignal,
): Promise<boolean | null> {
  if (program === null) return null;
  const isDarwin = os === "darwin";
  const outcome = await program(
    isDarwin
      ? ["dscacheutil", "-q", "host", "-a", "name", name]
      : ["getent", "ahosts", name],
    signal,
  );
  if (outcome.kind === "not_started") return null;
  // Slow is as good as not at all.
  if (outcome.kind === "timed_out" || outcome.code !== 0) return false;
  const pattern = isDarwin
    ? /^ip(?:v6)?_address: (\S+)/gm
    : /^(\S+)\s+STREAM/gm;
  const addresses = [...outcome.output.matchAll(pattern)]
    .map(([, address = ""]) => address);
  return addresses.length > 0 && addresses.every(isLoopback);
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
