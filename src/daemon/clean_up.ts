/**
 * Deletes what a project or the host has gathered. Never while it is in use, unless forced, and then it is stopped first.
 *
 * @module
 */

import type { Params, Result } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import { cleanLogs } from "../logs/log_files.ts";
import { logTarget } from "../supervisor/launch_run.ts";
import type { ProjectSupervisor } from "../supervisor/project_supervisor.ts";
import { stopAll } from "../supervisor/stop_action.ts";
import { activeTasks } from "./project_view.ts";
import type { Services } from "./services.ts";

type Report = { deleted: string[]; skipped: string[]; unregistered: string[] };

/**
 * Cleans up.
 *
 * @throws {TaskmuxError} E301 if tasks run and it is not forced; nothing is deleted then.
 */
export async function cleanUp(
  services: Services,
  params: Params<"project.clean">,
  signal: AbortSignal,
): Promise<Result<"project.clean">> {
  const reports: Record<string, Report> = {};
  const target = await targetOf(services, params);
  const affected = params.what.includes("all") || target === null
    ? services.projects.all.flatMap((project) => project.supervisor ?? [])
    : [target];
  await requireIdle(affected, params, signal);
  for (const what of params.what) {
    reports[what] = await cleanOne(services, {
      what,
      target,
      isDryRun: params.dry_run,
    });
  }
  return { ok: true, dry_run: params.dry_run, reports };
}

async function targetOf(
  services: Services,
  params: Params<"project.clean">,
): Promise<ProjectSupervisor | null> {
  if (params.scope === undefined) return null;
  const looked = await services.projects.look(params.scope);
  return looked.supervisor;
}

async function requireIdle(
  projects: readonly ProjectSupervisor[],
  params: Params<"project.clean">,
  signal: AbortSignal,
): Promise<void> {
  const busy = projects.filter((project) => project.isUp);
  const [first] = busy;
  if (first === undefined || params.dry_run) return;
  if (!params.force) {
    throw new TaskmuxError(
      "E301",
      `Cannot clean session '${first.projectId}': ${
        activeTasks(first).join(", ")
      } still runs`,
      {
        hint: "taskmux stop, or taskmux clean --force",
        details: { session: first.projectId, tasks: activeTasks(first) },
      },
    );
  }
  // Logs and events can go under a running task; its state cannot.
  const isState = params.what.some((what) =>
    what === "project" || what === "all"
  );
  if (!isState) return;
  for (const project of busy) await stopAll(project, "stop", { signal });
}

interface CleanRequest {
  readonly what: Params<"project.clean">["what"][number];
  readonly target: ProjectSupervisor | null;
  readonly isDryRun: boolean;
}

async function cleanOne(
  services: Services,
  request: CleanRequest,
): Promise<Report> {
  const report: Report = { deleted: [], skipped: [], unregistered: [] };
  const { target } = request;
  switch (request.what) {
    case "logs":
      if (target !== null) await cleanLogsOf(target, request, report);
      break;
    case "events":
      cleanEvents(services, request, report);
      break;
    case "certs":
      if (target !== null) {
        await cleanCertificates(services, target.projectId, request, report);
      }
      break;
    case "project":
      if (target !== null) {
        await cleanProject(services, target, request, report);
      }
      break;
    case "all":
      await cleanAll(services, request, report);
      break;
  }
  return report;
}

async function cleanLogsOf(
  project: ProjectSupervisor,
  request: CleanRequest,
  report: Report,
): Promise<void> {
  for (const runner of project.ownRunners) {
    const { path } = logTarget(
      runner.spec,
      project.host.logFile(project.projectId, runner.name),
    );
    if (await exists(path)) report.deleted.push(path);
    if (!request.isDryRun) await cleanLogs([path]);
  }
}

function cleanEvents(
  services: Services,
  request: CleanRequest,
  report: Report,
): void {
  report.deleted.push(services.paths.eventsMirror);
  if (!request.isDryRun) services.store.events.clear();
}

/** A proxy that serves the project signs a new one with the next connection. */
async function cleanCertificates(
  { certificates }: Services,
  projectId: string,
  request: CleanRequest,
  report: Report,
): Promise<void> {
  const folder = certificates.folderOf(projectId);
  if (folder !== null) report.deleted.push(folder);
  if (!request.isDryRun) await certificates.forget(projectId);
}

async function cleanProject(
  services: Services,
  target: ProjectSupervisor,
  request: CleanRequest,
  report: Report,
): Promise<void> {
  await cleanLogsOf(target, request, report);
  const folder = `${services.paths.projects}/${target.projectId}`;
  if (await exists(folder)) report.deleted.push(folder);
  const certificates = services.certificates.folderOf(target.projectId);
  if (certificates !== null) report.deleted.push(certificates);
  report.unregistered.push(target.projectId);
  if (request.isDryRun) return;
  await forgetProject(services, target.projectId);
  await removeFolder(folder);
}

async function cleanAll(
  services: Services,
  request: CleanRequest,
  report: Report,
): Promise<void> {
  for (const project of services.projects.all) {
    report.unregistered.push(project.id);
    if (!request.isDryRun) await forgetProject(services, project.id);
  }
  const { projects, certs } = services.paths;
  for (const folder of [projects, certs]) {
    report.deleted.push(folder);
    if (!request.isDryRun) await removeFolder(folder);
  }
  cleanEvents(services, request, report);
}

/** Deletes the logs of a project that is not registered, and what is remembered of its runs. */
export async function removeOrphan(
  { paths, registry, store }: Services,
  id: string,
): Promise<void> {
  // A new one may have taken its place meanwhile.
  if (await registry.get(id) !== null) return;
  store.runs.removeSession(id);
  store.cursors.removeSession(id);
  await removeFolder(`${paths.projects}/${id}`);
}

async function forgetProject(services: Services, id: string): Promise<void> {
  const { store, projects, aliases } = services;
  if (projects.find(id) !== null) await projects.unregister(id);
  store.runs.removeSession(id);
  store.cursors.removeSession(id);
  aliases.forget(id);
  for (const lease of store.leases.leases()) {
    if (lease.session === id) store.leases.release(id, lease.task);
  }
}

async function removeFolder(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
