/**
 * What is told about the proxy and its ports.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import type { ProxyBinding } from "../domain/task_url.ts";
import { expectedBinding } from "../store/binding_note.ts";
import type { Front } from "./front.ts";
import type { Services } from "./services.ts";

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

/**
 * What addresses are made of that are asked for in advance: of a project that nobody has started yet, before the proxy
 * serves anything.
 */
export function expectedProxy(
  { front, config, store }: Pick<Services, "front" | "config" | "store">,
): ProxyBinding {
  const { binding, isEnabled, ports } = front;
  if (!isEnabled || binding.bound) return binding;
  return ports === null
    ? expectedBinding(config, store.meta)
    : { ...binding, bound: ports.https.addresses.length > 0 };
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
