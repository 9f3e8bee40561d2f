/**
 * Runs the hooks of a task where and with what the task itself runs.
 *
 * @module
 */

import type { HookName } from "../domain/task_spec.ts";
import type { RunInfo } from "../domain/task_state.ts";
import { runHook } from "./hooks.ts";
import type { SupervisorHost } from "./host.ts";
import { assignPort } from "./launch_run.ts";
import type { ContextTask, RunContext } from "./run_context.ts";
import { requireTaskFolder } from "./start_errors.ts";

/** A hook of a task and what it belongs to. */
export interface TaskHook {
  readonly hook: HookName;
  readonly command: string;
  readonly task: ContextTask;
  readonly context: RunContext;
  readonly host: SupervisorHost;
  /** Null before there is one. */
  readonly run: RunInfo | null;
  /** The environment of the run, if it is known. */
  readonly runEnvironment: Readonly<Record<string, string>>;
}

/**
 * Runs a hook to its end. One before a start already gets the port that the run will have.
 *
 * @throws {TaskmuxError} E400 or E401 if it failed; E213, E214 or E104 if it could not be run as the task would.
 * @throws The signal's reason if the signal aborts.
 */
export async function runTaskHook(
  request: TaskHook,
  signal: AbortSignal,
): Promise<void> {
  const { hook, command, task } = request;
  const { spec } = task;
  if (hook === "before_start") await requireTaskFolder(spec, "start");
  const result = await runHook({
    hook,
    task: spec.name,
    command,
    cwd: spec.cwd,
    env: await hookEnvironment(request),
    shell: spec.shell,
    signal,
  });
  if (!result.ok) throw result.error;
}

async function hookEnvironment(
  { hook, task, context, host, run, runEnvironment }: TaskHook,
): Promise<Readonly<Record<string, string>>> {
  if (run !== null) {
    return Object.keys(runEnvironment).length > 0
      ? runEnvironment
      : await context.environmentOf(task, run);
  }
  const port = hook === "before_start"
    ? await assignPort(task, context, host)
    : null;
  return await context.environmentOf(task, { runId: null, port });
}
