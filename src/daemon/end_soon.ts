/**
 * Ends what runs of a project whose folder is gone: gracefully for a moment, then at once.
 *
 * @module
 */

import { isAtRest } from "../domain/task_machine.ts";
import { settledWithin } from "../kit/deadline.ts";
import type { ProjectSupervisor } from "../supervisor/project_supervisor.ts";
import { stopAll, stopNamed } from "../supervisor/stop_action.ts";

/** How long tasks have to end by themselves. What they would save has no place any more. */
export const SOON_MS = 1_500;

/**
 * Ends everything, in reverse order as far as time allows. Some tenths of a second, unless tasks do not obey: then
 * {@linkcode SOON_MS} more.
 *
 * @returns The names of the tasks that ran.
 */
export async function endSoon(
  project: ProjectSupervisor,
): Promise<readonly string[]> {
  const active = activeNames(project);
  if (active.length === 0) return active;
  const impatience = new AbortController();
  const { signal } = impatience;
  const stopping = stopAll(project, "shutdown", { signal }).then(
    () => undefined,
    (error) => {
      if (!signal.aborted) throw error;
    },
  );
  const wait = { clock: project.host.clock, ms: SOON_MS, signal };
  if (!await settledWithin(stopping, wait)) {
    const asker = { signal: new AbortController().signal };
    await stopNamed(project, activeNames(project), { manner: "kill", asker });
    impatience.abort(new DOMException("It was ended", "AbortError"));
  }
  await stopping;
  return active;
}

function activeNames(project: ProjectSupervisor): string[] {
  return project.ownRunners.filter(({ machine }) => !isAtRest(machine))
    .map(({ name }) => name);
}
