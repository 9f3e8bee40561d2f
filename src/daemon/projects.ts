/**
 * Every project the daemon manages: registered, loaded, followed as its file changes, and let go.
 *
 * @module
 */

import { loadProject } from "../config/project_config.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { AssignedId } from "../domain/worktree_id.ts";
import type { ProjectSpec } from "../domain/task_spec.ts";
import { unknownSession } from "../domain/unknown_session.ts";
import type { Scope } from "../contract/operation.ts";
import type { Registry, RegistryEntry } from "../store/registry.ts";
import type { SupervisorHost } from "../supervisor/host.ts";
import { stopAll } from "../supervisor/stop_action.ts";
import { ProjectSupervisor } from "../supervisor/project_supervisor.ts";
import { TaskScope } from "../kit/task_scope.ts";
import {
  identifyProject,
  type ProjectIdentity as CheckoutIdentity,
} from "../worktree/identify_project.ts";
import type { Aliases } from "./aliases.ts";
import type { Certificates } from "./certificates.ts";
import { endSoon } from "./end_soon.ts";
import { LostFile } from "./lost_file.ts";
import { Project } from "./project.ts";
import { Sharing } from "./sharing.ts";
import type { Tunnels } from "./tunnels/tunnels.ts";
import { WorktreePlaces } from "./worktree_places.ts";

/** What projects need of the daemon. */
export interface ProjectsOptions {
  readonly host: SupervisorHost;
  readonly registry: Registry;
  readonly certificates: Pick<Certificates, "forget">;
  readonly aliases: Aliases;
  readonly tunnels: Pick<Tunnels, "forget" | "release">;
  /** See `ProjectOptions`. */
  serveNames(): Promise<void>;
  /** The daemon's own environment, for git. */
  environment(): Record<string, string>;
  /** Gives a freshly loaded project the runs it has. See `ProjectOptions`. */
  adopt(project: ProjectSupervisor): Promise<boolean>;
  /** Ends what still runs of a project that could not be loaded. Answers with the names of the tasks. */
  endRuns(projectId: string): Promise<string[]>;
}

/** See the module. */
export class Projects implements AsyncDisposable {
  readonly #options: ProjectsOptions;
  readonly #projects = new Map<string, Project>();
  /** Serialises registration, so that one path never gets two supervisors. */
  #turn: Promise<unknown> = Promise.resolve();
  #isEnding = false;
  readonly #places: WorktreePlaces;
  readonly #sharing = new Sharing({
    find: (config) => this.#byConfig(config),
    register: (config) => this.register(config, { force: false }),
  });
  /** Projects whose worktree is gone, until they are forgotten; each with the end of its tasks. */
  readonly #leaving = new Map<Project, Promise<readonly string[]>>();
  readonly #scope: TaskScope;

  constructor(options: ProjectsOptions) {
    this.#options = options;
    this.#places = new WorktreePlaces(options.host.store.meta);
    this.#scope = new TaskScope((error) =>
      options.host.onError(error, "projects")
    );
  }

  /** All managed projects, loaded or not. */
  get all(): readonly Project[] {
    return [...this.#projects.values()];
  }

  /** Loads every registered project. One that cannot be loaded is kept with its error. */
  async loadRegistered(): Promise<void> {
    const entries = await this.#options.registry.list();
    const isPrimary = (entry: RegistryEntry): boolean =>
      entry.worktreeId === null;
    // The others may share tasks with these.
    await this.#load(entries.filter(isPrimary));
    await this.#load(entries.filter((entry) => !isPrimary(entry)));
  }

  /** Loads what was registered behind our back. What is no longer registered stays: it may have tasks. */
  async loadNew(): Promise<void> {
    await this.#inTurn(async () => {
      const entries = await this.#options.registry.list();
      await this.#load(entries.filter(({ id }) => !this.#projects.has(id)));
    });
  }

  async #load(entries: readonly RegistryEntry[]): Promise<void> {
    await Promise.all(
      entries.map((entry) => this.#manage(entry).refresh()),
    );
  }

  /** The project of an id, or null. */
  find(id: string): Project | null {
    return this.#projects.get(id) ?? null;
  }

  /** From now on nothing may be started. */
  expectEnd(): void {
    this.#isEnding = true;
    for (const { supervisor } of this.all) supervisor?.expectEnd();
  }

  /**
   * The project an acting operation is about; an unknown one is registered. Its file is read again if it changed.
   *
   * @throws {TaskmuxError} E10x file problems, E303 unknown session, E305 registered elsewhere, E600 while the daemon ends.
   */
  async require(scope: Scope): Promise<ProjectSupervisor> {
    if (this.#isEnding) {
      throw new TaskmuxError(
        "E600",
        "Cannot start tasks: the daemon is ending",
        {
          hint: "Try again in a moment",
        },
      );
    }
    const project = scope.config === undefined
      ? this.requireSession(scope.session ?? "")
      : await this.register(scope.config, { force: false });
    await project.refresh();
    if (project.error !== null) throw TaskmuxError.fromShape(project.error);
    const supervisor = project.requireSupervisor();
    await this.#sharing.connect(supervisor, "act");
    return supervisor;
  }

  /**
   * The project an operation looks at or takes down. Nothing is registered; a broken file is no obstacle when an
   * earlier state of it is loaded.
   *
   * @throws {TaskmuxError} E10x if the file was never readable, E303 unknown session.
   */
  async look(scope: Scope): Promise<Looked> {
    const known = scope.config === undefined
      ? this.requireSession(scope.session ?? "")
      : this.#byConfig(scope.config);
    if (known !== null) {
      await known.refresh();
      const supervisor = known.requireSupervisor();
      await this.#sharing.connect(supervisor, "look");
      return {
        supervisor,
        project: known,
        warnings: [],
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    }
    return await this.#transient(scope.config ?? "");
  }

  /** The id of the managed project that is meant; null if there is none. Reads no file. */
  async sessionOf({ config, session }: Scope): Promise<string | null> {
    if (config === undefined) return this.find(session ?? "")?.id ?? null;
    const known = this.#byConfig(config);
    if (known !== null) return known.id;
    const path = await Deno.realPath(config).catch(() => config);
    return this.#byConfig(path)?.id ?? null;
  }

  /**
   * The managed project of a session.
   *
   * @throws {TaskmuxError} E303 if there is none.
   */
  requireSession(session: string): Project {
    const project = this.#projects.get(session);
    if (project !== undefined) return project;
    throw unknownSession(session, [...this.#projects.keys()]);
  }

  /**
   * Registers the project of a file, or finds it.
   *
   * @param options `force` lets the path replace another one of the same id; `isMoved`: it is the same one elsewhere.
   * @throws {TaskmuxError} E10x file problems, E305 registered elsewhere.
   */
  async register(
    configPath: string,
    options: { readonly force: boolean; readonly isMoved?: boolean },
  ): Promise<Project> {
    const path = await realPath(configPath);
    const known = this.#byConfig(path);
    if (known !== null) return known;
    return await this.#inTurn(() => this.#register(path, options));
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }

  async #register(
    path: string,
    options: { readonly force: boolean; readonly isMoved?: boolean },
  ): Promise<Project> {
    const known = this.#byConfig(path);
    if (known !== null) return known;
    await Promise.allSettled(this.#leaving.values());
    const spec = await this.#read(path);
    const identity = await this.#identify(spec, null);
    const { host, registry } = this.#options;
    const { projectId } = identity;
    const holder = await registry.get(projectId);
    if (options.force && holder !== null && holder.configPath !== path) {
      await this.#takeDown(projectId);
    }
    const entry = await registry.register({
      id: projectId,
      configPath: path,
      name: spec.name,
      worktreeId: identity.worktreeId,
    }, options);
    // It may be a stranger's: what was agreed to of another file of its name is not agreed to of this one.
    if (holder?.configPath !== path && !options.isMoved) {
      await this.#options.tunnels.forget(entry.id);
    }
    await this.#release(entry.id);
    const project = this.#manage(entry);
    await project.refresh();
    host.emit({
      event: "project_registered",
      session: entry.id,
      at: host.clock.now(),
      data: {
        config_path: path,
        name: entry.name,
        worktree_id: entry.worktreeId,
      },
    });
    return project;
  }

  /** Lets a project go: the caller has stopped its tasks. */
  async unregister(session: string): Promise<void> {
    const { host, registry, aliases, tunnels, certificates } = this.#options;
    await registry.unregister(session);
    await tunnels.forget(session);
    await this.#release(session);
    host.store.tasks.removeSession(session);
    aliases.forget(session);
    await certificates.forget(session);
    this.#places.forget(session);
    host.emit({
      event: "project_unregistered",
      session,
      at: host.clock.now(),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
    await Promise.all(
      this.all.map((project) => project[Symbol.asyncDispose]()),
    );
    this.#projects.clear();
  }

  #manage(entry: RegistryEntry): Project {
    const { id, configPath } = entry;
    const project: Project = new Project({
      id,
      configPath,
      host: this.#options.host,
      read: (path) => this.#read(path),
      adopt: this.#options.adopt,
      endRuns: () => this.#options.endRuns(id),
      identify: async (spec) => {
        const identity = await this.#identify(spec, entry);
        await this.#places.note(id, identity);
        this.#sharing.note(id, spec, identity);
        return identity;
      },
      hasAliases: () => this.#options.aliases.of(id).length > 0,
      share: (supervisor) => this.#sharing.connect(supervisor, "look"),
      onLost: () => this.#onLost(project),
      serveNames: () => this.#options.serveNames(),
    });
    this.#projects.set(id, project);
    return project;
  }

  async #release(id: string): Promise<void> {
    const project = this.#projects.get(id);
    if (project === undefined) return;
    this.#projects.delete(id);
    await this.#options.tunnels.release(id);
    await project[Symbol.asyncDispose]();
  }

  /** The file of a project is gone. @returns Whether its worktree is gone with it, or has moved. */
  async #onLost(project: Project): Promise<boolean> {
    if (this.#leaving.has(project)) return true;
    const fate = await this.#places.fateOf(project.id);
    if (fate?.kind === "removed") {
      this.#scope.run(() => this.#letGo(project));
      return true;
    }
    if (fate?.kind !== "moved") return false;
    const { id, configPath } = project;
    const config = this.#places.movedConfig(id, configPath, fate.path);
    if (!await isFile(config)) return false;
    this.#scope.run((signal) => this.#follow(project, config, signal));
    return true;
  }

  /** Its worktree was removed: ends its tasks, and frees its id, names and ports. Its logs stay, see `prune`. */
  async #letGo(project: Project): Promise<void> {
    const { id, supervisor } = project;
    // Not in turn: many worktrees may go at once, and none waits for another.
    const ending = supervisor === null
      ? this.#options.endRuns(id)
      : endSoon(supervisor);
    this.#leaving.set(project, ending);
    try {
      const tasks = await ending;
      await this.#inTurn(() => this.#forget(project, tasks));
    } finally {
      this.#leaving.delete(project);
    }
  }

  async #forget(project: Project, tasks: readonly string[]): Promise<void> {
    const { id, configPath } = project;
    const { host } = this.#options;
    // A new worktree in its place was faster.
    if (this.#projects.get(id) !== project) return;
    host.emit({
      event: "worktree_removed",
      session: id,
      at: host.clock.now(),
      data: {
        worktree_path: this.#places.find(id)?.path ?? null,
        config_path: configPath,
        tasks: [...tasks],
      },
    });
    await this.unregister(id);
    host.store.leases.releaseSession(id);
  }

  /** Its worktree was moved: what runs of it is started again where it is now, under the same id. */
  async #follow(
    project: Project,
    config: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { host } = this.#options;
    const { id, configPath } = project;
    const lostFile = new LostFile({ id, configPath, host });
    if (project.supervisor !== null) {
      await lostFile.takeDown(project.supervisor, signal);
    }
    await this.register(config, { force: false, isMoved: true });
  }

  /** The id gets another owner: what runs under it is ended, and what was wanted of its tasks is forgotten. */
  async #takeDown(id: string): Promise<void> {
    const supervisor = this.#projects.get(id)?.supervisor ?? null;
    if (supervisor === null) await this.#options.endRuns(id);
    else {
      const { signal } = new AbortController();
      await stopAll(supervisor, "shutdown", { signal });
    }
    await this.#options.tunnels.forget(id);
    await this.#release(id);
    this.#options.host.store.tasks.removeSession(id);
    this.#options.aliases.forget(id);
  }

  #byConfig(configPath: string): Project | null {
    return this.all.find((project) =>
      project.configPath === configPath && !this.#leaving.has(project)
    ) ?? null;
  }

  async #read(path: string): Promise<ProjectSpec> {
    const { HOME } = this.#options.environment();
    return await loadProject(path, HOME === undefined ? {} : { home: HOME });
  }

  async #identify(
    spec: ProjectSpec,
    assigned: AssignedId | null,
  ): Promise<CheckoutIdentity> {
    const { host, registry } = this.#options;
    const others = (await registry.list())
      .filter((entry) => entry.configPath !== spec.configPath);
    return await identifyProject({
      root: spec.root,
      name: spec.name,
      worktree: spec.worktree,
      assigned,
      taken: new Set(others.map((entry) => entry.id)),
      recall: (gitDir) => this.#places.recall(gitDir, others),
    }, {
      clock: host.clock,
      env: this.#options.environment(),
      signal: AbortSignal.timeout(GIT_TIMEOUT_MS),
    });
  }

  /** A look at a project that nobody has started: as it would be, nothing kept. */
  async #transient(configPath: string): Promise<Looked> {
    const path = await realPath(configPath);
    const known = this.#byConfig(path);
    if (known !== null) return await this.look({ config: path });
    const spec = await this.#read(path);
    const identity = await this.#identify(spec, null);
    const holder = await this.#options.registry.get(identity.projectId);
    const supervisor = new ProjectSupervisor(identity, spec, {
      ...this.#options.host,
      emit: () => {},
      // The id may be that of another checkout, which is registered and runs.
      saveTask: () => {},
      aliases: () => [],
    });
    if (holder === null) {
      this.#sharing.note(identity.projectId, spec, identity);
      await this.#sharing.connect(supervisor, "look");
    }
    return {
      supervisor,
      project: null,
      warnings: holder === null ? [] : [elsewhere(holder)],
      [Symbol.asyncDispose]: () => supervisor[Symbol.asyncDispose](),
    };
  }
}

/** A project that is looked at. Dispose it after the look. */
export interface Looked extends AsyncDisposable {
  readonly supervisor: ProjectSupervisor;
  /** Null when it is not registered. */
  readonly project: Project | null;
  readonly warnings: readonly string[];
}

/** Longest wait for git. */
const GIT_TIMEOUT_MS = 5_000;

function elsewhere(
  holder: { readonly id: string; readonly configPath: string },
): string {
  return `Session '${holder.id}' is registered for ${holder.configPath}; ` +
    "this folder's tasks cannot start until one of them gets another name";
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function realPath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new TaskmuxError("E100", `Cannot find config "${path}"`, {
      hint: "taskmux init",
      details: { path },
    });
  }
}
