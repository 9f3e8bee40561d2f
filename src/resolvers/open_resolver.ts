/**
 * The resolver of a name in the settings.
 *
 * @module
 */

import { Delegation, type DelegationOptions } from "./delegation.ts";
import { EtcHosts } from "./etc_hosts.ts";
import { NoResolver } from "./no_resolver.ts";
import type { Machine, Resolver, ResolverName } from "./resolver.ts";

/** Makes it; nothing is done yet. */
export function openResolver(
  name: ResolverName,
  machine: Machine,
  delegation: DelegationOptions,
): Resolver {
  switch (name) {
    case "etc_hosts":
      return new EtcHosts(machine);
    case "dns_server":
      return new Delegation(machine, delegation);
    case "noop":
      return new NoResolver();
  }
}
