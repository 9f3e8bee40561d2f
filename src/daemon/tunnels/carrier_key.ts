/**
 * Which tunnels go through one program.
 *
 * @module
 */

import type { TunnelBackend } from "../../domain/tunnel.ts";
import type { TunnelRecord } from "./tunnel_notes.ts";

/** Backends of which one program carries all tasks of a project. */
const SHARED: ReadonlySet<TunnelBackend> = new Set(["cloudflare"]);

/** What goes through the same program has the same key. */
export function carrierKey(
  { backend, task }: Pick<TunnelRecord, "backend" | "task">,
): string {
  return SHARED.has(backend) ? backend : `${backend} ${task}`;
}
