/**
 * `tunnel status` without a daemon: what is wanted. Without the daemon's gates nothing is public.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import type { TunnelView } from "../domain/tunnel.ts";
import { systemClock } from "../kit/clock.ts";
import { Store } from "../store/store.ts";
import { type NotedTunnel, readNotedTunnels } from "../store/tunnel_note.ts";
import { NO_DAEMON } from "./kept_runs.ts";
import { type Disk, openProjectFiles } from "./project_files.ts";
import { openRegistry } from "./registry.ts";

/**
 * The answer of `tunnel.status`.
 *
 * @param config File of the project; null = every project.
 * @throws {TaskmuxError} What is wrong with the project's file; E601 or E900 if the state cannot be read.
 */
export async function readTunnels(
  disk: Disk,
  config: string | null,
): Promise<Result<"tunnel.status">> {
  const sessions = config === null
    ? (await openRegistry(disk.paths, []).list()).map(({ id }) => id)
    : [await sessionOf(disk, config)];
  using store = Store.openReadOnly(disk.paths);
  const now = systemClock.now();
  const tunnels = store === null
    ? []
    : sessions.flatMap((session) =>
      readNotedTunnels(store.meta, session)
        .filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
        .map((noted) => ({ session, task: noted.task, ...view(noted) }))
    );
  return { ok: true, tunnels, count: tunnels.length };
}

async function sessionOf(disk: Disk, config: string): Promise<string> {
  using project = await openProjectFiles(disk, config, { tolerant: true });
  return project.identity.projectId;
}

function view(noted: NotedTunnel): TunnelView {
  const { task, isPaused } = noted;
  return {
    backend: noted.backend,
    state: isPaused ? "off" : "waiting",
    public: false,
    public_url: noted.publicUrl,
    public_hostname: noted.hostname,
    access: noted.access.kind,
    reach: noted.reach,
    standing: noted.standing,
    opened_at: null,
    expires_at: noted.expiresAt === null ? null : noted.expiresAt / 1000,
    origin: null,
    process: null,
    reason: isPaused
      ? `it was closed by hand; "taskmux tunnel up ${task}" opens it`
      : NO_DAEMON,
    requests: 0,
    refused: 0,
  };
}
