/**
 * Gathers what is known of a task, so that its state can be explained.
 *
 * @module
 */

import { withDependencies } from "../domain/dependency_graph.ts";
import { TaskmuxError } from "../domain/error.ts";
import { viewHolders } from "../domain/port_view.ts";
import {
  isTunnelProgram,
  type TunnelBackend,
  viewNamedTunnel,
} from "../domain/tunnel.ts";
import { explainTask } from "../domain/why.ts";
import type {
  Explanation,
  WhyFacts,
  WhyPort,
  WhyTask,
  WhyTunnel,
} from "../domain/why_facts.ts";
import { settledWithin } from "../kit/deadline.ts";
import { lastWords } from "../logs/last_words.ts";
import type { RunRow } from "../store/run_table.ts";
import { lastEndOf, taskHistory, timeOfRun } from "../store/task_history.ts";
import { logTarget } from "./launch_run.ts";
import { lastWordsOf } from "./output_tail.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";
import type { TaskRunner } from "./task_runner.ts";

/** Lines of output that an explanation quotes. */
export const WHY_LINES = 4;

/** How long the keeper may take to tell who listens; it is no reason to be silent about the rest. */
const KEEPER_PATIENCE_MS = 2_000;

/** States in which it matters who listens on the port. */
const PORT_MATTERS: ReadonlySet<string> = new Set([
  "starting",
  "unhealthy",
  "failed",
  "backoff",
]);

/** What the supervisor itself does not know. */
export interface WhyOptions {
  readonly configError: WhyFacts["configError"];
  /** Whether the keeper is known to answer. */
  readonly isKeeperHere: boolean;
  /** Pid of this daemon, among the holders of ports. */
  readonly daemonPid: number;
  /** What a line of the program of a tunnel means; null = nothing that is known. */
  explainLine?(backend: TunnelBackend, line: string): Promise<string | null>;
  readonly signal: AbortSignal;
}

/**
 * Explains a task's state.
 *
 * @throws {TaskmuxError} E200 if there is none of that name.
 */
export async function explain(
  project: ProjectSupervisor,
  name: string,
  options: WhyOptions,
): Promise<Explanation> {
  const runner = project.runner(name);
  const home = project.homeOf(name);
  if (home !== project) {
    return await explain(home, name, { ...options, configError: null });
  }
  const { host, projectId } = project;
  const port = options.isKeeperHere
    ? await portOf(project, runner, options)
    : "silent";
  const runs = host.store.runs.history(projectId, name, 2);
  const lines = await linesOf(project, runner, runs);
  const redactor = host.secrets.redactorOf(projectId);
  const view = (each: TaskRunner): WhyTask => ({
    spec: each.spec,
    machine: each.machine,
    snapshot: each.snapshot(),
    lastEnd: each === runner ? lastEndOf(runs) : null,
    redactor,
  });
  return explainTask({
    now: host.clock.now(),
    session: projectId,
    task: view(runner),
    find: (other) => {
      const found = behind(project, name, other);
      return found === null ? null : view(found);
    },
    history: taskHistory(host.store, projectId, name),
    lines,
    port: port === "silent" ? null : port,
    configError: options.configError,
    watcher: port === "silent" ? "alone" : "daemon",
    ...await tunnelOf(project, runner, options),
  });
}

/** A task that stands behind another one: a dependency of what is shared is one of its owner. */
function behind(
  project: ProjectSupervisor,
  name: string,
  other: string,
): TaskRunner | null {
  const { owner, tasks } = project;
  const isOwn = owner === null ||
    withDependencies(tasks, [name]).includes(other);
  return isOwn ? project.find(other) : owner.own(other);
}

/** The tunnel that leads to a task, or whose program it is. */
async function tunnelOf(
  project: ProjectSupervisor,
  { name, spec }: TaskRunner,
  { explainLine }: WhyOptions,
): Promise<{ readonly tunnel?: WhyTunnel }> {
  const { host, projectId } = project;
  const named = project.ownRunners.flatMap((each) => {
    const view = host.tunnel(projectId, each.name) ??
      viewNamedTunnel(each.spec);
    return view === null ? [] : [{ task: each.name, view }];
  }).filter(({ task, view }) =>
    isTunnelProgram(spec) ? view.process === name : task === name
  );
  const [first] = named;
  if (first === undefined) return {};
  const { view } = first;
  const tasks = named.map(({ task }) => task);
  if (view.state !== "failing" || view.process === null) {
    return { tunnel: { tasks, view, lines: [], meaning: null } };
  }
  const { tail } = await lastWordsOf(project, view.process);
  let meaning: string | null = null;
  for (const line of tail.toReversed()) {
    meaning ??= await explainLine?.(view.backend, line) ?? null;
  }
  // The program's own explanation quotes them already.
  const lines = isTunnelProgram(spec) ? [] : tail.slice(-WHY_LINES);
  return { tunnel: { tasks, view, lines, meaning } };
}

/** What was printed before the last end; by a run that is not well, what it has printed itself. */
async function linesOf(
  { host, projectId }: ProjectSupervisor,
  runner: TaskRunner,
  runs: readonly RunRow[],
): Promise<string[]> {
  const { run, state, restartCount } = runner.snapshot();
  const isWell = state === "healthy" || state === "running";
  if (run !== null && restartCount === 0 && isWell) return [];
  const of = run !== null && restartCount === 0 ? runs[0] : lastEndOf(runs);
  if (of === undefined || of === null) return [];
  const target = logTarget(runner.spec, host.logFile(projectId, runner.name));
  return await lastWords({
    task: runner.name,
    path: target.path,
    ...timeOfRun(runs, of),
  }, { count: WHY_LINES, redactor: host.secrets.redactorOf(projectId) });
}

/** Who listens on the task's port, where that matters. */
async function portOf(
  project: ProjectSupervisor,
  runner: TaskRunner,
  { daemonPid, signal }: WhyOptions,
): Promise<WhyPort | "silent" | null> {
  const { host } = project;
  const port = project.portOf(runner);
  const { state, run } = runner.snapshot();
  if (port === null || !PORT_MATTERS.has(state)) return null;
  const of = run === null ? {} : { runId: run.runId, elsewhere: true };
  const asked = host.keeper.request("holders", { port, ...of }, signal)
    .catch((error) => {
      if (error instanceof TaskmuxError) return null;
      throw error;
    });
  const wait = { clock: host.clock, ms: KEEPER_PATIENCE_MS, signal };
  if (!await settledWithin(asked, wait)) return "silent";
  const found = await asked;
  if (found === null) return "silent";
  const live = host.store.runs.live();
  const { holders } = viewHolders(found, {
    ownerOf: (id) => live.find(({ runId }) => runId === id) ?? null,
    daemonPid,
  });
  return { port, holders, elsewhere: found.elsewhere ?? [] };
}
