/**
 * Whether a dependency lets its dependents start. Pure.
 *
 * @module
 */

import type { ErrorShape } from "./error.ts";
import type { Dependency, TaskSpec } from "./task_spec.ts";
import type { TaskSnapshot } from "./task_view.ts";

/** `failed` means it cannot hold any more without somebody acting. */
export type Verdict = "satisfied" | "pending" | "failed";

/** A dependency as its dependents see it. `gaveUp` or policy `no` make an unhealthy one final. */
export interface DependencyView {
  readonly snapshot: TaskSnapshot;
  readonly isUnhealthyFinal: boolean;
}

/** Judges one dependency. Null = the task does not exist (any more). */
export function judgeDependency(
  dependency: Dependency,
  view: DependencyView | null,
): Verdict {
  if (view === null) return "failed";
  const { state, run, healthy } = view.snapshot;
  if (state === "failed" || state === "stopped") return "failed";
  switch (dependency.condition) {
    case "started":
      return (run !== null && state !== "stopping") || state === "completed"
        ? "satisfied"
        : "pending";
    case "healthy":
      if (healthy) return "satisfied";
      if (state === "completed") return "failed";
      return state === "unhealthy" && view.isUnhealthyFinal
        ? "failed"
        : "pending";
    case "completed":
      return state === "completed" ? "satisfied" : "pending";
  }
}

/** The error of a task that may not start because of a dependency. */
export function dependencyError(
  task: TaskSpec,
  dependency: Dependency,
  view: DependencyView | null,
): ErrorShape {
  const state = view?.snapshot.state ?? "stopped";
  const why = view === null
    ? "it does not exist"
    : view.snapshot.reason ?? `it is ${state}`;
  const isOneShot = state === "completed" && dependency.condition === "healthy";
  return {
    ok: false,
    error_code: "E402",
    error:
      `Cannot start task "${task.name}": its dependency "${dependency.task}" is not ${dependency.condition}: ${why}`,
    hint: isOneShot
      ? `depends_on = { ${dependency.task} = "completed" }`
      : `taskmux logs ${dependency.task}`,
    details: {
      task: task.name,
      dependency: dependency.task,
      condition: dependency.condition,
      state,
    },
  };
}
