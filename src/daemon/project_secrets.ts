/**
 * Which secrets an answer about a project must not hold.
 *
 * @module
 */

import type { Scope } from "../contract/operation.ts";
import { TaskmuxError } from "../domain/error.ts";
import { Redactor } from "../domain/redactor.ts";
import type { TaskSpec } from "../domain/task_spec.ts";
import type { SupervisorHost } from "../supervisor/host.ts";
import type { ProjectSupervisor } from "../supervisor/project_supervisor.ts";
import type { ContextTask } from "../supervisor/run_context.ts";
import type { Project } from "./project.ts";
import type { Projects } from "./projects.ts";

/** Most environments per project that are remembered as looked at. */
const MAX_SEEN = 4_096;

/** How often all env files of all projects are looked at. What a task gets is known without that. */
const LOOK_AT_ALL_MS = 1_000;

/** What is needed of the daemon. */
export interface ProjectSecretsOptions {
  readonly host: SupervisorHost;
  readonly projects: Projects;
}

/** See the module. */
export class ProjectSecrets {
  readonly #options: ProjectSecretsOptions;
  /** Environments that were looked at, by what they are made of. */
  readonly #seen = new WeakMap<ProjectSupervisor, Set<string>>();
  #lookedAtAll = -Infinity;
  readonly #texts = new WeakMap<TaskSpec["env"], string>();
  #ofAll: { readonly version: string; readonly redactor: Redactor } | null =
    null;

  constructor(options: ProjectSecretsOptions) {
    this.#options = options;
  }

  /** The secrets of a project: what its tasks have had since the daemon began, and would have now. */
  async of(scope: Scope): Promise<Iterable<string>> {
    const sessions = await this.#sessionsOf(scope);
    return new Set(this.#valuesOf(sessions));
  }

  /** Takes out the secrets of a project; of all projects if none is meant. Looks at each env file once. */
  async redactorFor(scope: Scope | null): Promise<Redactor> {
    const sessions = await this.#sessionsOf(scope);
    const { secrets } = this.#options.host;
    const [only] = sessions;
    if (only !== undefined && sessions.length === 1) {
      return secrets.redactorOf(only);
    }
    const version = sessions.map((session) =>
      `${session}:${secrets.versionOf(session)}`
    ).join();
    if (this.#ofAll?.version !== version) {
      const redactor = new Redactor(this.#valuesOf(sessions));
      this.#ofAll = { version, redactor };
    }
    return this.#ofAll.redactor;
  }

  *#valuesOf(sessions: readonly string[]): Generator<string> {
    for (const session of sessions) {
      yield* this.#options.host.secrets.of(session);
    }
  }

  async #sessionsOf(scope: Scope | null): Promise<readonly string[]> {
    const { host, projects } = this.#options;
    if (scope === null) {
      const now = host.clock.monotonic();
      if (now - this.#lookedAtAll >= LOOK_AT_ALL_MS) {
        this.#lookedAtAll = now;
        await this.#lookAt(projects.all);
      }
      return host.secrets.sessions;
    }
    const meant = projects.all.filter((each) =>
      each.id === scope.session || each.configPath === scope.config
    );
    await this.#lookAt(meant);
    const owners = meant.flatMap(({ supervisor }) => supervisor?.owner ?? []);
    await Promise.all(owners.map((each) => this.#look(each)));
    if (meant.length > 0) {
      return [...meant.map(({ id }) => id), ...owners.map(idOf)];
    }
    return scope.config === undefined ? [] : await this.#lookAside(scope);
  }

  async #lookAt(projects: readonly Project[]): Promise<void> {
    const supervisors = projects.flatMap(({ supervisor }) => supervisor ?? []);
    await Promise.all(supervisors.map((each) => this.#look(each)));
  }

  /** A project that is not registered, or named by another path. */
  async #lookAside(scope: Scope): Promise<readonly string[]> {
    try {
      await using looked = await this.#options.projects.look(scope);
      const { supervisor } = looked;
      const { owner } = supervisor;
      const both = owner === null ? [supervisor] : [supervisor, owner];
      await Promise.all(both.map((each) => this.#look(each)));
      return both.map(idOf);
    } catch (error) {
      // Its file is broken, so nothing of it was told either.
      if (error instanceof TaskmuxError) return [];
      throw error;
    }
  }

  #textOf(env: TaskSpec["env"]): string {
    const known = this.#texts.get(env);
    if (known !== undefined) return known;
    const text = JSON.stringify(env);
    this.#texts.set(env, text);
    return text;
  }

  async #look(project: ProjectSupervisor): Promise<void> {
    const stamps = new Map<string, string>();
    const files = new Set(
      project.ownRunners.flatMap(({ spec }) => spec.envFiles),
    );
    await Promise.all([...files].map(async (path) => {
      stamps.set(path, await stampOf(path));
    }));
    const seen = this.#seen.get(project) ?? new Set<string>();
    this.#seen.set(project, seen);
    if (seen.size > MAX_SEEN) seen.clear();
    for (const { name, spec, environment, isAdHoc } of project.ownRunners) {
      const present = spec.envFiles.filter((path) => stamps.get(path) !== "");
      // The keeper, which may know it, may be silent.
      const isKnown = project.host.environments.knows(environment);
      const key = JSON.stringify([
        isKnown ? environment : null,
        present.map((path) => stamps.get(path)),
        this.#textOf(spec.env),
      ]);
      if (seen.has(key)) continue;
      await noteEnvironment(project, {
        name,
        spec: { ...spec, envFiles: present },
        environment: isKnown ? environment : null,
        isAdHoc,
      });
      seen.add(key);
    }
  }
}

function idOf({ projectId }: ProjectSupervisor): string {
  return projectId;
}

/** Puts an environment together, by which it is noted; if that fails, what stands in the project's own file. */
async function noteEnvironment(
  project: ProjectSupervisor,
  task: ContextTask,
): Promise<void> {
  try {
    const address = { runId: null, port: null };
    await project.context.environmentOf(task, address);
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    const { host, projectId } = project;
    host.secrets.note(projectId, Object.fromEntries(task.spec.env));
  }
}

/** Changes when the file does; empty if there is none. */
async function stampOf(path: string): Promise<string> {
  try {
    const { ino, size, mtime } = await Deno.stat(path);
    return `${ino} ${size} ${mtime?.getTime()}`;
  } catch (error) {
    // Whatever it is, reading the file tells.
    if (error instanceof Error && "code" in error) return "";
    throw error;
  }
}
