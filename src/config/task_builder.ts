/**
 * Makes a task ready to run out of what its file says: absolute paths, milliseconds, merged environments.
 *
 * @module
 */

import type { Hooks, TaskSpec } from "../domain/task_spec.ts";
import type { JsonObject } from "../kit/json.ts";
import { resolvePath } from "../kit/path.ts";
import { digestOf } from "./digest.ts";
import type { ProblemList } from "./problem.ts";
import type { ProjectValues } from "./project_keys.ts";
import type { HookValues, TaskValues } from "./task_keys.ts";
import { ON_REQUEST } from "./value_rules.ts";

/** `$PORT`, `${PORT}` and forms such as `${PORT:-80}`, but not `$PORTAL`. */
const PORT_REGEXP = /\$(?:PORT(?![A-Za-z0-9_])|\{PORT[^A-Za-z0-9_])/;

/** Where paths of a file start. */
export interface PathSurroundings {
  /** Absolute folder of the file. */
  readonly root: string;
  /** Home folder for paths that start with `~`, or null if it is unknown. */
  readonly home: string | null;
  /** Where a `~` that cannot be expanded is told. */
  readonly problems: ProblemList;
}

/** What a task takes from its project. */
export interface TaskSurroundings extends PathSurroundings {
  readonly project: ProjectValues;
  /** The project's env files, see {@linkcode projectEnvFiles}. */
  readonly envFiles: readonly string[];
}

/** The project's env files as absolute paths, in order. */
export function projectEnvFiles(
  project: ProjectValues,
  around: PathSurroundings,
): string[] {
  return project.env_file.map((file) => absolute(file, ["env_file"], around));
}

/** The task, ready to run. Complete even when problems were added; then it must not be used. */
export function buildTask(
  name: string,
  values: TaskValues,
  around: TaskSurroundings,
): TaskSpec {
  const { project } = around;
  const path = (key: string, text: string): string =>
    absolute(text, ["tasks", name, key], around);
  const spec = {
    name,
    command: values.command,
    shell: values.shell === null ? null : shellPath(values.shell, path),
    cwd: values.cwd === null ? around.root : path("cwd", values.cwd),
    envFiles: [
      ...around.envFiles,
      ...values.env_file.map((file) => path("env_file", file)),
    ],
    env: [...project.env, ...values.env],
    autoStart: values.auto_start === true,
    ...values.auto_start === ON_REQUEST ? { startOnRequest: true } : {},
    host: values.host,
    hostPath: values.host_path,
    port: values.port,
    wantsPort: wantsPort(project, values),
    dependsOn: uniqueDependencies(values),
    health: healthOf(values),
    restart: {
      policy: values.restart_policy,
      maxRestarts: values.max_restarts,
      backoff: values.restart_backoff,
      successExitCodes: values.success_exit_codes,
    },
    stopSignal: values.stop_signal,
    stopGraceMs: milliseconds(values.stop_grace_period),
    pidsLimit: values.pids_limit,
    watch: values.watch,
    watchIgnore: values.watch_ignore,
    log: {
      file: values.log_file === null ? null : path("log_file", values.log_file),
      maxBytes: values.log_max_size,
      maxFiles: values.log_max_files,
    },
    tunnel: values.tunnel,
    publicHostname: values.public_hostname,
    hooks: buildHooks(values.hooks),
  };
  return {
    ...spec,
    // Where a task runs, and who reaches it from outside, does not change what runs.
    scope: values.scope,
    digest: digestOf(
      { ...spec, tunnel: null, publicHostname: null } as unknown as JsonObject,
    ),
  };
}

/** Hooks without the absent ones. */
export function buildHooks(values: HookValues): Hooks {
  const present = Object.entries(values).filter(([, command]) =>
    command !== null
  );
  return Object.fromEntries(present);
}

function healthOf(values: TaskValues): TaskSpec["health"] {
  return {
    url: values.health_url,
    expectedStatus: values.health_expected_status,
    expectedBody: values.health_expected_body,
    check: values.health_check,
    readyLog: values.ready_log,
    intervalMs: milliseconds(values.health_interval),
    timeoutMs: milliseconds(values.health_timeout),
    retries: Math.max(1, values.health_retries),
    bootGraceMs: milliseconds(values.boot_grace),
  };
}

function uniqueDependencies(values: TaskValues): TaskSpec["dependsOn"] {
  const byTask = new Map(values.depends_on.map((entry) => [entry.task, entry]));
  return [...byTask.values()];
}

function wantsPort(project: ProjectValues, values: TaskValues): boolean {
  if (values.host !== null || values.port !== null) return true;
  const texts = [
    values.command,
    values.health_url,
    values.health_check,
    ...[...project.env, ...values.env].map(([, value]) => value),
    ...Object.values(values.hooks),
  ];
  return texts.some((text) => text !== null && PORT_REGEXP.test(text));
}

/** A shell without a slash is looked up on PATH. */
function shellPath(
  shell: string,
  path: (key: string, text: string) => string,
): string {
  return shell.includes("/") ? path("shell", shell) : shell;
}

function absolute(
  text: string,
  key: readonly string[],
  { root, home, problems }: PathSurroundings,
): string {
  if (text !== "~" && !text.startsWith("~/")) return resolvePath(root, text);
  if (home !== null) return resolvePath(home, text.slice(2));
  problems.add({
    code: "E104",
    message: `Cannot use "${
      key.at(-1)
    }": it starts with "~", but the home folder is not known`,
    path: key,
    part: "value",
  });
  return root;
}

/** Never 0 for a time that is not. */
function milliseconds(seconds: number): number {
  return seconds === 0 ? 0 : Math.max(1, Math.round(seconds * 1000));
}
