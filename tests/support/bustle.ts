/**
 * A project in which things happen all the time.
 *
 * @module
 */

import type { TestProject } from "./project.ts";
import type { Taskmux } from "./taskmux.ts";
import { until } from "./until.ts";

/** Restarts a task again and again, across daemons, until it is told to end. */
export function bustle(
  taskmux: Taskmux,
  project: TestProject,
): AsyncDisposable & { end(): Promise<void> } {
  const ending = new AbortController();
  const bustling = restarts(taskmux, project, ending.signal);
  const end = async (): Promise<void> => {
    ending.abort();
    await bustling;
  };
  return { end, [Symbol.asyncDispose]: end };
}

async function restarts(
  taskmux: Taskmux,
  project: TestProject,
  signal: AbortSignal,
): Promise<void> {
  const scope = { config: project.config };
  while (!signal.aborted) {
    try {
      await taskmux.call("task.restart", { scope, tasks: ["a"] });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      await until(async () =>
        signal.aborted || await taskmux.daemonPid() !== null
      );
    }
  }
}
