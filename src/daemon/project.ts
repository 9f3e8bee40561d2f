/**
 * One managed project: its file, its supervisor once the file could be read, and the watch on the file.
 *
 * @module
 */

import { type ErrorShape, TaskmuxError } from "../domain/error.ts";
import { isAtRest } from "../domain/task_machine.ts";
import type { ProjectSpec } from "../domain/task_spec.ts";
import { TaskScope } from "../kit/task_scope.ts";
import { contentMark, watchConfig } from "../supervisor/config_watch.ts";
import type { SupervisorHost } from "../supervisor/host.ts";
import {
  type ProjectIdentity,
  ProjectSupervisor,
} from "../supervisor/project_supervisor.ts";
import { LostFile } from "./lost_file.ts";
import { resumeActions } from "../supervisor/resume_actions.ts";
import { startTasks } from "../supervisor/start_action.ts";
import { stopNamed } from "../supervisor/stop_action.ts";

/** Quiet time after a change of the file before it is read. */
const RELOAD_DEBOUNCE_MS = 100;

/** How long a file must be the same until it counts as saved. */
const QUIET_MS = 30;

/** How often that is waited for; a file that is written all the time is read as it is. */
const QUIET_LOOKS_MAX = 10;

/** How long a file must be the same before running tasks are ended because it does not name them any more. */
const REMOVAL_QUIET_MS = 300;

/** How often that is waited for. A file that never rests keeps its running tasks. */
const REMOVAL_LOOKS_MAX = 10;

/** How long a file may be gone before its tasks are taken down: editors and git replace files. */
const MISSING_GRACE_MS = 2_000;

/** How often a file that is gone is asked whether its worktree is gone as well. */
const LOST_LOOK_MS = 1_000;

/** What a project needs. */
export interface ProjectOptions {
  readonly id: string;
  /** Real path. */
  readonly configPath: string;
  readonly host: SupervisorHost;
  /** Reads and checks the file. */
  read(configPath: string): Promise<ProjectSpec>;
  /** @returns Whether what an earlier daemon had begun is to be finished. */
  adopt(supervisor: ProjectSupervisor): Promise<boolean>;
  /** Ends the runs of this project although nothing is known of it but its id. Answers with the names of their tasks. */
  endRuns(): Promise<string[]>;
  identify(spec: ProjectSpec): Promise<ProjectIdentity>;
  /** Whether it has names that do not stand in the file. */
  hasAliases(): boolean;
  /** Lets a freshly loaded project share tasks with that of the primary checkout. */
  share(supervisor: ProjectSupervisor): Promise<void>;
  /** The file is not there any more. @returns Whether this project is about to be let go. */
  onLost(): Promise<boolean>;
  /** Has the proxy serve, which it does from the first name on. */
  serveNames(): Promise<void>;
}

/** A file that could be used. */
interface Reading {
  readonly spec: ProjectSpec;
  /** As {@linkcode contentMark} tells it. */
  readonly content: string;
}

/** How the file is. */
export type ProjectState = "ok" | "config_missing" | "error";

/** See the module. */
export class Project implements AsyncDisposable {
  readonly id: string;
  readonly configPath: string;
  readonly #options: ProjectOptions;
  readonly #scope: TaskScope;
  #supervisor: ProjectSupervisor | null = null;
  #error: ErrorShape | null = null;
  #stamp: string | null = null;
  /** The content that is in force, as {@linkcode contentMark} tells it. */
  #content: string | null = null;
  readonly #lostFile: LostFile;
  /** Grows each time the file is seen. */
  #sightings = 0;
  #refreshing: Promise<void> | null = null;

  constructor(options: ProjectOptions) {
    this.id = options.id;
    this.configPath = options.configPath;
    this.#options = options;
    this.#lostFile = new LostFile(options);
    this.#scope = new TaskScope((error) =>
      options.host.onError(error, `project ${options.id}`)
    );
    this.#scope.run((signal) => this.#follow(signal));
  }

  /** Why the file as it is now is not in force; null = it is. */
  get error(): ErrorShape | null {
    return this.#error;
  }

  get state(): ProjectState {
    if (this.#error === null) return "ok";
    return this.#error.error_code === "E100" ? "config_missing" : "error";
  }

  /** Null until the file could be read once. */
  get supervisor(): ProjectSupervisor | null {
    return this.#supervisor;
  }

  /**
   * The supervisor.
   *
   * @throws {TaskmuxError} E10x if the file was never readable.
   */
  requireSupervisor(): ProjectSupervisor {
    if (this.#supervisor !== null) return this.#supervisor;
    throw this.#error === null
      ? new TaskmuxError("E900", `Cannot use project "${this.id}": not loaded`)
      : TaskmuxError.fromShape(this.#error);
  }

  /** What went down with the file stays down, for the daemon is being stopped. */
  expectEnd(): void {
    this.#lostFile.forget();
  }

  /** Reads the file if it changed since the last time. Callers share a reading that begins after they asked. */
  async refresh(): Promise<void> {
    await this.#refreshing;
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null;
    });
    await this.#refreshing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
    await this.#supervisor?.[Symbol.asyncDispose]();
  }

  async #refresh(): Promise<void> {
    const stamp = await fileStamp(this.configPath);
    if (stamp !== null) this.#sightings++;
    // What kept the proxy from serving may be over.
    const { spec } = this.#supervisor ?? {};
    if (spec !== undefined && hasNames(spec)) await this.#options.serveNames();
    if (stamp !== null && stamp === this.#stamp) return;
    if (this.#stamp !== null) await this.#untilQuiet();
    let found = await this.#read();
    for (let look = 0; found !== null && this.#endsTasks(found.spec); look++) {
      // Half a file can be valid, and must not end the tasks of the other half.
      if (look === REMOVAL_LOOKS_MAX) return this.#lookAgain();
      const before = this.#stamp;
      await this.#options.host.clock.sleep(
        REMOVAL_QUIET_MS,
        this.#scope.signal,
      );
      if (await fileStamp(this.configPath) === before) break;
      found = await this.#read();
    }
    if (found === null) return;
    // Before anything starts: tasks are told addresses that work.
    if (hasNames(found.spec) || this.#options.hasAliases()) {
      await this.#options.serveNames();
    }
    const isNews = found.content !== this.#content || this.#error !== null;
    this.#content = found.content;
    this.#error = null;
    if (this.#supervisor === null) await this.#tryLoad(found.spec);
    else if (isNews) this.#reload(this.#supervisor, found.spec);
    if (this.#supervisor !== null) this.#lostFile.bringBack(this.#supervisor);
  }

  /** The file as it is now; null if it cannot be used, which is noted. */
  async #read(): Promise<Reading | null> {
    // Before the reading: what is written meanwhile is seen the next time.
    this.#stamp = await fileStamp(this.configPath);
    const content = await contentMark(this.configPath);
    try {
      const spec = await this.#options.read(this.configPath);
      if (spec.tasks.size > 0) return { spec, content };
      const hadTasks = (this.#supervisor?.spec.tasks.size ?? 0) > 0;
      // An editor that writes in place empties the file first; and whoever means it can remove the tasks one by one.
      if (!hadTasks || !await isEmpty(this.configPath)) {
        return { spec, content };
      }
      throw emptyFile(this.configPath);
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      this.#refuse(error.toShape());
      return null;
    }
  }

  /** Whether something runs that this file does not name any more. */
  #endsTasks(spec: ProjectSpec): boolean {
    const supervisor = this.#supervisor;
    if (supervisor !== null) {
      return supervisor.ownRunners.some(({ name, machine }) =>
        supervisor.spec.tasks.has(name) && !spec.tasks.has(name) &&
        !isAtRest(machine)
      );
    }
    const { runs, tasks } = this.#options.host.store;
    const adHoc = tasks.desired(this.id);
    return runs.live().some(({ session, task }) =>
      session === this.id && !spec.tasks.has(task) &&
      (adHoc.get(task)?.adhoc ?? null) === null
    );
  }

  /** The file does not rest: what runs runs on, and it is read again. */
  #lookAgain(): void {
    this.#stamp = "";
    this.#scope.run(async (signal) => {
      await this.#options.host.clock.sleep(REMOVAL_QUIET_MS, signal);
      await this.refresh();
    });
  }

  /** Waits until nobody has written to the file for a moment. */
  async #untilQuiet(): Promise<void> {
    const { clock } = this.#options.host;
    let stamp = await fileStamp(this.configPath);
    for (let look = 0; look < QUIET_LOOKS_MAX; look++) {
      await clock.sleep(QUIET_MS, this.#scope.signal);
      const next = await fileStamp(this.configPath);
      if (next === stamp) break;
      stamp = next;
    }
  }

  #refuse(error: ErrorShape): void {
    const isNews = this.#error?.error !== error.error;
    this.#error = error;
    if (!isNews) return;
    this.#emit("config_error", {
      error_code: error.error_code,
      // The picture of the place that follows may show values that belong into no file of ours.
      reason: error.error.split("\n")[0] ?? "",
    });
  }

  /** What fails, because the keeper does not answer, is tried again at the next look at the file. */
  async #tryLoad(spec: ProjectSpec): Promise<void> {
    try {
      await this.#load(spec);
    } catch (error) {
      this.#stamp = null;
      throw error;
    }
  }

  async #load(spec: ProjectSpec): Promise<void> {
    const identity = await this.#options.identify(spec);
    const supervisor = new ProjectSupervisor(
      { ...identity, projectId: this.id },
      spec,
      this.#options.host,
    );
    const { pending } = supervisor;
    // Before anything of it is brought back: it may depend on what is shared.
    await this.#options.share(supervisor);
    const isToFinish = await this.#options.adopt(supervisor);
    this.#supervisor = supervisor;
    this.#options.host.store.atomically(() => {
      const added = this.#noteTasks(spec);
      if (supervisor.isUp) this.#startAdded(supervisor, added);
    });
    if (!isToFinish) pending.forget();
    const { left } = pending;
    if (left.length === 0) return;
    this.#scope.run(async (signal) => {
      try {
        await resumeActions(supervisor, left, { signal });
      } finally {
        // Tried once. What fails is told by the tasks; only a daemon that ends meanwhile leaves it to the next.
        if (!signal.aborted) pending.forget();
      }
    });
  }

  #reload(supervisor: ProjectSupervisor, spec: ProjectSpec): void {
    const wasUp = supervisor.isUp;
    // A task that is noted as known and was not started would stay down if we crashed in between.
    this.#options.host.store.atomically(() => {
      const { added, removed, changed } = supervisor.setSpec(spec);
      this.#noteTasks(spec);
      this.#emit("config_reloaded", { added, removed, changed });
      this.#scope.run((signal) => this.#removeTasks(removed, signal));
      if (wasUp) this.#startAdded(supervisor, added);
    });
  }

  /**
   * Writes down which tasks the file has.
   *
   * @returns Those that came into it while no daemon looked.
   */
  #noteTasks(spec: ProjectSpec): string[] {
    const { meta } = this.#options.host.store;
    const key = `known_tasks:${this.id}`;
    const names = [...spec.tasks.keys()];
    const text = JSON.stringify(names);
    const before = meta.get(key);
    if (before === text) return [];
    meta.set(key, text);
    if (before === null) return [];
    const known = new Set(JSON.parse(before) as string[]);
    return names.filter((name) => !known.has(name));
  }

  /** New tasks of a project that is up come up too. */
  #startAdded(supervisor: ProjectSupervisor, added: readonly string[]): void {
    if (!supervisor.spec.autoStart) return;
    for (const name of added) {
      const runner = supervisor.own(name);
      if (runner === null || !runner.spec.autoStart) continue;
      if (supervisor.homeOf(name) !== supervisor) {
        this.#scope.run((signal) =>
          this.#startShared(supervisor, name, signal)
        );
        continue;
      }
      runner.environment ??= supervisor.ownRunners.find((other) =>
        other.environment !== null
      )?.environment ?? null;
      runner.dispatch({ type: "start", isGated: true });
    }
  }

  /** A shared task is started where it runs, with what it depends on there. */
  async #startShared(
    supervisor: ProjectSupervisor,
    name: string,
    signal: AbortSignal,
  ): Promise<void> {
    await startTasks(supervisor, {
      names: [name],
      ifStopped: true,
      withDependencies: true,
      untilHealthy: false,
      timeoutMs: 0,
      environment: null,
    }, { signal });
  }

  /** Tasks that left the file are ended, then forgotten. */
  async #removeTasks(
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const supervisor = this.#supervisor;
    if (supervisor === null) return;
    const active = (): string[] =>
      names.filter((name) => {
        const runner = supervisor.own(name);
        return runner !== null && !isAtRest(runner.machine) &&
          !supervisor.spec.tasks.has(name);
      });
    const asker = { signal };
    try {
      await stopNamed(supervisor, active(), { manner: "stop", asker });
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
    }
    // What a hook would not let go cannot stay without its entry either.
    await stopNamed(supervisor, active(), { manner: "kill", asker });
    for (const name of names) {
      if (!supervisor.spec.tasks.has(name)) await supervisor.forget(name);
      // It came back while it was being stopped.
      else if (supervisor.isUp) this.#startAdded(supervisor, [name]);
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const changes = watchConfig(this.configPath, {
      debounceMs: RELOAD_DEBOUNCE_MS,
      clock: this.#options.host.clock,
      signal,
    });
    for await (const change of changes) {
      if (change === "missing") {
        this.#scope.run((scopeSignal) => this.#afterLoss(scopeSignal));
      } else {
        await this.refresh();
      }
    }
  }

  /** The file is gone: unless it is back soon, its tasks go too. With its worktree they go at once. */
  async #afterLoss(signal: AbortSignal): Promise<void> {
    const sightings = this.#sightings;
    const { clock } = this.#options.host;
    if (await this.#options.onLost()) return;
    await clock.sleep(MISSING_GRACE_MS, signal);
    await this.refresh();
    const isGone = (): boolean =>
      this.state === "config_missing" && this.#sightings === sightings;
    if (!isGone()) return;
    await this.#takeDown(signal);
    // A large worktree takes its time to be deleted, and may lose this file first.
    while (isGone() && !await this.#options.onLost()) {
      await clock.sleep(LOST_LOOK_MS, signal);
    }
  }

  async #takeDown(signal: AbortSignal): Promise<void> {
    if (this.#supervisor !== null) {
      return await this.#lostFile.takeDown(this.#supervisor, signal);
    }
    // It went while no daemon looked. What runs of it is known to the keeper only.
    const ended = await this.#options.endRuns();
    if (ended.length > 0) this.#lostFile.tell(ended);
  }

  #emit(
    event: "config_reloaded" | "config_error",
    data: Record<string, string | string[]>,
  ): void {
    const { host } = this.#options;
    host.emit({ event, session: this.id, at: host.clock.now(), data });
  }
}

function hasNames({ tasks }: ProjectSpec): boolean {
  return tasks.values().some(({ host }) => host !== null);
}

async function isEmpty(path: string): Promise<boolean> {
  try {
    return (await Deno.readTextFile(path)).trim() === "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function emptyFile(path: string): TaskmuxError {
  return new TaskmuxError("E104", `Cannot use "${path}": it is empty`, {
    hint: "taskmux stop, if its tasks are to end",
  });
}

/** Changes whenever the file's content may have changed; null = it cannot be seen, and its reader knows why. */
async function fileStamp(path: string): Promise<string | null> {
  try {
    const info = await Deno.stat(path);
    return `${info.ino}:${info.size}:${info.mtime?.getTime()}:${info.ctime?.getTime()}`;
  } catch (error) {
    const isOutOfSight = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.FilesystemLoop;
    if (isOutOfSight) return null;
    throw error;
  }
}
