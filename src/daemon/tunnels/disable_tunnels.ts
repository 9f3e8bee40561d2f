/**
 * `tunnel disable`: closes, withdraws this machine's consent, and takes the tunnels out of the file. What is of ours at a
 * provider goes when that is asked for.
 *
 * @module
 */

import { tunnelRemoval } from "../../config/edit_tunnel_settings.ts";
import { editProject } from "../../config/edit_project.ts";
import type { Params, Result } from "../../contract/mod.ts";
import { TaskmuxError } from "../../domain/error.ts";
import type { TunnelBackend } from "../../domain/tunnel.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { CallContext } from "../dispatcher.ts";
import type { Services } from "../services.ts";
import type { ProjectTunnels } from "./project_tunnels.ts";

/**
 * Does it. What a provider cannot be told stays to be told: the answer says what is left, and the same call again goes on
 * from there.
 *
 * @throws {TaskmuxError} E200 for a task that is none, before anything was done; what is wrong with the project's file, after
 * its tunnels were closed.
 */
export async function disableTunnels(
  services: Services,
  params: Params<"tunnel.disable">,
  { signal }: CallContext,
): Promise<Result<"tunnel.disable">> {
  await using looked = await services.projects.look(params.scope);
  const project = looked.supervisor;
  const { projectId } = project;
  const tunnels = await services.tunnels.of(project);
  const { notes } = tunnels;
  const tasks = tasksWithTunnel(project, tunnels, params.tasks);
  const before = backendsOf(project, tunnels, tasks);
  const { warnings } = await tunnels.down(tasks, "disabled");
  if (warnings.length > 0) {
    notes.changeSetup({
      untold: [...new Set([...notes.setup.untold, ...before])],
    });
  }
  await takeOut(services, project, { tasks, tunnels });
  const environment = params.env === undefined
    ? null
    : await services.host.environments.remember(params.env);
  const release = await releaseAll(services, tunnels, {
    prune: params.prune,
    environment,
    signal,
  });
  const { error, removed, left } = release;
  const [backend = "cloudflare"] = before;
  const shape = error?.toShape();
  return {
    ok: error === null,
    backend,
    project_id: projectId,
    pruned: params.prune && error === null,
    tasks_disabled: tasks,
    removed: [...removed],
    left: [...left],
    // What could not be told when they were closed has been told now, or is the error.
    warnings: [],
    ...shape === undefined ? {} : { error_code: shape.error_code },
    error: shape?.error ?? null,
    ...shape?.hint === undefined ? {} : { hint: shape.hint },
  };
}

/** Of the named ones, or all, those that have anything to do with a tunnel. */
function tasksWithTunnel(
  project: ProjectSupervisor,
  { notes }: ProjectTunnels,
  named: readonly string[],
): string[] {
  for (const task of named) project.runner(task);
  const inFile = [...project.spec.tasks.values()].filter((spec) =>
    spec.tunnel !== null || spec.publicHostname !== null
  ).map(({ name }) => name);
  const all = new Set([...inFile, ...notes.records.map(({ task }) => task)]);
  return named.length === 0
    ? [...all]
    : [...new Set(named)].filter((task) => all.has(task));
}

function backendsOf(
  { spec }: ProjectSupervisor,
  { notes }: ProjectTunnels,
  tasks: readonly string[],
): TunnelBackend[] {
  const found = tasks.flatMap((task) =>
    notes.find(task)?.backend ?? spec.tasks.get(task)?.tunnel ?? []
  );
  return [...new Set(found as TunnelBackend[])];
}

async function takeOut(
  services: Services,
  { spec, projectId }: ProjectSupervisor,
  { tasks, tunnels }: {
    readonly tasks: readonly string[];
    readonly tunnels: ProjectTunnels;
  },
): Promise<void> {
  const named = tasks.filter((task) => {
    const { tunnel = null, publicHostname = null } = spec.tasks.get(task) ?? {};
    return tunnel !== null || publicHostname !== null;
  });
  if (named.length === 0) return;
  const file = {
    config: spec.configPath,
    home: services.environment()["HOME"],
  };
  const { notes } = tunnels;
  const { traces } = notes.setup;
  const { after } = await editProject(file, tunnelRemoval(named, traces));
  if (after.tunnel.zoneId !== traces.zoneId) {
    notes.changeSetup({ traces: { zoneId: null, madeTable: false } });
  }
  await services.projects.find(projectId)?.refresh();
}

interface Released {
  readonly removed: readonly string[];
  readonly left: readonly string[];
  readonly error: TaskmuxError | null;
}

/** Each provider that has no tunnel left: has it remove what is ours, or at least know that nothing is public. */
async function releaseAll(
  services: Services,
  tunnels: ProjectTunnels,
  { prune, environment, signal }: {
    readonly prune: boolean;
    readonly environment: string | null;
    readonly signal: AbortSignal;
  },
): Promise<Released> {
  const { notes } = tunnels;
  const meant = new Set([
    ...notes.setup.untold,
    ...prune ? notes.remembered : [],
  ]);
  const removed: string[] = [];
  const left: string[] = [];
  let failure: TaskmuxError | null = null;
  for (const backend of meant) {
    const user = notes.records.find((record) => record.backend === backend);
    if (user !== undefined) {
      left.push(`What is set up at ${backend}: task "${user.task}" uses it`);
      continue;
    }
    try {
      const provider = await services.tunnels.provider(backend);
      const how = { prune, environment };
      const released = await tunnels.release(provider, how, signal);
      removed.push(...released.removed);
      left.push(...released.left);
      const { untold } = notes.setup;
      notes.changeSetup({ untold: untold.filter((each) => each !== backend) });
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      left.push(
        `What is set up at ${backend}, which leads to nothing here: ${error.message}`,
      );
      failure ??= leftover(error, prune);
    }
  }
  return { removed, left, error: failure };
}

function leftover(error: TaskmuxError, prune: boolean): TaskmuxError {
  const again = `taskmux tunnel disable${prune ? " --prune" : ""}`;
  const hint = error.hint === undefined
    ? again
    : `${error.hint}; then: ${again}`;
  return new TaskmuxError(
    "E741",
    `The tasks are not public any more, but not all is tidied up: ${error.message}`,
    { hint, cause: error },
  );
}
