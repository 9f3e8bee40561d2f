/**
 * Tells when a start has nothing more to wait for that a caller should be kept for: what it waits for keeps crashing.
 *
 * @module
 */

import { type ErrorShape, TaskmuxError } from "../domain/error.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";
import type { TaskRunner } from "./task_runner.ts";

/** Ends in a row after which a dependency counts as crashing. The first restart is at once and often enough. */
const CRASHES_MIN = 2;

/**
 * Why a waiting task will not start soon: a dependency, or one of that one's, is between two automatic restarts and has
 * crashed more than once. The task goes on waiting and starts by itself if the dependency recovers. Null = it may start
 * any moment, or does not wait.
 */
export function stuckError(
  project: ProjectSupervisor,
  runner: TaskRunner,
): ErrorShape | null {
  if (runner.machine.phase.status !== "waiting") return null;
  for (const { task, condition } of runner.snapshot().waitingFor) {
    const culprit = crashing(project.homeOf(runner.name), task);
    if (culprit === null) continue;
    const { reason } = culprit.snapshot();
    return new TaskmuxError(
      "E402",
      `Task "${runner.name}" still waits for "${task}" (${condition}), but "${culprit.name}" keeps failing: ${reason}`,
      {
        hint: `taskmux logs ${culprit.name}`,
        details: {
          task: runner.name,
          dependency: task,
          condition,
          state: "waiting",
        },
      },
    ).toShape();
  }
  return null;
}

/** The crashing task behind a dependency; dependencies have no cycles. */
function crashing(
  project: ProjectSupervisor,
  name: string,
): TaskRunner | null {
  const runner = project.find(name);
  if (runner === null) return null;
  const { phase, restarts } = runner.machine;
  if (phase.status === "backoff" && restarts >= CRASHES_MIN) return runner;
  if (phase.status !== "waiting") return null;
  for (const { task } of runner.snapshot().waitingFor) {
    const culprit = crashing(project.homeOf(name), task);
    if (culprit !== null) return culprit;
  }
  return null;
}
