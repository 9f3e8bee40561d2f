/**
 * `why` without a daemon: what was saved when it went, what its keeper still holds, and what the logs say.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import { type FoundHolders, viewHolders } from "../domain/port_view.ts";
import { Redactor } from "../domain/redactor.ts";
import { NEW_MACHINE } from "../domain/task_machine.ts";
import type { TaskSpec } from "../domain/task_spec.ts";
import { STOPPED_SNAPSHOT, type TaskSnapshot } from "../domain/task_view.ts";
import { explainTask } from "../domain/why.ts";
import type {
  Watcher,
  WhyHistory,
  WhyPort,
  WhyTask,
} from "../domain/why_facts.ts";
import { systemClock } from "../kit/clock.ts";
import { lastWords } from "../logs/last_words.ts";
import type { RunRow } from "../store/run_table.ts";
import { lastEndOf, taskHistory, timeOfRun } from "../store/task_history.ts";
import type { TaskRow } from "../store/task_table.ts";
import {
  askKeeper,
  type KeptRuns,
  keptSnapshot,
  observeKeeper,
} from "./kept_runs.ts";
import {
  type Disk,
  homeOf,
  logPath,
  openProjectFiles,
  type ProjectFiles,
  requireTask,
} from "./project_files.ts";
import { readError, readOutcome } from "./saved_outcome.ts";
import { readSecrets } from "./secrets.ts";

/** Lines of output that an explanation quotes, as the daemon does. */
const LINES = 4;

const NO_HISTORY: WhyHistory = { wish: null, recent: [], hookFailure: null };

/**
 * The answer of `task.why`.
 *
 * @throws {TaskmuxError} E200 for an unknown task; what is wrong with the project's file.
 */
export async function readWhy(
  disk: Disk,
  config: string,
  name: string,
): Promise<Result<"task.why">> {
  using project = await openProjectFiles(disk, config);
  const { store, tasks, identity: { projectId } } = project;
  const spec = requireTask(tasks, name);
  const home = homeOf(project, name);
  if (home !== project) return await readWhy(disk, home.spec.configPath, name);
  const kept = await askKeeper(disk.paths);
  const runs = store?.runs.history(projectId, name, 2) ?? [];
  const redactor = new Redactor(
    await readSecrets(disk, config, { keeper: true }),
  );
  const view = ({ store, identity }: ProjectFiles, each: TaskSpec): WhyTask =>
    viewOffline(each, {
      wish: store?.tasks.desired(identity.projectId).get(each.name),
      run: store?.runs.last(identity.projectId).get(each.name),
      kept,
      redactor,
    });
  const task = { ...view(project, spec), lastEnd: lastEndOf(runs) };
  const { summary, chain, next } = explainTask({
    now: systemClock.now(),
    session: projectId,
    task,
    find: (other) => {
      const at = homeOf(project, other);
      const found = at.tasks.get(other);
      return found === undefined ? null : view(at, found);
    },
    history: store === null ? NO_HISTORY : taskHistory(store, projectId, name),
    lines: await linesOf(disk, project, { spec, task, runs }),
    port: await portOf(disk, project, task),
    configError: null,
    watcher: WATCHERS[kept.keeper],
  });
  const { state } = task.snapshot;
  return { ok: true, task: name, state, url: null, summary, chain, next };
}

const WATCHERS: Readonly<Record<KeptRuns["keeper"], Watcher>> = {
  none: "nobody",
  silent: "silent",
  present: "kept",
};

/** What is remembered of a task. */
interface Remembered {
  readonly wish: TaskRow | undefined;
  readonly run: RunRow | undefined;
  readonly kept: KeptRuns;
  readonly redactor: Redactor;
}

function viewOffline(
  spec: TaskSpec,
  { wish, run, kept, redactor }: Remembered,
): WhyTask {
  const outcome = readOutcome(wish?.state);
  const { error, gaveUp } = readError(wish?.state);
  const snapshot: TaskSnapshot = {
    ...STOPPED_SNAPSHOT,
    ...outcome,
    lastExit: run?.exit ?? null,
    manual: wish?.manual ?? false,
    ...keptSnapshot(run, kept),
  };
  const status = snapshot.state === "failed" || snapshot.state === "completed"
    ? snapshot.state
    : "stopped";
  return {
    spec,
    snapshot,
    machine: {
      ...NEW_MACHINE,
      desired: wish?.desired ?? "down",
      manual: wish?.manual ?? false,
      restarts: outcome.restartCount,
      gaveUp,
      lastExit: snapshot.lastExit,
      error,
      phase: { status },
    },
    lastEnd: null,
    redactor,
  };
}

async function linesOf(
  { paths }: Disk,
  project: ProjectFiles,
  { spec, task, runs }: {
    readonly spec: TaskSpec;
    readonly task: WhyTask;
    readonly runs: readonly RunRow[];
  },
): Promise<string[]> {
  const of = task.snapshot.run === null ? task.lastEnd ?? runs[0] : null;
  if (of === null || of === undefined) return [];
  return await lastWords({
    task: spec.name,
    path: logPath(paths, project, spec),
    ...timeOfRun(runs, of),
  }, {
    count: LINES,
    redactor: task.redactor,
  });
}

/** Who holds the port that a task could not get; only a keeper can tell. */
async function portOf(
  { paths }: Disk,
  { store }: ProjectFiles,
  { machine: { error } }: WhyTask,
): Promise<WhyPort | null> {
  const port = error?.error_code === "E214" ? error.details?.["port"] : null;
  if (typeof port !== "number") return null;
  const found = await observeKeeper<FoundHolders>(
    paths,
    (client, signal) => client.request("holders", { port }, { signal }),
  );
  if (typeof found === "string") return null;
  const live = store?.runs.live() ?? [];
  const { holders } = viewHolders(found, {
    ownerOf: (id) => live.find(({ runId }) => runId === id) ?? null,
    daemonPid: null,
  });
  return { port, holders };
}
