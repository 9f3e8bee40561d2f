/**
 * The escalation that ends a task.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { TaskSpec } from "../domain/task_spec.ts";
import type { TerminateStep } from "../pty/protocol.ts";

/** Wait after SIGTERM before SIGKILL. */
export const TERM_WAIT_MS = 3_000;

/** Wait after SIGKILL. What lives longer is stuck in the kernel. */
export const KILL_WAIT_MS = 5_000;

/** The task's own stop signal and grace, then SIGTERM, then SIGKILL; with `isKill` only the last. */
export function terminateSteps(
  spec: TaskSpec,
  isKill: boolean,
): readonly TerminateStep[] {
  const kill: TerminateStep = { signal: "SIGKILL", waitMs: KILL_WAIT_MS };
  if (isKill) return [kill];
  return [
    { signal: spec.stopSignal, waitMs: spec.stopGraceMs },
    { signal: "SIGTERM", waitMs: TERM_WAIT_MS },
    kill,
  ];
}

/** E900 for a task of which these processes live on after the last step. */
export function cannotEnd(
  task: string,
  survivors: readonly number[],
): TaskmuxError {
  const pids = survivors.join(", ");
  return new TaskmuxError(
    "E900",
    `Cannot end task "${task}": process ${pids} survives SIGKILL`,
    { hint: `ps -fp ${survivors.join(",")}`, details: { survivors } },
  );
}
