/**
 * Starts tasks that wait for their first request (`auto_start = "on-request"`): once, however many requests come.
 *
 * A task that was stopped by hand, or needs one that was, stays down: a browser tab that asks again and again must not
 * bring back what its user has just stopped. `taskmux start` makes it wait for requests again.
 *
 * @module
 */

import { withDependencies } from "../domain/dependency_graph.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { ErrorShape } from "../domain/error.ts";
import { isAtRest } from "../domain/task_machine.ts";
import type { TaskScope } from "../kit/task_scope.ts";
import { lendEnvironment } from "../supervisor/last_environment.ts";
import type { ProjectSupervisor } from "../supervisor/project_supervisor.ts";
import { startTasks } from "../supervisor/start_action.ts";
import type { TaskRunner } from "../supervisor/task_runner.ts";

/** A start that a request has brought about. */
export interface VisitStart {
  /** Whether all was done that a start can do. */
  readonly isOver: boolean;
  /** Why the task could not even be tried; null = it was, or is about to be. */
  readonly error: ErrorShape | null;
}

/** See the module. */
export class VisitStarts {
  readonly #scope: Pick<TaskScope, "run">;
  readonly #underWay = new Map<TaskRunner, VisitStart>();

  /** @param scope Where starts go on when the request is gone. */
  constructor(scope: Pick<TaskScope, "run">) {
    this.#scope = scope;
  }

  /** Starts a task at rest with what it depends on, or joins the start that is under way. */
  begin(supervisor: ProjectSupervisor, runner: TaskRunner): VisitStart {
    const known = this.#underWay.get(runner);
    if (known !== undefined) return known;
    const start = { isOver: false, error: null as ErrorShape | null };
    this.#underWay.set(runner, start);
    this.#scope.run(async (signal) => {
      try {
        await startForVisit(supervisor, runner, signal);
      } catch (error) {
        if (!(error instanceof TaskmuxError)) throw error;
        start.error = error.toShape();
      } finally {
        start.isOver = true;
        this.#underWay.delete(runner);
      }
    });
    return start;
  }
}

/** Whether a request may start the task as it is. */
export function waitsForRequest({ spec, machine }: TaskRunner): boolean {
  const { status } = machine.phase;
  return spec.startOnRequest === true && !machine.manual &&
    (status === "stopped" || status === "completed");
}

/** With the environment of the last start that meant the task, else that of its project's last one, else the daemon's. */
async function startForVisit(
  supervisor: ProjectSupervisor,
  runner: TaskRunner,
  signal: AbortSignal,
): Promise<void> {
  const names = withDependencies(supervisor.tasks, [runner.name]);
  const runners = names.map((name) => supervisor.runner(name));
  const stopped = runners.find(({ machine }) =>
    isAtRest(machine) && machine.manual
  );
  if (stopped !== undefined) throw stoppedByHand(runner, stopped);
  lendEnvironment(supervisor, runners);
  await startTasks(supervisor, {
    names: [runner.name],
    ifStopped: true,
    withDependencies: true,
    untilHealthy: false,
    timeoutMs: 0,
    environment: null,
  }, { signal });
}

function stoppedByHand(task: TaskRunner, stopped: TaskRunner): TaskmuxError {
  return new TaskmuxError(
    "E402",
    `Task "${task.name}" is not started: "${stopped.name}", on which it depends, was stopped by hand`,
    { hint: `taskmux start ${task.name}` },
  );
}
