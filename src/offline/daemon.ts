/**
 * `daemon status` and `daemon list` without a daemon.
 *
 * @module
 */

import { loadHostConfig } from "../config/host_config.ts";
import type { Paths } from "../config/paths.ts";
import type { Result } from "../contract/mod.ts";
import { VERSION } from "../contract/wire.ts";
import { findUnits, type UnitEnvironment } from "../service/unit_file.ts";
import type { RegistryEntry } from "../store/registry.ts";
import { askKeeper, keptWarnings, livingRuns, NO_DAEMON } from "./kept_runs.ts";
import { openRegistry } from "./registry.ts";

/** The answer of `daemon.status`. */
export async function readDaemonStatus(
  paths: Paths,
  env: UnitEnvironment,
): Promise<Result<"daemon.status">> {
  const { entries, warnings } = await readRegistry(paths);
  const host = await loadHostConfig(paths.hostConfig);
  const kept = await askKeeper(paths);
  return {
    ok: true,
    running: false,
    pid: null,
    version: VERSION,
    started_at: null,
    api_port: null,
    registered_projects: entries.length,
    running_tasks: livingRuns(kept),
    // The gates are the daemon's.
    public_tasks: 0,
    keeper: { pid: kept.keeper === "present" ? kept.pid : null },
    service: {
      managed: false,
      units: await findUnits(env, Deno.build.os),
    },
    proxy: { enabled: host.config.proxy.enabled, reason: NO_DAEMON },
    dns: {
      resolver: host.config.hostResolver,
      configured: host.config.hostResolver,
      bind: "127.0.0.1",
      port: null,
      active: false,
    },
    warnings: [
      ...host.warnings,
      ...warnings,
      ...keptWarnings(kept),
    ],
  };
}

/** The answer of `project.list`. */
export async function readProjects(
  paths: Paths,
): Promise<Result<"project.list">> {
  const { entries, warnings } = await readRegistry(paths);
  return {
    ok: true,
    projects: entries.map((entry) => ({
      session: entry.id,
      config_path: entry.configPath,
      registered_at: entry.registeredAt,
      state: "unmanaged",
      session_exists: false,
      task_count: null,
      running_count: null,
    })),
    count: entries.length,
    daemon_pid: null,
    ...warnings.length === 0 ? {} : { warnings },
  };
}

async function readRegistry(
  paths: Paths,
): Promise<
  { readonly entries: readonly RegistryEntry[]; readonly warnings: string[] }
> {
  const warnings: string[] = [];
  const registry = openRegistry(paths, warnings);
  return { entries: await registry.list(), warnings };
}
