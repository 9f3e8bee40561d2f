/**
 * What a run needs to know of its project.
 *
 * @module
 */

import type { TaskSpec } from "../domain/task_spec.ts";
import type { RunInfo } from "../domain/task_state.ts";

/** The part of a runner that a context looks at. */
export interface ContextTask {
  readonly name: string;
  readonly spec: TaskSpec;
  /** Name of the caller's environment in the environment store. */
  readonly environment: string | null;
}

/** What the project tells about a run that is to be started or was found. */
export interface RunContext {
  readonly projectId: string;
  /** Absolute folder of the project's file. */
  readonly root: string;
  /**
   * The whole environment of a task: the caller's, the files', the project's and the task's, and our own variables.
   *
   * @param run The run it is for; null before there is one.
   */
  environmentOf(
    task: ContextTask,
    run: { readonly runId: string; readonly port: number | null } | null,
  ): Promise<Record<string, string>>;
  /** Whether a run belongs to the given task, whatever its state. */
  ownsRun(task: string, runId: string): boolean;
}

/** A run seen by those who only need its address. */
export type RunAddress = Pick<RunInfo, "runId" | "port">;
