/**
 * Handlers of the operations on terminals.
 *
 * @module
 */

import type { Params, Result } from "../../contract/mod.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { runOf } from "../../domain/task_machine.ts";
import { exitNumber, type RunInfo } from "../../domain/task_state.ts";
import { TERMINAL } from "../../pty/protocol.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";

/** Longest wait for the keeper to give a terminal its old size back. */
const RESTORE_TIMEOUT_MS = 2_000;

/** A run and the project it belongs to. */
interface Found {
  readonly project: ProjectSupervisor;
  readonly run: RunInfo;
}

/** See the module. */
export function terminalHandlers(
  services: Services,
): Pick<
  Handlers,
  "terminal.attach" | "terminal.write" | "terminal.resize"
> {
  return {
    "terminal.attach": (params, { signal }) => attach(services, params, signal),
    "terminal.write": async ({ data, ...params }, { signal }) => {
      const { project, run: { runId } } = await find(services, params);
      await project.host.keeper.request("write", { runId, data }, signal);
      return { ok: true };
    },
    "terminal.resize": async ({ cols, rows, ...params }, { signal }) => {
      const { project, run: { runId } } = await find(services, params);
      const size = { runId, cols, rows };
      await project.host.keeper.request("resize", size, signal);
      return { ok: true };
    },
  };
}

async function* attach(
  services: Services,
  params: Params<"terminal.attach">,
  signal: AbortSignal,
): AsyncGenerator<Result<"terminal.attach">, void, void> {
  const { project, run: { runId, pid } } = await find(services, params);
  const { keeper } = project.host;
  if (params.size !== null) {
    await keeper.request("resize", { runId, ...params.size }, signal);
  }
  try {
    yield { run_id: runId, pid };
    for (let from = params.from;;) {
      const piece = await keeper.request("output", { runId, from }, signal);
      const { data, next, dropped, end } = piece;
      if (next > from) yield { data, next, dropped };
      from = next;
      if (end === null) continue;
      yield { exit_code: exitNumber({ ...end, at: 0 }) };
      return;
    }
  } catch (error) {
    // The keeper forgets a run as soon as its end is on record.
    const isOver = error instanceof TaskmuxError && error.code === "E202";
    if (!isOver) throw error;
    yield { exit_code: recordedExit(project, params.task, runId) };
  } finally {
    if (params.size !== null) await restoreSize(project, runId);
  }
}

/** Programs that draw by the size of the terminal draw for the log again. */
async function restoreSize(
  { host }: ProjectSupervisor,
  runId: string,
): Promise<void> {
  const { cols, rows } = TERMINAL;
  const signal = AbortSignal.timeout(RESTORE_TIMEOUT_MS);
  try {
    await host.keeper.request("resize", { runId, cols, rows }, signal);
  } catch (error) {
    // The run is over, or the keeper is stuck: nobody looks at that terminal.
    const isExpected = error instanceof TaskmuxError || signal.aborted;
    if (!isExpected) throw error;
  }
}

function recordedExit(
  { host, projectId }: ProjectSupervisor,
  task: string,
  runId: string,
): number | null {
  const exit = host.store.runs.history(projectId, task, 10)
    .find((row) => row.runId === runId)?.exit ?? null;
  return exit === null ? null : exitNumber(exit);
}

/**
 * The run that is meant.
 *
 * @throws {TaskmuxError} E202 if it does not run (any more).
 */
async function find(
  services: Services,
  { scope, task, run_id }: Pick<
    Params<"terminal.attach">,
    "scope" | "task" | "run_id"
  >,
): Promise<Found> {
  await using looked = await services.projects.look(scope);
  const project = looked.supervisor.homeOf(task);
  const run = runOf(project.runner(task).machine);
  if (run !== null && (run_id === null || run.runId === run_id)) {
    return { project, run };
  }
  throw new TaskmuxError(
    "E202",
    run === null
      ? `Task '${task}' is not running`
      : `That run of task '${task}' is over`,
    {
      hint: run === null ? `taskmux start ${task}` : `taskmux attach ${task}`,
      details: { task },
    },
  );
}
