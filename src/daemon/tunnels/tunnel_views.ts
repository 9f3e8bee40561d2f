/**
 * Tunnels as they are told.
 *
 * @module
 */

import type { TunnelState, TunnelView } from "../../domain/tunnel.ts";
import type { ProjectTunnels } from "./project_tunnels.ts";
import type { TunnelRecord } from "./tunnel_notes.ts";

/** A tunnel that somebody has asked for. */
export function viewRecord(
  tunnels: ProjectTunnels,
  record: TunnelRecord,
): TunnelView {
  const { task, access, openedAt, expiresAt } = record;
  const live = tunnels.live.get(task) ?? null;
  const wait = tunnels.waitOf(task);
  const state: TunnelState = live?.state ?? wait?.state ?? "opening";
  const { requests = 0, refused = 0 } = live?.entrance.counts ?? {};
  return {
    backend: record.backend,
    state,
    // What was open stays reachable while a new daemon makes sure of it.
    public: live !== null && (state !== "opening" || openedAt !== null),
    public_url: record.publicUrl,
    public_hostname: record.hostname,
    access: access.kind,
    reach: record.reach,
    standing: record.standing,
    opened_at: openedAt === null ? null : openedAt / 1000,
    expires_at: expiresAt === null ? null : expiresAt / 1000,
    origin: live === null ? null : `http://127.0.0.1:${live.entrance.port}`,
    process: record.process,
    reason: live?.reason ?? wait?.reason ?? null,
    requests,
    refused,
  };
}
