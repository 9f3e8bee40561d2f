/**
 * Finishing what a daemon that crashed had begun: a `stop` that had not got to every task, a `restart` that had not
 * brought every task up again.
 *
 * @module
 */

import { runOf } from "../domain/task_machine.ts";
import type { Asker } from "./action.ts";
import type { PendingAction } from "./pending_actions.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";
import { startTasks } from "./start_action.ts";
import { stopNamed } from "./stop_action.ts";

/** An action on these tasks, to be written down. */
export function pendingAction(
  project: ProjectSupervisor,
  action: PendingAction["action"],
  on: {
    readonly names: readonly string[];
    readonly environment: string | null;
  },
): PendingAction {
  const runs = on.names.map((name) =>
    [name, lastRunOf(project, name)] as const
  );
  return {
    action,
    runs: Object.fromEntries(runs),
    environment: on.environment,
  };
}

/** Finishes actions of an earlier daemon, after its runs were adopted. Tasks that are no more are passed over. */
export async function resumeActions(
  project: ProjectSupervisor,
  actions: readonly PendingAction[],
  asker: Asker,
): Promise<void> {
  for (const pending of actions) {
    const names = Object.keys(pending.runs)
      .filter((name) =>
        project.find(name) !== null &&
        project.pending.has(pending.action, name)
      );
    if (pending.action === "stop") {
      // Whatever is asked for now is the later word.
      await stopNamed(project, names, { manner: "resume", asker });
    } else await resumeRestart(project, pending, { names, asker });
  }
}

/** A task that has had a new run since is restarted already. */
async function resumeRestart(
  project: ProjectSupervisor,
  { runs, environment }: PendingAction,
  how: { readonly names: readonly string[]; readonly asker: Asker },
): Promise<void> {
  const { asker } = how;
  const names = how.names.filter((name) =>
    lastRunOf(project, name) === runs[name]
  );
  if (names.length === 0) return;
  const alive = names.filter((name) => {
    const run = runOf(project.runner(name).machine);
    return run !== null && run.runId === runs[name];
  });
  await stopNamed(project, alive, { manner: "resume", asker });
  const wanted = names.filter((name) => project.pending.has("restart", name));
  if (wanted.length === 0) return;
  await startTasks(project, {
    names: wanted,
    environment,
    ifStopped: true,
    withDependencies: true,
    untilHealthy: false,
    timeoutMs: 0,
  }, asker);
}

function lastRunOf(project: ProjectSupervisor, task: string): string | null {
  const { host, projectId } = project;
  return host.store.runs.history(projectId, task, 1)[0]?.runId ?? null;
}
