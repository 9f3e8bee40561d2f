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
    reason: front.reason,
  };
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
    instead: [...front.detours],
    needs_root: front.needsRoot,
  };
}
