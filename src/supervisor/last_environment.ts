/**
 * The environment for a start that no shell has asked for: a request of a browser, an agent over MCP.
 *
 * @module
 */

import { isAtRest } from "../domain/task_machine.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";
import type { TaskRunner } from "./task_runner.ts";

/** Name of the environment of the shell that last asked for a task of the project; null = none has, or it is unknown. */
export function lastEnvironment(project: ProjectSupervisor): string | null {
  const [last] = project.runners
    .filter(({ environment }) => environment !== null)
    .toSorted((a, b) => (b.lastStartedAt ?? 0) - (a.lastStartedAt ?? 0));
  return last?.environment ?? null;
}

/**
 * Gives it to those of the tasks that never had one and do not run. Where there is none either, they get the daemon's
 * own when they start.
 */
export function lendEnvironment(
  project: ProjectSupervisor,
  runners: readonly TaskRunner[],
): void {
  const last = lastEnvironment(project);
  for (const runner of runners) {
    if (isAtRest(runner.machine)) runner.environment ??= last;
  }
}
