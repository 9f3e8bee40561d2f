/**
 * `stop` and `kill` where neither daemon nor keeper lives: there is nothing to stop, and nothing is started to say so.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import { type Disk, openProjectFiles, requireTask } from "./project_files.ts";

/**
 * The answer of `task.stop` and `task.kill` for several tasks.
 *
 * @param names Empty = all.
 * @throws {TaskmuxError} E300 for all, E200 or E202 for one task; what is wrong with the project's file.
 */
export async function stopNothing(
  disk: Disk,
  config: string,
  names: readonly string[],
): Promise<Result<"task.stop">> {
  using project = await openProjectFiles(disk, config);
  const { projectId } = project.identity;
  if (names.length === 0) {
    throw new TaskmuxError(
      "E300",
      `Session '${projectId}' is not running`,
      { hint: "taskmux start", details: { session: projectId } },
    );
  }
  const results = names.map((task) => {
    const { error, error_code, hint } = refusal(project.tasks, task).toShape();
    return {
      ok: false,
      task,
      error_code,
      error,
      ...hint === undefined ? {} : { hint },
    };
  });
  if (names.length === 1) throw refusal(project.tasks, names[0]!);
  const [first] = results;
  return {
    ok: false,
    ...first === undefined
      ? {}
      : { error_code: first.error_code, error: first.error },
    results,
  };
}

function refusal(
  tasks: Parameters<typeof requireTask>[0],
  name: string,
): TaskmuxError {
  try {
    requireTask(tasks, name);
  } catch (error) {
    if (error instanceof TaskmuxError) return error;
    throw error;
  }
  return new TaskmuxError("E202", `Task '${name}' is not running`, {
    hint: `taskmux start ${name}`,
    details: { task: name },
  });
}
