/**
 * Ad-hoc tasks: a command under the daemon that is in no file.
 *
 * @module
 */

import { parseProject } from "../config/project_config.ts";
import { TaskmuxError } from "../domain/error.ts";
import { isAtRest } from "../domain/task_machine.ts";
import type { TaskSpec } from "../domain/task_spec.ts";
import type { ActionOutcome, Asker } from "./action.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";
import { startTasks } from "./start_action.ts";

/** What to run. */
export interface RunRequest {
  readonly name: string;
  /** Shell text. */
  readonly command: string;
  /** Absolute. */
  readonly cwd: string;
  /** The caller's environment by name. */
  readonly environment: string | null;
}

/**
 * Starts an ad-hoc task. It is listed until it is removed, and never restarted.
 *
 * @throws {TaskmuxError} E102 bad name or the name of a task of the file, E201 a task of that name runs.
 */
export async function runAdHoc(
  project: ProjectSupervisor,
  request: RunRequest,
  asker: Asker,
): Promise<ActionOutcome> {
  const { name } = request;
  if (project.spec.tasks.has(name)) {
    throw new TaskmuxError(
      "E102",
      `Cannot run "${name}": taskmux.toml has a task of that name`,
      { hint: `taskmux start ${name}` },
    );
  }
  const known = project.find(name);
  if (known !== null && !isAtRest(known.machine)) {
    throw new TaskmuxError("E201", `Task '${name}' is already running`, {
      hint: `taskmux stop ${name}`,
      details: { task: name },
    });
  }
  project.addAdHoc(adHocSpec(request));
  return await startTasks(project, {
    names: [name],
    ifStopped: false,
    withDependencies: false,
    untilHealthy: false,
    timeoutMs: 0,
    environment: request.environment,
  }, asker);
}

/** The defaults are those of a file that says no more than this. */
function adHocSpec(request: RunRequest): TaskSpec {
  const { name, command, cwd } = request;
  // JSON's strings are TOML's basic strings.
  const text = [
    'name = "ad-hoc"',
    `[tasks.${JSON.stringify(name)}]`,
    `command = ${JSON.stringify(command.toWellFormed())}`,
    `cwd = ${JSON.stringify(cwd)}`,
    "auto_start = false",
    'restart_policy = "no"',
  ].join("\n");
  const spec = parseProject(text, `${cwd}/taskmux.toml`).tasks.get(name);
  if (spec === undefined) throw new TypeError(`Cannot find task "${name}"`);
  return spec;
}
