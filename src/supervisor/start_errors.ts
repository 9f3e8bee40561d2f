/**
 * What can be wrong with a task before it runs.
 *
 * @module
 */

import { type ErrorShape, TaskmuxError } from "../domain/error.ts";
import type { TaskSpec } from "../domain/task_spec.ts";
import { isFolder } from "./folder.ts";

/**
 * Makes sure that a task has a folder to run in.
 *
 * @throws {TaskmuxError} E213 if it is not there.
 */
export async function requireTaskFolder(
  spec: TaskSpec,
  verb: "start" | "restart",
): Promise<void> {
  if (await isFolder(spec.cwd)) return;
  throw new TaskmuxError(
    "E213",
    `Cannot ${verb} task "${spec.name}": its folder "${spec.cwd}" does not exist`,
    {
      hint: `mkdir -p ${spec.cwd}`,
      details: { task: spec.name, cwd: spec.cwd },
    },
  );
}

/** An error as a task's machine keeps it; anything unexpected is E900. */
export function startErrorShape(error: unknown, task: string): ErrorShape {
  if (error instanceof TaskmuxError) return error.toShape();
  return new TaskmuxError(
    "E900",
    `Cannot start task "${task}": internal error`,
    { cause: error },
  ).toShape();
}
