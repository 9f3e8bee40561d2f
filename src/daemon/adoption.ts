/**
 * Takes over what an earlier controller left: live runs, ends that happened meanwhile, actions that were cut short.
 *
 * @module
 */

import type { KeeperRun } from "../pty/protocol.ts";
import {
  NOT_SPAWNED,
  type RunEnding,
  type RunRow,
} from "../store/run_table.ts";
import type { SupervisorHost } from "../supervisor/host.ts";
import { parseRunKey, runKey } from "../supervisor/launch_run.ts";
import type { ProjectSupervisor } from "../supervisor/project_supervisor.ts";
import {
  decodeSavedState,
  encodeSavedState,
  restoreMachine,
} from "../supervisor/saved_state.ts";
import { KILL_WAIT_MS, TERM_WAIT_MS } from "../supervisor/terminate_steps.ts";
import type { TaskRunner } from "../supervisor/task_runner.ts";
import { exitedData } from "../domain/task_state.ts";
import { dependencyOrder } from "../domain/dependency_graph.ts";
import type { TaskSpec } from "../domain/task_spec.ts";
import { isAtRest, runOf } from "../domain/task_machine.ts";

/** What the keeper and the store know of one project's runs. */
export interface FoundRuns {
  /** The keeper's runs by task, live ones and ends not yet acknowledged. */
  readonly kept: readonly KeeperRun[];
  /** Runs that the store believes alive and the keeper does not know: they died with another keeper. */
  readonly lost: readonly RunRow[];
  /** Whether the daemon before was told to take everything down: what it left is taken down now, not up again. */
  readonly isStopped: boolean;
}

/** Which tasks may be started because they were up. */
export type ResumePolicy =
  /** After a boot of the machine: all that are wanted up. */
  | "all"
  /** After a crash of the controller: those it had not got to. */
  | "interrupted"
  /** After a clean stop. */
  | "none";

/**
 * Gives each task the state it had. Runs before anything is dispatched.
 *
 * @returns Names of the tasks that had not come to rest.
 */
export function restoreTasks(project: ProjectSupervisor): Set<string> {
  const restless = new Set<string>();
  const rows = project.host.store.tasks.desired(project.projectId);
  for (const [name, row] of rows) {
    const spec = row.adhoc === null ? null : readSpec(row.adhoc);
    if (spec !== null && project.own(name) === null) project.addAdHoc(spec);
    const runner = project.own(name);
    if (runner === null) {
      // It left the file while nobody looked. If it comes back it is new.
      project.host.store.tasks.remove(project.projectId, name);
      continue;
    }
    const saved = decodeSavedState(row.state);
    if (saved.outcome === null) restless.add(name);
    const lastRun = project.host.store.runs.history(
      project.projectId,
      name,
      1,
    )[0];
    runner.restore({
      ...restoreMachine(row, saved),
      lastExit: lastRun?.exit ?? null,
    }, saved);
    const { stopping } = saved;
    if (stopping?.isOver === true && stopping.restartAfterMs === null) {
      // Only its after_stop hook was still to come.
      runner.dispatch({ type: "rest", kind: stopping.kind });
      restless.delete(name);
    }
  }
  return restless;
}

/** Asks the keeper for the environments of all tasks now, so that the next keeper can have them of us. */
export async function recallEnvironments(
  project: ProjectSupervisor,
): Promise<void> {
  const names = new Set(project.ownRunners.map((runner) => runner.environment));
  await Promise.all(
    [...names].map((name) => project.host.environments.recall(name)),
  );
}

function readSpec(text: string): TaskSpec {
  return JSON.parse(text) as TaskSpec;
}

/** Adopts live runs and delivers ends that nobody has seen. Ends what belongs to no task any more. */
export async function adoptRuns(
  project: ProjectSupervisor,
  found: FoundRuns,
): Promise<void> {
  const { host } = project;
  const { receipts } = host;
  const news = found.kept.filter(({ runId }) => !receipts.isOwed(runId));
  for (const kept of await newestRuns(host, news)) {
    const { task } = parseRunKey(kept.key);
    const runner = project.own(task);
    const { runId, pid, startTime, startedAt, ended } = kept;
    const row = host.store.runs.find(runId);
    if (ended !== null && row !== null && row.exit !== null) {
      // All of it was told; only the keeper did not get to know that.
      await receipts.give(runId);
      continue;
    }
    if (runner === null) {
      await endStranger(host, kept);
      continue;
    }
    const run = { runId, pid, startTime, startedAt, port: row?.port ?? null };
    const digest = row?.digest ?? null;
    if (row === null || row.exit !== null) {
      host.store.runs.revive({
        ...run,
        session: project.projectId,
        task,
        bootId: host.keeper.bootId,
        command: runner.spec.command,
        digest: digest ?? "",
      });
    }
    const isNews = row?.pid === NOT_SPAWNED;
    await runner.adopt(run, { digest, isNews, ageMs: kept.ageMs });
    if (found.isStopped) runner.dispatch({ type: "stop", kind: "shutdown" });
    if (ended !== null) await deliverEnd(host, project, kept);
  }
  for (const lost of found.lost) {
    await deliverLoss(project, lost, found.isStopped);
  }
}

/** The newest run of each task. Of the others only the record is made: their task has moved on. */
async function newestRuns(
  host: SupervisorHost,
  kept: readonly KeeperRun[],
): Promise<KeeperRun[]> {
  const newest = new Map<string, KeeperRun>();
  for (const run of kept.toSorted((a, b) => a.startedAt - b.startedAt)) {
    const older = newest.get(run.key);
    newest.set(run.key, run);
    if (older === undefined) continue;
    if (older.ended === null) await endStranger(host, older);
    else await deliverEnd(host, null, older);
  }
  return [...newest.values()];
}

/** Records an end, tells the task, lets the keeper forget it. Once, however often the keeper tells. */
export async function deliverEnd(
  host: SupervisorHost,
  project: ProjectSupervisor | null,
  kept: Pick<KeeperRun, "runId" | "key" | "ended">,
): Promise<void> {
  const { ended, runId } = kept;
  if (ended === null || host.receipts.isOwed(runId)) return;
  recordEnd(host, project, { ...kept, end: { ...ended, reason: "exited" } });
  await host.receipts.give(runId);
}

/**
 * A run whose task is gone from the file, or whose project from the registry or out of reach. It is ours, so it is
 * ended.
 */
export async function endStranger(
  host: SupervisorHost,
  kept: KeeperRun,
): Promise<void> {
  const { projectId, task } = parseRunKey(kept.key);
  const { runId, pid } = kept;
  if (host.receipts.isOwed(runId)) return;
  let { ended } = kept;
  if (ended === null) {
    await host.keeper.request("terminate", {
      runId,
      steps: [
        { signal: "SIGTERM", waitMs: TERM_WAIT_MS },
        { signal: "SIGKILL", waitMs: KILL_WAIT_MS },
      ],
    });
    host.emit({
      event: "orphan_reaped",
      session: projectId,
      task,
      at: host.clock.now(),
      data: { pid, run_id: runId },
    });
    const { runs } = await host.keeper.request("list", {});
    ended = runs.find((run) => run.runId === runId)?.ended ?? null;
  }
  const { code, signal, at } = ended ??
    { code: null, signal: "SIGKILL", at: host.clock.now() };
  const end = { code, signal, at, reason: "orphaned" };
  recordEnd(host, null, { ...kept, end });
  await host.receipts.give(runId);
}

/**
 * Records an end and tells of it, once: the record, what the task makes of it and the events are stored together.
 *
 * @param project Null if it has nothing to do with the present run of a task.
 */
function recordEnd(
  host: SupervisorHost,
  project: ProjectSupervisor | null,
  run: {
    readonly runId: string;
    readonly key: string;
    readonly end: RunEnding;
  },
): void {
  const { runId, key, end: { code, signal, at, reason } } = run;
  const { projectId, task } = parseRunKey(key);
  host.store.atomically(() => {
    const isNews = host.store.runs.end(runId, { code, signal, at, reason });
    if (!isNews) return;
    if (isPresentRun(project?.own(task) ?? null, runId)) {
      project?.ended(task, { runId, code, signal, at });
      return;
    }
    host.emit({
      event: "task_exited",
      session: projectId,
      task,
      at: host.clock.now(),
      data: exitedData(runId, { code, signal, at }),
    });
  });
}

function isPresentRun(runner: TaskRunner | null, runId: string): boolean {
  return runner !== null &&
    (runOf(runner.machine)?.runId === runId ||
      runner.machine.phase.status === "spawning");
}

/** Records a run that was ended with its keeper, on purpose. Its task comes to rest by itself. */
export function deliverReplaced(host: SupervisorHost, run: RunRow): void {
  const { runId, session, task, pid } = run;
  if (pid === NOT_SPAWNED) return host.store.runs.forget(runId);
  const end = { code: null, signal: "SIGTERM", at: host.clock.now() };
  recordEnd(host, null, {
    runId,
    key: runKey(session, task),
    end: { ...end, reason: "keeper_replaced" },
  });
}

/** Writes down that a task of a project that is not loaded was taken down: after a crash it is none that was up. */
export function noteStopped(
  { store }: SupervisorHost,
  session: string,
  task: string,
): void {
  const row = store.tasks.desired(session).get(task);
  if (row === undefined) return;
  const state = { ...decodeSavedState(row.state), outcome: "stopped" } as const;
  store.tasks.setDesired(session, task, {
    ...row,
    state: encodeSavedState(state),
  });
}

/**
 * Tells a project of a run that died with its keeper: how it ended is not known, only that it did.
 *
 * @param isStopped Whether it was to go down anyway.
 */
export async function deliverLoss(
  project: ProjectSupervisor,
  lost: RunRow,
  isStopped = false,
): Promise<void> {
  const { host } = project;
  const { runId, task, session } = lost;
  const { runs } = host.store;
  const row = runs.find(runId);
  if (row === null || row.exit !== null) return;
  const runner = project.own(task);
  if (row.pid === NOT_SPAWNED) return runs.forget(runId);
  if (runner !== null && isAtRest(runner.machine)) {
    await runner.adopt(row, { digest: row.digest, isNews: false });
  }
  if (isStopped) runner?.dispatch({ type: "stop", kind: "shutdown" });
  recordEnd(host, project, {
    runId,
    key: runKey(session, task),
    end: {
      code: null,
      signal: "SIGHUP",
      at: host.clock.now(),
      reason: "keeper_lost",
    },
  });
}

/**
 * Starts what was up, dependencies first.
 *
 * @param restless Names of the tasks that the last controller left on their way.
 */
export function resumeTasks(
  project: ProjectSupervisor,
  policy: ResumePolicy,
  restless: ReadonlySet<string>,
): string[] {
  if (policy === "none") return [];
  const wanted = project.ownRunners.filter((runner) => {
    const { desired, manual } = runner.machine;
    if (desired !== "up" || manual || !isAtRest(runner.machine)) return false;
    // What has come to rest since is not begun anew: its end was delivered and judged.
    return policy === "all" ||
      (restless.has(runner.name) && runner.machine.phase.status === "stopped");
  });
  const names = dependencyOrder(
    project.tasks,
    wanted.map((runner) => runner.name),
  );
  for (const name of names) {
    const runner = project.runner(name);
    runner.wasResumed = true;
    const keepsSeries = policy === "interrupted";
    runner.dispatch({ type: "start", isGated: true, keepsSeries });
  }
  return names;
}
