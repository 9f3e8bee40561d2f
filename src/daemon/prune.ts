/**
 * Finds what earlier crashes and deletions left behind. Touches only what is provably ours.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import { isAtRest } from "../domain/task_machine.ts";
import { parseRunKey } from "../supervisor/launch_run.ts";
import { endStranger } from "./adoption.ts";
import { removeOrphan } from "./clean_up.ts";
import type { Services } from "./services.ts";

type Report = Result<"project.prune">["report"];

/** Reports, and with `apply` removes. A process of ours is one the keeper started and no task owns. */
export async function prune(
  services: Services,
  apply: boolean,
): Promise<Result<"project.prune">> {
  const report: Report = {
    stale_registry: await staleEntries(services),
    leaked_processes: await leakedProcesses(services),
    stale_leases: staleLeases(services),
    orphan_log_dirs: await orphanFolders(services),
  };
  if (!apply) return { ok: true, applied: false, report };
  const killed = await endLeaked(services);
  for (const { session } of report.stale_registry) {
    await services.projects.unregister(session);
  }
  for (const { session, task } of report.stale_leases) {
    services.store.leases.release(session, task);
  }
  for (const id of report.orphan_log_dirs) await removeOrphan(services, id);
  return {
    ok: true,
    applied: true,
    report,
    actions: {
      killed_pids: killed,
      unregistered: report.stale_registry.map((entry) => entry.session),
      released_ports: report.stale_leases.map((lease) => lease.port),
      removed_log_dirs: report.orphan_log_dirs,
    },
  };
}

async function staleEntries(
  services: Services,
): Promise<Report["stale_registry"]> {
  const stale: Report["stale_registry"] = [];
  for (const entry of await services.registry.list()) {
    if (await exists(entry.configPath)) continue;
    const supervisor = services.projects.find(entry.id)?.supervisor;
    if (supervisor?.isUp) continue;
    stale.push({
      session: entry.id,
      config_path: entry.configPath,
      reason: "config missing",
    });
  }
  return stale;
}

async function leakedProcesses(
  services: Services,
): Promise<Report["leaked_processes"]> {
  return (await leakedRuns(services)).map((run) => {
    const { projectId, task } = parseRunKey(run.key);
    return {
      session: projectId,
      task,
      pid: run.pid,
      reason: "no task owns this run",
    };
  });
}

/** Live runs of the keeper that no loaded project knows. Those of a project that cannot be loaded are not leaked. */
async function leakedRuns(services: Services) {
  const { runs } = await services.keeper.request("list", {});
  return runs.filter((run) => {
    if (run.ended !== null) return false;
    const { projectId, task } = parseRunKey(run.key);
    const project = services.projects.find(projectId);
    if (project === null) return true;
    if (project.supervisor === null) return false;
    const runner = project.supervisor.own(task);
    return runner === null || isAtRest(runner.machine);
  });
}

async function endLeaked(services: Services): Promise<number[]> {
  const leaked = await leakedRuns(services);
  for (const run of leaked) await endStranger(services.host, run);
  return leaked.map((run) => run.pid);
}

/** Ports of projects or tasks that are no more. */
function staleLeases(services: Services): Report["stale_leases"] {
  return services.store.leases.leases().filter(({ session, task }) => {
    const project = services.projects.find(session);
    if (project === null) return true;
    const { supervisor } = project;
    return supervisor !== null && supervisor.own(task) === null;
  }).map(({ session, task, port }) => ({ session, task, port }));
}

async function orphanFolders(services: Services): Promise<string[]> {
  const orphans: string[] = [];
  try {
    for await (const entry of Deno.readDir(services.paths.projects)) {
      if (await services.registry.get(entry.name) === null) {
        orphans.push(entry.name);
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return orphans.sort();
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
