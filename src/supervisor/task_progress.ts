/**
 * What whoever waits is told of a task on its way.
 *
 * @module
 */

import type { Progress } from "../contract/wire.ts";
import type { TaskRunner } from "./task_runner.ts";

/** A runner's state as progress is told. */
export function progressOf(runner: TaskRunner): Progress {
  const snapshot = runner.snapshot();
  return {
    task: runner.name,
    state: snapshot.state,
    ...(snapshot.waitingFor.length === 0 ? {} : {
      waiting_for: snapshot.waitingFor.map(({ task, condition }) => ({
        task,
        condition,
      })),
    }),
    ...(snapshot.reason === null ? {} : { message: snapshot.reason }),
  };
}
