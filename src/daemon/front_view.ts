/**
 * What is told about the proxy and its ports.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import type { Front } from "./front.ts";

/** The proxy in `status`. */
export function frontStatus(front: Front): Result<"task.status">["proxy"] {
  const { bound, httpsPort } = front.binding;
  return {
    enabled: front.isEnabled,
    bound,
    port: bound ? httpsPort : null,
    reason: bound ? null : reasonOf(front),
  };
}

function reasonOf(front: Front): string {
  if (!front.isEnabled) return "proxy_enabled is false";
  return front.problems[0] ?? "no task has a host";
}

/** The proxy in `daemon status`. */
export function frontDetails(
  front: Front,
): Result<"daemon.status">["proxy"] {
  const { https = null, redirect = null } = front.ports ?? {};
  return {
    ...frontStatus(front),
    https_port: https?.port ?? null,
    https_bound: https?.addresses ?? [],
    redirect_port: redirect?.port ?? null,
    redirect_bound: redirect?.addresses ?? [],
  };
}

/** Whether there is a port that a daemon without the rights of root could not bind again. */
export function holdsPrivilegedPort({ ports }: Front): boolean {
  return [ports?.https, ports?.redirect].some((port) =>
    port !== null && port !== undefined && port.addresses.length > 0 &&
    port.port < 1024
  );
}
