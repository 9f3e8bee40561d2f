/**
 * A project as it is on disk: its file, its place in the registry, what the store remembers of it.
 *
 * Without a daemon nothing supervises it. So nothing here says that anything runs, although a keeper may still hold
 * tasks; then a warning says so.
 *
 * @module
 */

import { logFile, type Paths } from "../config/paths.ts";
import { loadProject } from "../config/project_config.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { ProjectSpec, TaskSpec } from "../domain/task_spec.ts";
import { closest } from "../kit/did_you_mean.ts";
import { systemClock } from "../kit/clock.ts";
import type { RegistryEntry } from "../store/registry.ts";
import { Store } from "../store/store.ts";
import { openRegistry } from "./registry.ts";
import {
  identifyProject,
  primaryConfig,
  type ProjectIdentity,
} from "../worktree/identify_project.ts";

/** Longest wait for git. */
const GIT_TIMEOUT_MS = 5_000;

/** Where an answer without a daemon comes from. */
export interface Disk {
  readonly paths: Paths;
  /** The environment, for git. */
  readonly env: () => Record<string, string>;
}

/** A project on disk. Close it after use. */
export interface ProjectFiles extends Disposable {
  readonly spec: ProjectSpec;
  readonly identity: ProjectIdentity;
  readonly isRegistered: boolean;
  /** The project of the primary checkout, if it is registered and tasks are shared with it. */
  readonly owner: ProjectFiles | null;
  /** Tasks of the file, then ad-hoc ones. */
  readonly tasks: ReadonlyMap<string, TaskSpec>;
  /** Null when nothing was ever stored. */
  readonly store: Store | null;
  readonly warnings: readonly string[];
}

/**
 * Opens a project without registering it. Git is asked only if need be: an id that was assigned stays.
 *
 * @param config Absolute path of its file.
 * @param options `checkout`: the branch and the worktree must be told, too. `tolerant`: a damaged state database is a
 * warning.
 * @throws {TaskmuxError} E10x and E21x if the file cannot be used; E601 if a newer taskmux wrote the state, E900 if it
 * is damaged.
 */
export async function openProjectFiles(
  disk: Disk,
  config: string,
  options: { readonly checkout?: boolean; readonly tolerant?: boolean } = {},
): Promise<ProjectFiles> {
  const { paths, env } = disk;
  // As the daemon knows it.
  const spec = await loadProject(await Deno.realPath(config), {
    home: env()["HOME"],
  });
  const warnings: string[] = [];
  const registry = openRegistry(paths, warnings);
  const known = await registry.findByConfig(spec.configPath);
  const isShared = hasShared(spec) && known?.worktreeId !== null;
  const identity = known !== null && options.checkout !== true && !isShared
    ? identityOf(known)
    : await askGit(spec, { known, entries: await registry.list(), env });
  const store = openStore(paths, options.tolerant === true ? warnings : null);
  const owner = isShared ? await openOwner(disk, spec, identity) : null;
  return {
    spec,
    identity,
    isRegistered: known !== null,
    owner,
    tasks: allTasks(spec, store, identity.projectId),
    store,
    warnings,
    [Symbol.dispose]: () => {
      owner?.[Symbol.dispose]();
      store?.close();
    },
  };
}

function hasShared({ tasks }: ProjectSpec): boolean {
  return tasks.values().some(({ scope }) => scope === "repo");
}

/** Null if it is not registered, or cannot be used. */
async function openOwner(
  disk: Disk,
  { configPath }: ProjectSpec,
  identity: ProjectIdentity,
): Promise<ProjectFiles | null> {
  const config = primaryConfig(configPath, identity);
  if (config === null) return null;
  const entry = await openRegistry(disk.paths, []).findByConfig(config);
  if (entry === null) return null;
  try {
    return await openProjectFiles(disk, config, { tolerant: true });
  } catch (error) {
    const isUnusable = error instanceof TaskmuxError ||
      error instanceof Deno.errors.NotFound;
    if (isUnusable) return null;
    throw error;
  }
}

/** The project in which a task runs. */
export function homeOf(project: ProjectFiles, task: string): ProjectFiles {
  const isShared = project.spec.tasks.get(task)?.scope === "repo";
  const { owner } = project;
  return isShared && owner !== null && owner.tasks.has(task) ? owner : project;
}

function openStore(paths: Paths, warnings: string[] | null): Store | null {
  try {
    return Store.openReadOnly(paths);
  } catch (error) {
    const isDamage = error instanceof TaskmuxError && error.code === "E900";
    if (!isDamage || warnings === null) throw error;
    warnings.push(
      `${error.message}; "${error.hint ?? "taskmux doctor"}" repairs it`,
    );
    return null;
  }
}

function identityOf({ id, worktreeId }: RegistryEntry): ProjectIdentity {
  return {
    projectId: id,
    worktreeId,
    branch: null,
    isLinked: worktreeId !== null,
    worktreePath: null,
    primaryPath: null,
    gitDir: null,
    commonDir: null,
  };
}

interface Registered {
  readonly known: RegistryEntry | null;
  readonly entries: readonly RegistryEntry[];
}

async function askGit(
  spec: ProjectSpec,
  { known, entries, env }: Registered & Pick<Disk, "env">,
): Promise<ProjectIdentity> {
  const others = entries.filter((entry) =>
    entry.configPath !== spec.configPath
  );
  const identity = await identifyProject({
    root: spec.root,
    name: spec.name,
    worktree: spec.worktree,
    assigned: known === null
      ? null
      : { id: known.id, name: known.name, worktreeId: known.worktreeId },
    taken: new Set(others.map((entry) => entry.id)),
  }, {
    clock: systemClock,
    signal: AbortSignal.timeout(GIT_TIMEOUT_MS),
    env: env(),
  });
  // As in the daemon: what was assigned stays, wherever the files are now.
  return known === null
    ? identity
    : { ...identity, projectId: known.id, worktreeId: known.worktreeId };
}

/**
 * A task of a project.
 *
 * @throws {TaskmuxError} E200 if there is none of that name.
 */
export function requireTask(
  tasks: ReadonlyMap<string, TaskSpec>,
  name: string,
): TaskSpec {
  const spec = tasks.get(name);
  if (spec !== undefined) return spec;
  const near = closest(name, tasks.keys());
  throw new TaskmuxError("E200", `Task '${name}' not found in config`, {
    ...near === null ? {} : { hint: `did you mean "${near}"?` },
    details: { task: name, known: [...tasks.keys()] },
  });
}

/** The current log file of a task. */
export function logPath(
  paths: Paths,
  project: ProjectFiles,
  { name }: Pick<TaskSpec, "name">,
): string {
  const { identity, tasks } = homeOf(project, name);
  return tasks.get(name)?.log.file ??
    logFile(paths, identity.projectId, name);
}

function allTasks(
  spec: ProjectSpec,
  store: Store | null,
  projectId: string,
): ReadonlyMap<string, TaskSpec> {
  const tasks = new Map(spec.tasks);
  for (const [name, { adhoc }] of store?.tasks.desired(projectId) ?? []) {
    if (adhoc === null || tasks.has(name)) continue;
    const adhocSpec = readSpec(adhoc);
    if (adhocSpec !== null) tasks.set(name, adhocSpec);
  }
  return tasks;
}

/** An ad-hoc task as the daemon stored it; null if another version stored it in another way. */
function readSpec(text: string): TaskSpec | null {
  try {
    const spec = JSON.parse(text) as TaskSpec;
    const isWhole = typeof spec.command === "string" &&
      Array.isArray(spec.dependsOn) && typeof spec.restart === "object" &&
      typeof spec.log === "object";
    return isWhole ? spec : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
