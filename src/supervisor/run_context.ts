/**
 * What a run needs to know of its project.
 *
 * @module
 */

import type { TaskSpec } from "../domain/task_spec.ts";

/** The part of a runner that a context looks at. */
export interface ContextTask {
  readonly name: string;
  readonly spec: TaskSpec;
  /** Name of the caller's environment in the environment store. */
  readonly environment: string | null;
  /** In no file. */
  readonly isAdHoc: boolean;
}

/** What the project tells about a run that is to be started or was found. */
export interface RunContext {
  readonly projectId: string;
  /** Absolute folder of the project's file. */
  readonly root: string;
  /** Real path of that file. */
  readonly configPath: string;
  readonly name: string;
  readonly worktreeId: string | null;
  /**
   * The whole environment of a task: the caller's, the files', the project's and the task's, and our own variables.
   *
   * @param address Of the run it is for.
   */
  environmentOf(
    task: ContextTask,
    address: RunAddress,
  ): Promise<Record<string, string>>;
  /** Whether a run belongs to the given task, whatever its state. */
  ownsRun(task: string, runId: string): boolean;
}

/** A run seen by those who only need its address. */
export interface RunAddress {
  /** Null before there is a run. */
  readonly runId: string | null;
  readonly port: number | null;
}
