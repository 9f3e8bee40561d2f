/**
 * Handlers of the operations that change a project's file, or read it again.
 *
 * @module
 */

import { refreshBlocks } from "../../agents/refresh_blocks.ts";
import { addTask } from "../../config/edit_toml.ts";
import {
  canEdit,
  type EditedFile,
  editProject,
  refuseIfNeeded,
  removalOf,
} from "../../config/edit_project.ts";
import { addressesOf } from "../../domain/address.ts";
import type { Params } from "../../contract/mod.ts";
import type { Scope } from "../../contract/operation.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { isAtRest } from "../../domain/task_machine.ts";
import { stopNamed } from "../../supervisor/stop_action.ts";
import type { CallContext, Handlers } from "../dispatcher.ts";
import { expectedProxy } from "../front_view.ts";
import type { Project } from "../project.ts";
import type { Services } from "../services.ts";

type ProjectFileHandlers = Pick<
  Handlers,
  "project.add_task" | "project.remove_task" | "project.resync"
>;

/** See the module. */
export function projectFileHandlers(services: Services): ProjectFileHandlers {
  return {
    "project.add_task": (params) => add(services, params),
    "project.remove_task": (params, context) =>
      remove(services, params, context),
    "project.resync": (params) => resync(services, params),
  };
}

async function add(
  services: Services,
  { scope, task, command, ...others }: Params<"project.add_task">,
): ReturnType<ProjectFileHandlers["project.add_task"]> {
  const file = fileOf(services, scope);
  const fields = {
    command,
    ...Object.fromEntries(
      Object.entries(others).filter(([, value]) => value !== undefined),
    ),
  };
  const { before, after } = await editProject(
    file,
    (text) => addTask(text, task, fields),
  );
  const blocks = await refreshBlocks(services.paths.hostConfig, after);
  await projectOf(services, scope)?.refresh();
  return {
    ok: true,
    task,
    command,
    action: before.tasks.has(task) ? "replaced" : "added",
    config: file.config,
    agent_files_rewritten: blocks.outcomes.map(({ path }) => path),
    warnings: [...blocks.warnings],
  };
}

async function remove(
  services: Services,
  { scope, task, edit }: Params<"project.remove_task">,
  context: CallContext,
): ReturnType<ProjectFileHandlers["project.remove_task"]> {
  const question = { scope, task };
  if (!edit) {
    return { ok: true, stopped: await end(services, question, context) };
  }
  const file = fileOf(services, scope);
  const removal = removalOf(task);
  // Nothing may be stopped before it is certain that it can be removed.
  const isInFile = await canEdit(file, removal);
  const stopped = await end(services, question, context).catch(
    (error: unknown) => {
      // What the file says was not loaded, so nothing of it runs.
      const isUnknown = error instanceof TaskmuxError && error.code === "E200";
      if (isInFile && isUnknown) return false;
      throw error;
    },
  );
  if (isInFile) {
    const { after } = await editProject(file, removal);
    await refreshBlocks(services.paths.hostConfig, after);
  }
  await projectOf(services, scope)?.refresh();
  return { ok: true, stopped };
}

/** Ends a task if it may go. @returns Whether it ran. */
async function end(
  { projects }: Services,
  { scope, task }: { readonly scope: Scope; readonly task: string },
  { signal }: CallContext,
): Promise<boolean> {
  await using looked = await projects.look(scope);
  const project = looked.supervisor;
  const runner = project.runner(task);
  refuseIfNeeded(project.tasks, task);
  const isUp = project.own(task) === runner && !isAtRest(runner.machine);
  if (isUp) {
    await stopNamed(project, [task], { manner: "stop", asker: { signal } });
  }
  if (runner.isAdHoc) await project.forget(task);
  return isUp;
}

async function resync(
  services: Services,
  { session }: Params<"project.resync">,
): ReturnType<ProjectFileHandlers["project.resync"]> {
  const { projects, registry } = services;
  const hosts = (): Set<string> =>
    new Set(
      projects.all.filter(({ id }) => session === undefined || id === session)
        .flatMap((project) => hostsOf(services, project)),
    );
  const before = hosts();
  await projects.loadNew();
  const meant = session === undefined
    ? projects.all
    : [projects.requireSession(session)];
  await Promise.all(meant.map((project) => project.refresh()));
  const after = hosts();
  return {
    ok: true,
    count: (await registry.list()).length,
    added: [...after.difference(before)],
    dropped: [...before.difference(after)],
  };
}

function hostsOf(services: Services, { supervisor }: Project): string[] {
  if (supervisor === null) return [];
  const book = {
    ...supervisor.addressBook(),
    proxy: expectedProxy(services),
  };
  return addressesOf(book).flatMap(({ host }) => host === null ? [] : [host]);
}

function fileOf({ projects, environment }: Services, scope: Scope): EditedFile {
  const config = scope.config ??
    projects.requireSession(scope.session ?? "").configPath;
  return { config, home: environment()["HOME"] };
}

/** The managed project of a scope; its file was just changed. */
function projectOf({ projects }: Services, scope: Scope): Project | null {
  return scope.session === undefined
    ? projects.all.find(({ configPath }) => configPath === scope.config) ?? null
    : projects.find(scope.session);
}
