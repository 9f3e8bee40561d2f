/**
 * The escalation that ends a task.
 *
 * @module
 */

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
