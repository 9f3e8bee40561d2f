/**
 * Handlers of the operations on how names are resolved.
 *
 * @module
 */

import type { Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";

/** See the module. */
export function dnsHandlers(
  { resolution }: Services,
): Pick<
  Handlers,
  "dns.status" | "dns.install" | "dns.uninstall" | "dns.flush" | "dns.query"
> {
  return {
    "dns.status": (_, { signal }) => resolution.status(signal),
    "dns.install": () => resolution.install(),
    "dns.uninstall": () => resolution.uninstall(),
    "dns.flush": () => resolution.flush(),
    "dns.query": ({ name, type }, { signal }) =>
      resolution.query(name, type, signal),
  };
}
