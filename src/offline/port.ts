/**
 * `who` without a daemon: whose port it is can be read, who listens only the keeper can see, if one lives.
 *
 * @module
 */

import { loadProject } from "../config/project_config.ts";
import type { Result } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import { openRegistry } from "./registry.ts";
import { Store } from "../store/store.ts";
import { type FoundHolders, viewHolders } from "../domain/port_view.ts";
import { NO_DAEMON, observeKeeper } from "./kept_runs.ts";
import type { Disk } from "./project_files.ts";

type Lease = Result<"port.who">["lease"];

/** The answer of `port.who`. Reads the files of all registered projects if no task has the port. */
export async function readPort(
  disk: Disk,
  port: number,
): Promise<Result<"port.who">> {
  const found = await observeKeeper<FoundHolders>(
    disk.paths,
    (client, signal) => client.request("holders", { port }, { signal }),
  );
  const lease = await leaseOf(disk, port);
  if (typeof found === "string") {
    const reason = NO_DAEMON;
    return { ok: true, port, listening: null, holders: null, reason, lease };
  }
  using store = Store.openReadOnly(disk.paths);
  const runs = store?.runs.live() ?? [];
  const view = viewHolders(found, {
    ownerOf: (id) => runs.find(({ runId }) => runId === id) ?? null,
    daemonPid: null,
  });
  return { ok: true, port, ...view, lease };
}

async function leaseOf(disk: Disk, port: number): Promise<Lease> {
  const { paths } = disk;
  const entries = await openRegistry(paths, []).list();
  const lease = storedLease(disk, port);
  if (lease !== null) {
    const { session, task } = lease;
    const entry = entries.find(({ id }) => id === session);
    const tasks = entry === undefined
      ? null
      : await fixedPorts(disk, entry.configPath);
    const fixed = tasks === null ? null : tasks.get(task) === port;
    return { session, task, fixed };
  }
  for (const { id, configPath } of entries) {
    const tasks = await fixedPorts(disk, configPath);
    const [task] = [...tasks ?? []].find(([, wanted]) => wanted === port) ?? [];
    if (task !== undefined) return { session: id, task, fixed: true };
  }
  return null;
}

function storedLease(
  { paths }: Disk,
  port: number,
): { readonly session: string; readonly task: string } | null {
  using store = Store.openReadOnly(paths);
  return store?.leases.holderOf(port) ?? null;
}

/** Task → its `port`; null if the file cannot be used. */
async function fixedPorts(
  { env }: Disk,
  configPath: string,
): Promise<ReadonlyMap<string, number | null> | null> {
  try {
    const { tasks } = await loadProject(configPath, { home: env()["HOME"] });
    return new Map([...tasks].map(([name, { port }]) => [name, port]));
  } catch (error) {
    if (error instanceof TaskmuxError) return null;
    throw error;
  }
}
