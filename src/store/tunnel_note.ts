/**
 * Where the facts on the tunnels of a project stand in the state database, and what of them everybody may know.
 *
 * @module
 */

import type {
  TunnelAccess,
  TunnelBackend,
  TunnelReach,
} from "../domain/tunnel.ts";
import type { MetaTable } from "./meta_table.ts";

/** What is wanted of a tunnel, as it was written down last. */
export interface NotedTunnel {
  readonly task: string;
  readonly backend: TunnelBackend;
  readonly hostname: string | null;
  readonly reach: TunnelReach;
  readonly access: { readonly kind: TunnelAccess };
  /** Whether it opens whenever its task runs. */
  readonly standing: boolean;
  /** A standing one that was closed by hand. */
  readonly isPaused: boolean;
  /** Wall milliseconds; null = it has no end. */
  readonly expiresAt: number | null;
  /** Null = it was never open. */
  readonly publicUrl: string | null;
  /** Name of the task that is its program; null = none is known. */
  readonly process: string | null;
}

/** Name of the fact. */
export function tunnelNoteKey(projectId: string): string {
  return `tunnels:${projectId}`;
}

/** What was written down last. One read by key. */
export function readNotedTunnels(
  meta: Pick<MetaTable, "get">,
  projectId: string,
): readonly NotedTunnel[] {
  const text = meta.get(tunnelNoteKey(projectId));
  if (text === null) return [];
  const note = JSON.parse(text) as { readonly records?: NotedTunnel[] };
  return note.records ?? [];
}
