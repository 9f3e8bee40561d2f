/**
 * Tasks that all worktrees of a repository share: they run in the project of the primary checkout, and what is asked of
 * them elsewhere is done there.
 *
 * @module
 */

import { isAtRest } from "../domain/task_machine.ts";
import { type ActionOutcome, runnersOf } from "./action.ts";
import type { SharedTasks } from "../domain/event_selection.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";

/** Which of two projects is first. */
export type HomeOrder = "own_first" | "shared_first";

/**
 * Performs an action on named tasks in the projects in which they run, one project after the other.
 *
 * @throws {TaskmuxError} E200 before anything is done; what the action throws.
 */
export async function inHomes(
  project: ProjectSupervisor,
  names: readonly string[],
  order: HomeOrder,
  perform: (
    home: ProjectSupervisor,
    names: readonly string[],
  ) => Promise<ActionOutcome>,
): Promise<ActionOutcome> {
  const all = runnersOf(project, names).map(({ name }) => name);
  const shared = all.filter((name) => project.homeOf(name) !== project);
  const { owner } = project;
  if (shared.length === 0 || owner === null) return await perform(project, all);
  const own = all.filter((name) => !shared.includes(name));
  const parts = [[project, own], [owner, shared]] as const;
  const outcomes: ActionOutcome[] = [];
  for (
    const [home, part] of order === "own_first" ? parts : parts.toReversed()
  ) {
    if (part.length > 0) outcomes.push(await perform(home, part));
  }
  return {
    outcomes: outcomes.flatMap((each) => each.outcomes),
    warnings: outcomes.flatMap((each) => each.warnings),
  };
}

/** Shared tasks of a project that run, or are about to. */
export function activeShared(project: ProjectSupervisor): string[] {
  return project.runners
    .filter(({ name, machine }) =>
      project.homeOf(name) !== project && !isAtRest(machine)
    )
    .map(({ name }) => name);
}

/** What `stop` of everything says of what it leaves running. */
export function leftRunning(project: ProjectSupervisor): string[] {
  const names = activeShared(project);
  return names.map((name) =>
    `Task "${name}" runs on: it is shared by all worktrees; "taskmux stop ${name}" stops it`
  );
}

/** Warnings about tasks of other checkouts that run and depend on these, which were just taken down. */
export function bereftWarnings(
  project: ProjectSupervisor,
  names: readonly string[],
): string[] {
  return [...new Set(names)].flatMap((name) => {
    const home = project.homeOf(name);
    const users = [home, ...home.borrowers]
      .filter((each) => each !== project)
      .flatMap((each) => usersIn(each, name, home));
    return users.length === 0
      ? []
      : [`Other checkouts still use "${name}": ${users.join(", ")}`];
  });
}

function usersIn(
  project: ProjectSupervisor,
  name: string,
  home: ProjectSupervisor,
): string[] {
  if (project.homeOf(name) !== home) return [];
  return project.ownRunners
    .filter(({ machine, spec }) =>
      !isAtRest(machine) && spec.dependsOn.some(({ task }) => task === name)
    )
    .map((runner) => `${project.projectId}/${runner.name}`);
}

/** Why tasks that are to be shared run in this worktree alone. */
export function sharingWarnings(project: ProjectSupervisor): string[] {
  const { owner, spec, identity, sharingObstacle } = project;
  if (!identity.isLinked) return [];
  return [...spec.tasks.values()].flatMap(({ name, scope }) => {
    if (scope !== "repo" || project.homeOf(name) !== project) return [];
    const reason = owner === null
      ? sharingObstacle
      : !owner.spec.tasks.has(name)
      ? `session "${owner.projectId}" has no such task`
      : `it was started here while there was none to share; "taskmux stop ${name}" ends that`;
    return reason === null
      ? []
      : [`Task "${name}" is this worktree's alone: ${reason}`];
  });
}

/** The tasks that run in the project they are shared from, as it is now; null = there are none. O(tasks). */
export function sharedTasksOf(
  supervisor: ProjectSupervisor,
): SharedTasks | null {
  const { owner, spec } = supervisor;
  if (owner === null) return null;
  const tasks = [...spec.tasks.keys()]
    .filter((name) => supervisor.homeOf(name) !== supervisor);
  return tasks.length === 0 ? null : { session: owner.projectId, tasks };
}
