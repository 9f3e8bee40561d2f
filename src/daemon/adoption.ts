/**
 * Takes over what an earlier controller left: live runs, ends that happened meanwhile, actions that were cut short.
 *
 * @module
 */

import type { KeeperRun } from "../pty/protocol.ts";
import { NOT_SPAWNED, type RunRow } from "../store/run_table.ts";
import type { SupervisorHost } from "../supervisor/host.ts";
import { parseRunKey } from "../supervisor/launch_run.ts";
import type { ProjectSupervisor } from "../supervisor/project_supervisor.ts";
import { decodeSavedState, restoreMachine } from "../supervisor/saved_state.ts";
import { KILL_WAIT_MS, TERM_WAIT_MS } from "../supervisor/terminate_steps.ts";
import { dependencyOrder } from "../domain/dependency_graph.ts";
import type { TaskSpec } from "../domain/task_spec.ts";
import { isAtRest } from "../domain/task_machine.ts";

/** What the keeper and the store know of one project's runs. */
export interface FoundRuns {
  /** The keeper's runs by task, live ones and ends not yet acknowledged. */
  readonly kept: readonly KeeperRun[];
  /** Runs that the store believes alive and the keeper does not know: they died with another keeper. */
  readonly lost: readonly RunRow[];
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
    if (spec !== null && project.find(name) === null) project.addAdHoc(spec);
    const runner = project.find(name);
    if (runner === null) continue;
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
  }
  return restless;
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
  const digests = new Map(
    host.store.runs.live().map((row) => [row.runId, row] as const),
  );
  for (const kept of await newestRuns(host, found.kept)) {
    const { task } = parseRunKey(kept.key);
    const runner = project.find(task);
    const row = digests.get(kept.runId);
    if (runner === null) {
      await endStranger(host, kept);
      continue;
    }
    const { runId, pid, startTime, startedAt } = kept;
    const run = { runId, pid, startTime, startedAt, port: row?.port ?? null };
    if (row?.pid === NOT_SPAWNED) host.store.runs.spawned(run);
    await runner.adopt(run, row?.digest ?? null);
    if (kept.ended !== null) await deliverEnd(host, project, kept);
  }
  for (const lost of found.lost) await deliverLoss(project, lost);
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

/** Records an end, tells the task, lets the keeper forget it. */
export async function deliverEnd(
  host: SupervisorHost,
  project: ProjectSupervisor | null,
  kept: Pick<KeeperRun, "runId" | "key" | "ended">,
): Promise<void> {
  const { ended, runId } = kept;
  if (ended === null) return;
  const { code, signal, at } = ended;
  host.store.runs.end(runId, { code, signal, at, reason: "exited" });
  project?.ended(parseRunKey(kept.key).task, { runId, code, signal, at });
  await host.keeper.request("acknowledge", { runIds: [runId] });
}

/** A run whose task is gone from the file, or whose project from the registry. It is ours, so it is ended. */
export async function endStranger(
  host: SupervisorHost,
  kept: KeeperRun,
): Promise<void> {
  const { projectId, task } = parseRunKey(kept.key);
  if (kept.ended === null) {
    await host.keeper.request("terminate", {
      runId: kept.runId,
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
      data: { pid: kept.pid, run_id: kept.runId },
    });
  }
  host.store.runs.end(kept.runId, {
    code: kept.ended?.code ?? null,
    signal: kept.ended?.signal ?? "SIGTERM",
    at: kept.ended?.at ?? host.clock.now(),
    reason: "orphaned",
  });
  await host.keeper.request("acknowledge", { runIds: [kept.runId] });
}

/** Tells a project of a run that died with its keeper: how it ended is not known, only that it did. */
export async function deliverLoss(
  project: ProjectSupervisor,
  lost: RunRow,
): Promise<void> {
  const { host } = project;
  const exit = { code: null, signal: "SIGHUP", at: host.clock.now() };
  if (lost.pid === NOT_SPAWNED) return host.store.runs.forget(lost.runId);
  const isNews = host.store.runs.end(lost.runId, {
    ...exit,
    reason: "keeper_lost",
  });
  if (!isNews) return;
  const runner = project.find(lost.task);
  if (runner === null) return;
  if (isAtRest(runner.machine)) await runner.adopt(lost, lost.digest);
  project.ended(lost.task, { runId: lost.runId, ...exit });
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
  const wanted = project.runners.filter((runner) => {
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
    runner.dispatch({ type: "start", isGated: true });
  }
  return names;
}
