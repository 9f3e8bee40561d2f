/**
 * The end of the daemon, with or without its tasks.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import type { SupervisorHost } from "../supervisor/host.ts";
import { stopAll } from "../supervisor/stop_action.ts";
import { noteStopped } from "./adoption.ts";
import type { KeeperLink } from "./keeper_link.ts";
import type { Project } from "./project.ts";
import type { Projects } from "./projects.ts";
import type { RunRecovery } from "./run_recovery.ts";
import type { Tunnels } from "./tunnels/tunnels.ts";

/** What became of the tasks, as `session/task`. */
export interface ShutDownReport {
  readonly stopped: readonly string[];
  /** Tasks of which something may still run, with the reason. */
  readonly left: readonly { readonly task: string; readonly reason: string }[];
}

/** What is ended. */
export interface ShutDownParts {
  readonly projects: Projects;
  readonly recovery: RunRecovery;
  readonly keeper: KeeperLink;
  readonly tunnels: Pick<Tunnels, "end">;
  readonly host: SupervisorHost;
  /** Lets the process go. */
  end(how: { readonly keepTasks: boolean }): void;
}

/** Ends the daemon, once: who asks again gets the same report. */
export function createShutDown(
  parts: ShutDownParts,
): (options: { readonly keepTasks: boolean }) => Promise<ShutDownReport> {
  let under: Promise<ShutDownReport> | null = null;
  return ({ keepTasks }) => under ??= shutDown(parts, keepTasks);
}

async function shutDown(
  parts: ShutDownParts,
  keepTasks: boolean,
): Promise<ShutDownReport> {
  const { projects, recovery, keeper, host } = parts;
  try {
    projects.expectEnd();
    if (!keepTasks) await parts.tunnels.end();
    recovery.noteShutdown(keepTasks ? "keep" : "clean");
    if (keepTasks) saveEverything(projects, host);
    const report = keepTasks
      ? { stopped: [], left: [] }
      : await stopEverything(parts);
    const left = report.left.map(({ task }) => task);
    host.emit({
      event: "daemon_stopped",
      session: null,
      at: systemClock.now(),
      data: {
        pid: Deno.pid,
        kept_tasks: keepTasks,
        ...(left.length === 0 ? {} : { left }),
      },
    });
    keeper.expectEnd();
    if (!keepTasks) await endKeeper(keeper);
    return report;
  } finally {
    parts.end({ keepTasks });
  }
}

/** For the next daemon, which then need not ask first whether what is healthy is so. */
function saveEverything(projects: Projects, { store }: SupervisorHost): void {
  store.atomically(() => {
    for (const { supervisor } of projects.all) {
      for (const runner of supervisor?.ownRunners ?? []) runner.save();
    }
  });
}

/** Takes every task down; projects wait for each other only where one shares tasks with another. */
async function stopEverything(parts: ShutDownParts): Promise<ShutDownReport> {
  const { all } = parts.projects;
  const isBorrower = ({ supervisor }: Project): boolean =>
    (supervisor?.owner ?? null) !== null;
  const borrowers = Promise.all(
    all.filter(isBorrower).map((project) => stopProject(project, parts)),
  );
  const others = all.filter((project) => !isBorrower(project));
  const reports = await Promise.all(others.map(async (project) => {
    if ((project.supervisor?.borrowers.size ?? 0) > 0) await borrowers;
    return await stopProject(project, parts);
  }));
  reports.push(...await borrowers);
  return {
    stopped: reports.flatMap(({ stopped }) => stopped),
    left: reports.flatMap(({ left }) => left),
  };
}

async function stopProject(
  project: Project,
  parts: ShutDownParts,
): Promise<ShutDownReport> {
  const { supervisor, id } = project;
  project.expectEnd();
  if (supervisor === null) return await endUnread(id, parts);
  const { signal } = new AbortController();
  const { outcomes } = await stopAll(supervisor, "shutdown", { signal });
  return {
    stopped: outcomes.filter(({ error }) => error === null)
      .map(({ task }) => `${id}/${task}`),
    left: outcomes.flatMap(({ task, error }) =>
      error === null ? [] : [{ task: `${id}/${task}`, reason: error.error }]
    ),
  };
}

/** A project whose file cannot be read may have tasks of an earlier daemon. */
async function endUnread(
  id: string,
  { recovery, host }: ShutDownParts,
): Promise<ShutDownReport> {
  try {
    const tasks = await recovery.endRunsOf(id);
    for (const task of tasks) noteStopped(host, id, task);
    return { stopped: tasks.map((task) => `${id}/${task}`), left: [] };
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    return { stopped: [], left: [{ task: `${id}/?`, reason: error.message }] };
  }
}

/** A keeper that still has something to hold refuses, and lives on for the next controller. */
async function endKeeper(keeper: KeeperLink): Promise<void> {
  try {
    await keeper.request("shutdown", {});
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
  }
}
