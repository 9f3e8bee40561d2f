/**
 * Answers of checks. Pure.
 *
 * @module
 */

import type { TunnelCheck } from "../tunnel_provider.ts";

/** It is right. */
export function passed(name: string, detail: string): TunnelCheck {
  return { name, ok: true, detail, fix: null };
}

/** It is wrong. */
export function failed(
  name: string,
  { detail, fix }: { readonly detail: string; readonly fix: string },
): TunnelCheck {
  return { name, ok: false, detail, fix };
}
