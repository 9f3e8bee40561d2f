/**
 * Order among tasks. Pure; graphs are acyclic because the configuration is checked for cycles.
 *
 * @module
 */

import type { TaskSpec } from "./task_spec.ts";

type Tasks = ReadonlyMap<string, TaskSpec>;

/**
 * The named tasks and everything they depend on, directly or not, dependencies first, otherwise in file order.
 * Names that are no task are left out.
 */
export function withDependencies(
  tasks: Tasks,
  names: Iterable<string>,
): string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    const task = tasks.get(name);
    if (task === undefined || seen.has(name)) return;
    seen.add(name);
    for (const dependency of task.dependsOn) visit(dependency.task);
    order.push(name);
  };
  for (const name of inFileOrder(tasks, names)) visit(name);
  return order;
}

/** The named tasks, dependencies before their dependents, nothing added. */
export function dependencyOrder(
  tasks: Tasks,
  names: Iterable<string>,
): string[] {
  const wanted = new Set(names);
  return withDependencies(tasks, wanted).filter((name) => wanted.has(name));
}

/** Who depends on a task, directly. */
export function dependentsOf(tasks: Tasks, name: string): string[] {
  return [...tasks.values()]
    .filter((task) => task.dependsOn.some((each) => each.task === name))
    .map((task) => task.name);
}

function inFileOrder(tasks: Tasks, names: Iterable<string>): string[] {
  const wanted = new Set(names);
  return [...tasks.keys()].filter((name) => wanted.has(name));
}
