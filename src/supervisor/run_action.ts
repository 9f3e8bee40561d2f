/**
 * Ad-hoc tasks: a command under the daemon that is in no file.
 *
 * @module
 */

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

/** Task names are log file names, keeper keys and arguments. */
const TASK_NAME_REGEXP = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/** Longest name of a task. */
const TASK_NAME_LENGTH_MAX = 100;

/** Bytes at which an ad-hoc task's log is rotated. */
const LOG_BYTES_MAX = 10 * 1024 * 1024;

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
  if (!TASK_NAME_REGEXP.test(name) || name.length > TASK_NAME_LENGTH_MAX) {
    throw new TaskmuxError("E102", `Cannot run "${name}": it is no task name`, {
      hint: "Use letters, digits, dots, hyphens and underscores",
    });
  }
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

function adHocSpec(request: RunRequest): TaskSpec {
  const { name, command, cwd } = request;
  return {
    name,
    command,
    shell: null,
    cwd,
    envFiles: [],
    env: [],
    autoStart: false,
    host: null,
    hostPath: "/",
    port: null,
    wantsPort: /\$\{?PORT\b/.test(command),
    dependsOn: [],
    health: {
      url: null,
      expectedStatus: 200,
      expectedBody: null,
      check: null,
      readyLog: null,
      intervalMs: 10_000,
      timeoutMs: 5_000,
      retries: 3,
      bootGraceMs: 10_000,
    },
    restart: {
      policy: "no",
      maxRestarts: 0,
      backoff: 2,
      successExitCodes: [0],
    },
    stopSignal: "SIGINT",
    stopGraceMs: 5_000,
    watch: [],
    watchIgnore: [],
    log: { file: null, maxBytes: LOG_BYTES_MAX, maxFiles: 3 },
    tunnel: null,
    publicHostname: null,
    hooks: {},
    digest: `adhoc:${command}:${cwd}`,
  };
}
