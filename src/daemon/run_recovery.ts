/**
 * Knows which runs there are beside the projects that own them: at the start of the daemon, when a project is loaded
 * later, when the keeper tells of an end, and when the keeper itself is lost.
 *
 * @module
 */

import type { KeeperNotice, KeeperRun } from "../pty/protocol.ts";
import type { Registry } from "../store/registry.ts";
import { type RunRow, UNKNOWN_BOOT } from "../store/run_table.ts";
import type { Store } from "../store/store.ts";
import type { SupervisorHost } from "../supervisor/host.ts";
import { parseRunKey } from "../supervisor/launch_run.ts";
import type { ProjectSupervisor } from "../supervisor/project_supervisor.ts";
import type { TaskRunner } from "../supervisor/task_runner.ts";
import {
  adoptRuns,
  deliverEnd,
  deliverLoss,
  deliverReplaced,
  endStranger,
  recallEnvironments,
  restoreTasks,
  type ResumePolicy,
  resumeTasks,
} from "./adoption.ts";
import type { EventBus } from "./event_bus.ts";
import type { KeeperLink } from "./keeper_link.ts";
import type { Project } from "./project.ts";
import type { Projects } from "./projects.ts";
import { rememberRuns, SHUTDOWN_KEY } from "./state_rebuild.ts";

const BOOT_KEY = "boot_id";
/** Pid of the keeper whose death has still to be told; empty = told. */
const KEEPER_KEY = "keeper_pid";

/** What recovery works with once the daemon is wired. */
export interface RecoveryParts {
  readonly host: SupervisorHost;
  readonly keeper: KeeperLink;
  readonly projects: Projects;
}

/** Tasks that an earlier daemon had, where that is not told by what it left. */
export interface Takeover {
  /** What was up comes back, although it was taken down. */
  readonly resume: boolean;
  /** The keeper was told to end, with all its runs. */
  readonly isReplaced: boolean;
}

const USUAL: Takeover = { resume: false, isReplaced: false };

/** A project that is given its runs. */
interface Loading {
  readonly project: ProjectSupervisor;
  /** What was told of its runs meanwhile, and waits until it has them; null = it has. */
  told: ((isStopped: boolean) => Promise<void>)[] | null;
}

/** See the module. */
export class RunRecovery {
  readonly #store: Store;
  readonly #bus: EventBus;
  readonly #registry: Registry;
  readonly #isStateLost: () => boolean;
  readonly #onRemembered: (keys: readonly string[]) => void;
  #parts: RecoveryParts | null = null;
  #policy: ResumePolicy = "none";
  /** Whether the last daemon was told to end everything, whatever else was under way. */
  #wasStopped = false;
  /** Runs of the store that no keeper has; each is delivered to its project once. */
  #lost: RunRow[] = [];
  /** Runs that the keeper had which died last. */
  #suspects: readonly RunRow[] = [];
  /** Projects whose file could not be read yet: what they had is still to be brought back. */
  readonly #unread = new Set<string>();
  /** Projects as they are loaded; forgotten with them. */
  readonly #loading = new WeakMap<Project, Loading>();

  constructor(
    options: {
      readonly store: Store;
      readonly bus: EventBus;
      readonly registry: Registry;
      /** Whether the database or the registry was begun anew. */
      readonly isStateLost: () => boolean;
      /** Told which runs only the keeper knew. */
      readonly onRemembered: (keys: readonly string[]) => void;
    },
  ) {
    this.#store = options.store;
    this.#bus = options.bus;
    this.#registry = options.registry;
    this.#isStateLost = options.isStateLost;
    this.#onRemembered = options.onRemembered;
  }

  /** Looks at what an earlier controller left. Before projects are loaded. */
  async begin(
    parts: RecoveryParts,
    { resume, isReplaced }: Takeover = USUAL,
  ): Promise<void> {
    this.#parts = parts;
    const { bootId } = parts.keeper;
    const kept = await this.#kept();
    this.#wasStopped = this.#store.meta.get(SHUTDOWN_KEY) === "clean";
    const boot = this.#store.meta.get(BOOT_KEY);
    const isBoot = boot === null
      // A database that was begun anew. No run outlives a boot; what was stopped in order stays so.
      ? kept.length === 0 && !this.#wasStopped
      : boot !== bootId;
    this.#policy = isBoot || (resume && !isReplaced)
      ? "all"
      : this.#wasStopped || (isReplaced && !resume)
      ? "none"
      : "interrupted";
    this.#store.meta.set(SHUTDOWN_KEY, "");
    // Looks at the registry, and so repairs it.
    await this.#registry.list();
    const remembered = await rememberRuns({
      store: this.#store,
      registry: this.#registry,
      bootId,
      isLost: this.#isStateLost(),
    }, kept);
    if (remembered.length > 0) this.#onRemembered(remembered);
    const known = new Set(kept.map((run) => run.runId));
    const missing = this.#store.runs.live()
      .filter((row) => !known.has(row.runId));
    const mayLive = (row: RunRow): boolean =>
      row.bootId === bootId || row.bootId === UNKNOWN_BOOT;
    const lost = missing.filter(mayLive);
    for (const row of missing) {
      if (mayLive(row)) continue;
      // Nothing outlives a boot.
      this.#store.runs.end(row.runId, {
        code: null,
        signal: null,
        at: parts.host.clock.now(),
        reason: "boot",
      });
    }
    for (const { id } of await this.#registry.list()) this.#unread.add(id);
    const before = this.#store.meta.get(KEEPER_KEY);
    this.#noteKeeper();
    const isTold = before === "" || before === String(parts.keeper.pid);
    if (lost.length > 0 && !isTold && !isReplaced) {
      this.#tellLoss(lost, before === null ? null : Number(before));
    }
    await this.#reclaim(lost, () => {});
    // Nobody is surprised by the end of what was told to end, so no restart policy has to do with it.
    if (isReplaced) {
      for (const row of lost) {
        deliverReplaced(parts.host, row);
      }
    } else this.#lost = lost;
  }

  /**
   * Gives a freshly loaded project its tasks' states and runs, and starts what is to be started.
   *
   * @returns Whether actions that were under way are to be finished.
   */
  async adopt(project: ProjectSupervisor): Promise<boolean> {
    const { projectId } = project;
    const managed = this.#require().projects.find(projectId);
    // A project that is new has nothing to be brought back.
    const isOld = this.#unread.has(projectId);
    const policy = isOld ? this.#policy : "none";
    const loading: Loading = { project, told: [] };
    if (managed !== null) this.#loading.set(managed, loading);
    const restless = restoreTasks(project);
    const kept = (await this.#kept()).filter((run) =>
      parseRunKey(run.key).projectId === projectId
    );
    const lost = this.#lost.filter((row) => row.session === projectId);
    await recallEnvironments(project);
    const isStopped = isOld && this.#wasStopped && policy === "none";
    await adoptRuns(project, { kept, lost, isStopped });
    // Their runs were alive when the keeper was asked.
    for (let tell = loading.told?.shift(); tell; tell = loading.told?.shift()) {
      await tell(isStopped);
    }
    loading.told = null;
    // Only now: what fails before this is tried again, by another reading of the file.
    this.#unread.delete(projectId);
    this.#lost = this.#lost.filter((row) => row.session !== projectId);
    resumeTasks(project, policy, restless);
    return !this.#wasStopped;
  }

  /** After all registered projects were loaded: ends runs of projects that are registered no more. */
  async end(): Promise<void> {
    const { host, keeper } = this.#require();
    // Not before: a daemon that is killed meanwhile has not brought everything back, and the next one must.
    this.#store.meta.set(BOOT_KEY, keeper.bootId);
    for (const run of await this.#kept()) {
      const { projectId } = parseRunKey(run.key);
      if (await this.#registry.get(projectId) === null) {
        await endStranger(host, run);
      }
    }
  }

  /**
   * Ends what the keeper still has of a project, whose own ways of stopping are not known here. What is wanted of its tasks
   * does not change. Answers with their names.
   */
  async endRunsOf(projectId: string): Promise<string[]> {
    const { host } = this.#require();
    const runs = (await this.#kept()).filter((run) =>
      parseRunKey(run.key).projectId === projectId
    );
    await Promise.all(runs.map((run) => endStranger(host, run)));
    return runs.filter((run) => run.ended === null)
      .map((run) => parseRunKey(run.key).task);
  }

  /** Notes how the daemon ends, for the next one. */
  noteShutdown(kind: "clean" | "keep"): void {
    this.#store.meta.set(SHUTDOWN_KEY, kind);
  }

  /** Passes on what the keeper tells. */
  async onNotice(notice: KeeperNotice, signal: AbortSignal): Promise<void> {
    if (this.#parts === null) return;
    const { host } = this.#parts;
    const { projectId, task } = parseRunKey(notice.key);
    if (notice.notice === "ended") {
      const { runId, key, end: ended } = notice;
      const { supervisor, told } = this.#find(projectId);
      // Not loaded yet: the end stays with the keeper until it is.
      if (supervisor === null) return;
      if (told !== null) {
        told.push(() => deliverEnd(host, supervisor, { runId, key, ended }));
        return;
      }
      // The start of a run is told before its end, and by then it has been recorded.
      const runner = supervisor.own(task);
      if (runner !== null && isSpawning(runner)) {
        await supervisor.until(() => !isSpawning(runner) || undefined, signal);
      }
      await deliverEnd(host, supervisor, { runId, key, ended });
      return;
    }
    if (notice.isRepeated) return;
    this.#bus.publish({
      event: "log_error",
      session: projectId,
      task,
      at: host.clock.now(),
      data: { reason: notice.message, dropped_bytes: notice.droppedBytes },
    });
  }

  /** The keeper died. Notes its runs before there are any of the next one, and tells their tasks. */
  onKeeperLost(pid: number): void {
    this.#suspects = this.#store.runs.live();
    if (this.#parts === null) return;
    this.#tellLoss(this.#suspects, pid);
    this.#store.meta.set(KEEPER_KEY, "");
    for (const { session, task, runId } of this.#suspects) {
      const runner = this.#find(session).supervisor?.own(task);
      runner?.dispatch({ type: "lost", runId });
    }
  }

  /**
   * The keeper died and a new one is there: what is left of its runs is ended, and each task told as soon as nothing of
   * its own run lives.
   */
  async onKeeperReplaced(): Promise<void> {
    const { host } = this.#require();
    this.#noteKeeper();
    const known = new Set((await this.#kept()).map((run) => run.runId));
    const lost = this.#suspects.filter((row) => !known.has(row.runId));
    await Promise.all([
      host.environments.restore(),
      this.#reclaim(lost, async (row) => {
        const { supervisor, told } = this.#find(row.session);
        if (supervisor !== null && told === null) {
          return await deliverLoss(supervisor, row);
        }
        this.#lost.push(row);
        if (supervisor === null) return;
        told?.push((isStopped) => deliverLoss(supervisor, row, isStopped));
      }),
    ]);
  }

  /** Ends what is left of runs whose keeper died. No run waits for another. */
  async #reclaim(
    lost: readonly RunRow[],
    onEnded: (row: RunRow) => Promise<void> | void,
  ): Promise<void> {
    const { host, keeper } = this.#require();
    const { clock } = host;
    await Promise.all(lost.map(async (row) => {
      const { session, task, runId } = row;
      const { ended } = await keeper.request("reclaim", {
        runIds: [runId],
        since: { [runId]: row.startTime },
      });
      const pids = ended.map(({ pid }) => pid);
      if (pids.length > 0) {
        const data = { run_id: runId, pids };
        host.emit({
          event: "orphan_reaped",
          session,
          task,
          at: clock.now(),
          data,
        });
      }
      await onEnded(row);
    }));
  }

  /** The one event of the death of a keeper. What was left of each run follows as `orphan_reaped`. */
  #tellLoss(lost: readonly RunRow[], pid: number | null): void {
    const { host } = this.#require();
    host.emit({
      event: "keeper_lost",
      session: null,
      at: host.clock.now(),
      data: {
        pid,
        tasks: lost.map((row) => `${row.session}/${row.task}`),
      },
    });
  }

  /** For the next controller, should both die at once. */
  #noteKeeper(): void {
    const { pid } = this.#require().keeper;
    if (pid !== null) this.#store.meta.set(KEEPER_KEY, String(pid));
  }

  /** The project as far as it is loaded. What is told of its runs now is to be added to `told`, unless that is null. */
  #find(projectId: string): {
    readonly supervisor: ProjectSupervisor | null;
    readonly told: Loading["told"];
  } {
    const project = this.#require().projects.find(projectId);
    const loading = project === null ? undefined : this.#loading.get(project);
    return {
      supervisor: project?.supervisor ?? loading?.project ?? null,
      told: loading?.told ?? null,
    };
  }

  async #kept(): Promise<readonly KeeperRun[]> {
    return (await this.#require().keeper.request("list", {})).runs;
  }

  #require(): RecoveryParts {
    if (this.#parts === null) throw new TypeError("Recovery has not begun");
    return this.#parts;
  }
}

function isSpawning({ machine }: TaskRunner): boolean {
  return machine.phase.status === "spawning";
}
