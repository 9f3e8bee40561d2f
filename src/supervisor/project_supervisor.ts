/**
 * All tasks of one project: who may start when, what changed, and what the file now says.
 *
 * Actions (start, stop, …) are functions of their own that drive this. Tasks never wait for each other here; a waiting
 * task is woken by the change of what it waits for.
 *
 * @module
 */

import {
  dependencyError,
  type DependencyView,
  judgeDependency,
} from "../domain/readiness.ts";
import type { AddressBook } from "../domain/address.ts";
import { routesOf } from "../domain/alias.ts";
import { TaskmuxError } from "../domain/error.ts";
import { isAtRest, runOf } from "../domain/task_machine.ts";
import type { ProjectSpec, TaskSpec } from "../domain/task_spec.ts";
import type { WaitingFor } from "../domain/task_view.ts";
import type { Progress } from "../contract/wire.ts";
import { isTunnelProgram } from "../domain/tunnel.ts";
import { closest } from "../kit/did_you_mean.ts";
import { currentBranch } from "../worktree/current_branch.ts";
import { addressBookOf } from "./address_book_of.ts";
import type { SupervisorHost } from "./host.ts";
import type { ContextTask, RunAddress, RunContext } from "./run_context.ts";
import {
  type EnvironmentRequest,
  type ProjectContext,
  taskEnvironment,
} from "./environment.ts";
import { PendingActions } from "./pending_actions.ts";
import { progressOf } from "./task_progress.ts";
import { TaskRunner } from "./task_runner.ts";

/** How a project is called and where it stands, beside its file. */
export interface ProjectIdentity {
  readonly projectId: string;
  readonly worktreeId: string | null;
  readonly branch: string | null;
  readonly isLinked: boolean;
}

/** See the module. */
export class ProjectSupervisor implements AsyncDisposable {
  readonly identity: ProjectIdentity;
  readonly host: SupervisorHost;
  readonly pending: PendingActions;
  readonly #runners = new Map<string, TaskRunner>();
  readonly #listeners = new Set<(changed: ReadonlySet<string>) => void>();
  #changedNames = new Set<string>();
  readonly #ungated = new Set<string>();
  /** The project of the primary checkout, whose tasks this one shares. */
  #owner: ProjectSupervisor | null = null;
  #obstacle: string | null = null;
  readonly #borrowers = new Set<ProjectSupervisor>();
  #spec: ProjectSpec;
  #isEvaluating = false;
  #isDirty = false;
  #isEnding = false;
  #isClosed = false;

  constructor(
    identity: ProjectIdentity,
    spec: ProjectSpec,
    host: SupervisorHost,
  ) {
    this.identity = identity;
    this.#spec = spec;
    this.host = host;
    this.pending = new PendingActions(host.store.meta, identity.projectId);
    for (const task of spec.tasks.values()) this.#add(task, false);
  }

  get projectId(): string {
    return this.identity.projectId;
  }

  /** The file as it was last read without error. */
  get spec(): ProjectSpec {
    return this.#spec;
  }

  /** All runners, those of shared tasks too: the file's tasks in its order, then ad-hoc ones. */
  get runners(): readonly TaskRunner[] {
    const inFile = [...this.#spec.tasks.keys()]
      .flatMap((name) => this.find(name) ?? []);
    const others = [...this.#runners.values()]
      .filter((runner) => !this.#spec.tasks.has(runner.name));
    return [...inFile, ...others];
  }

  /** The runners of tasks that run here, in the same order. */
  get ownRunners(): readonly TaskRunner[] {
    return this.runners.filter((runner) => this.own(runner.name) === runner);
  }

  /** Specs of all tasks by name, ad-hoc ones included. What a shared one depends on is the business of its owner. */
  get tasks(): ReadonlyMap<string, TaskSpec> {
    return new Map(this.runners.map(({ name, spec }) => [
      name,
      this.homeOf(name) === this ? spec : { ...spec, dependsOn: [] },
    ]));
  }

  /** The project that the tasks with the scope `repo` are shared from; null = they run here, each for itself. */
  get owner(): ProjectSupervisor | null {
    return this.#owner;
  }

  /** The linked worktrees that share tasks of this project. */
  get borrowers(): ReadonlySet<ProjectSupervisor> {
    return this.#borrowers;
  }

  /** Why the owner is missing although it should not be; null = it is not, or nobody needed it yet. */
  get sharingObstacle(): string | null {
    return this.#obstacle;
  }

  /** Shares tasks with the project of the primary checkout from now on; null = with none, perhaps because of an obstacle. */
  shareFrom(
    owner: ProjectSupervisor | null,
    obstacle: string | null = null,
  ): void {
    this.#obstacle = obstacle;
    if (owner === this.#owner) return;
    if (this.#owner !== null) this.#owner.#borrowers.delete(this);
    if (owner !== null) owner.#borrowers.add(this);
    this.#owner = owner;
    this.#changed();
  }

  /** The project in which a task runs: this one, or the one that it is shared from. */
  homeOf(name: string): ProjectSupervisor {
    const owner = this.#owner;
    const shared = owner?.own(name) ?? null;
    const isShared = this.#spec.tasks.get(name)?.scope === "repo";
    if (owner === null || shared === null || !isShared) return this;
    // It has left the owner's file, and is about to be forgotten.
    if (!owner.spec.tasks.has(name) && isAtRest(shared.machine)) return this;
    const own = this.own(name);
    // It was started here while there was none to share.
    return own === null || isAtRest(own.machine) ? owner : this;
  }

  /** The runner of a task of this project's own, shared or not; null if there is none. */
  own(name: string): TaskRunner | null {
    return this.#runners.get(name) ?? null;
  }

  /**
   * The runner of a task.
   *
   * @throws {TaskmuxError} E200 with a suggestion if there is none.
   */
  runner(name: string): TaskRunner {
    const runner = this.find(name);
    if (runner !== null) return runner;
    const near = closest(name, [...this.#runners.keys()]);
    throw new TaskmuxError("E200", `Task '${name}' not found in config`, {
      hint: near === null ? "taskmux status" : `did you mean "${near}"?`,
      details: { task: name, known: [...this.#runners.keys()] },
    });
  }

  /** The runner of a task, of a shared one that of its owner, or null. */
  find(name: string): TaskRunner | null {
    return this.homeOf(name).own(name);
  }

  /** Whether any task of the project itself runs or is about to. */
  get isUp(): boolean {
    return this.#runners.values().some((runner) =>
      !isAtRest(runner.machine) && !isTunnelProgram(runner.spec)
    );
  }

  /** From now on nothing is started. */
  expectEnd(): void {
    this.#isEnding = true;
  }

  /** Lets a task start whatever its dependencies are, once. */
  ignoreDependencies(name: string): void {
    this.#ungated.add(name);
  }

  /**
   * Resolves with the first value other than undefined that `check` returns; it is asked now and after every change.
   * Rejects with the signal's reason.
   */
  until<T>(check: () => T | undefined, signal: AbortSignal): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const onAbort = (): void => finish(() => reject(signal.reason));
    const onChange = (): void => {
      try {
        const value = check();
        if (value !== undefined) finish(() => resolve(value));
      } catch (error) {
        finish(() => reject(error));
      }
    };
    const finish = (settle: () => void): void => {
      this.#listeners.delete(onChange);
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    if (signal.aborted) return Promise.reject(signal.reason);
    this.#listeners.add(onChange);
    signal.addEventListener("abort", onAbort, { once: true });
    onChange();
    return promise;
  }

  /** Tells every change of a task's state until the signal aborts. */
  watchProgress(
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): void {
    const told = new Map<string, string>();
    const onChange = (changed: ReadonlySet<string>): void => {
      for (const runner of this.runners) {
        const isWaiting = runner.machine.phase.status === "waiting";
        if (!isWaiting && !changed.has(runner.name)) continue;
        const progress = progressOf(runner);
        const key = JSON.stringify(progress);
        if (told.get(runner.name) === key) continue;
        told.set(runner.name, key);
        onProgress(progress);
      }
    };
    this.#listeners.add(onChange);
    signal.addEventListener("abort", () => this.#listeners.delete(onChange), {
      once: true,
    });
  }

  /** Adds a task that is not in the file, or replaces the one of that name. */
  addAdHoc(spec: TaskSpec): TaskRunner {
    const known = this.#runners.get(spec.name);
    if (known !== undefined) {
      known.setSpec(spec);
      return known;
    }
    return this.#add(spec, true);
  }

  /** Forgets a task at rest. */
  async forget(name: string): Promise<void> {
    const runner = this.#runners.get(name);
    if (runner === undefined) return;
    this.#runners.delete(name);
    this.host.store.tasks.remove(this.projectId, name);
    await runner[Symbol.asyncDispose]();
    this.#changed();
  }

  /** What a new file changes. The caller acts on it: this starts and stops nothing. */
  setSpec(
    spec: ProjectSpec,
  ): {
    readonly added: string[];
    readonly removed: string[];
    readonly changed: string[];
  } {
    const before = this.#spec.tasks;
    const removed = [...before.keys()].filter((name) => !spec.tasks.has(name));
    const added: string[] = [];
    const changed: string[] = [];
    this.#spec = spec;
    for (const [name, task] of spec.tasks) {
      const runner = this.#runners.get(name);
      if (runner === undefined) {
        this.#add(task, false);
        added.push(name);
        continue;
      }
      if (runner.spec.digest !== task.digest) changed.push(name);
      runner.setSpec(task);
    }
    this.#changed();
    return { added, removed, changed };
  }

  /** Delivers the end of a run. Unknown runs are ignored. */
  ended(
    task: string,
    end: {
      readonly runId: string;
      readonly code: number | null;
      readonly signal: string | null;
      readonly at: number;
    },
  ): void {
    this.#runners.get(task)?.dispatch({
      type: "ended",
      runId: end.runId,
      exit: { code: end.code, signal: end.signal, at: end.at },
    });
  }

  /** The environment of the project's own hooks. */
  async hookEnvironment(
    environment: string | null,
  ): Promise<Record<string, string>> {
    const { TASKMUX_TASK: _, ...env } = await this.#environment({
      base: (await this.host.environments.recall(environment)).env,
      task: { ...this.#spec, name: "", cwd: this.#spec.root },
      runId: null,
      port: null,
    });
    return env;
  }

  /** Environment, ownership and name for runs of this project. */
  get context(): RunContext {
    return {
      projectId: this.projectId,
      root: this.#spec.root,
      configPath: this.#spec.configPath,
      name: this.#spec.name,
      worktreeId: this.identity.worktreeId,
      environmentOf: (task, run) => this.#environmentOf(task, run),
      ownsRun: (task, runId) => {
        const runner = this.#runners.get(task);
        return runner !== undefined &&
          runOf(runner.machine)?.runId === runId;
      },
    };
  }

  /** What the addresses of its tasks and aliases are made of. */
  addressBook(): AddressBook {
    return addressBookOf(this);
  }

  /** The port of a task: of its run, else the one it will probably get. */
  portOf(runner: TaskRunner): number | null {
    const run = runOf(runner.machine);
    if (run !== null) return run.port;
    if (!runner.spec.wantsPort) return null;
    return runner.spec.port ??
      this.host.store.leases.leaseOf(
        this.homeOf(runner.name).projectId,
        runner.name,
      );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.shareFrom(null);
    for (const borrower of [...this.#borrowers]) borrower.shareFrom(null);
    await Promise.all(
      [...this.#runners.values()].map((runner) =>
        runner[Symbol.asyncDispose]()
      ),
    );
  }

  async #environmentOf(
    task: ContextTask,
    { runId, port }: RunAddress,
  ): Promise<Record<string, string>> {
    const { env: base } = await this.host.environments.recall(
      task.environment,
    );
    return await this.#environment({ base, task: task.spec, runId, port });
  }

  /** What is in it is known as a secret before anybody can print it. */
  async #environment(
    request: Omit<EnvironmentRequest, "project" | "caPath" | "caBundle">,
  ): Promise<Record<string, string>> {
    const env = await taskEnvironment({
      ...request,
      project: await this.projectFacts(),
      caPath: this.host.caPath(),
      caBundle: this.host.caBundle(),
    });
    this.host.secrets.note(this.projectId, env, this.#runners.keys());
    return env;
  }

  /** What tasks and shells are told about the project, with the branch as it is now. */
  async projectFacts(): Promise<ProjectContext> {
    const branch = await currentBranch(this.#spec.root);
    const { tasks, aliases, proxy } = this.addressBook();
    return {
      name: this.#spec.name,
      ...this.identity,
      ...branch === undefined ? {} : { branch },
      routes: routesOf(tasks, aliases),
      proxy,
    };
  }

  #add(spec: TaskSpec, isAdHoc: boolean): TaskRunner {
    const runner = new TaskRunner({
      spec,
      context: this.context,
      host: this.host,
      isAdHoc,
      onChange: () => this.#changed(spec.name),
      waitingFor: () => this.#waitingFor(spec.name),
      isEnding: () => this.#isEnding,
    });
    this.#runners.set(spec.name, runner);
    return runner;
  }

  #viewOf(name: string): DependencyView | null {
    const runner = this.find(name);
    if (runner === null) return null;
    const snapshot = runner.snapshot();
    return {
      // A process that was spawned a moment ago is no evidence yet: it may be about to crash, or be a one-shot.
      snapshot: { ...snapshot, healthy: snapshot.healthy && runner.isSettled },
      isUnhealthyFinal: isUnhealthyFinal(runner),
    };
  }

  #waitingFor(name: string): WaitingFor[] {
    const runner = this.#runners.get(name);
    if (runner?.machine.phase.status !== "waiting") return [];
    return runner.spec.dependsOn.flatMap((dependency) => {
      const view = this.#viewOf(dependency.task);
      if (judgeDependency(dependency, view) === "satisfied") return [];
      return [{ ...dependency, state: view?.snapshot.state ?? "stopped" }];
    });
  }

  /** Something changed: opens gates until nothing moves, then tells those who wait. */
  #changed(name?: string): void {
    if (name !== undefined) this.#changedNames.add(name);
    this.#isDirty = true;
    if (this.#isEvaluating || this.#isClosed) return;
    this.#isEvaluating = true;
    try {
      while (this.#isDirty) {
        this.#isDirty = false;
        for (const runner of this.#runners.values()) this.#openGate(runner);
      }
    } finally {
      this.#isEvaluating = false;
    }
    const changed = this.#changedNames;
    this.#changedNames = new Set();
    for (const listener of [...this.#listeners]) listener(changed);
    for (const borrower of [...this.#borrowers]) {
      borrower.#ownerChanged(changed);
    }
  }

  /** What is shared may be what a task here waits for. */
  #ownerChanged(names: ReadonlySet<string>): void {
    for (const name of names) {
      if (this.homeOf(name) !== this) this.#changedNames.add(name);
    }
    this.#changed();
  }

  #openGate(runner: TaskRunner): void {
    if (runner.machine.phase.status !== "waiting") return;
    if (this.#ungated.delete(runner.name)) {
      return runner.dispatch({ type: "gate", error: null });
    }
    let isPending = false;
    for (const dependency of runner.spec.dependsOn) {
      const view = this.#viewOf(dependency.task);
      const verdict = judgeDependency(dependency, view);
      if (verdict === "failed") {
        const error = dependencyError(runner.spec, dependency, view);
        return runner.dispatch({ type: "gate", error });
      }
      isPending ||= verdict === "pending";
    }
    if (!isPending) runner.dispatch({ type: "gate", error: null });
  }
}

/** Whether an unhealthy task stays so: nothing will restart it by itself. */
export function isUnhealthyFinal(runner: TaskRunner): boolean {
  const { phase, gaveUp } = runner.machine;
  if (gaveUp) return true;
  if (phase.status !== "running") return false;
  const { health, restart } = runner.spec;
  return restart.policy === "no" &&
    phase.health.failures >= Math.max(1, health.retries);
}
