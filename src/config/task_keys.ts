/**
 * Every key of a task in `taskmux.toml`: the one definition from which reading, error messages and the JSON Schema
 * derive.
 *
 * @module
 */

import { TUNNEL_BACKENDS } from "../domain/tunnel.ts";
import {
  choice,
  decimal,
  defaulted,
  integer,
  list,
  oneOrMore,
  optional,
  regularExpression,
  required,
  section,
  text,
  type Values,
} from "./rule.ts";
import {
  autoStart,
  byteSize,
  dependencies,
  environment,
  host,
  publicHostname,
  seconds,
} from "./value_rules.ts";

const MAX_PORT = 65_535;
const MAX_EXIT_CODE = 255;
/** Far above what a dev server with all its workers needs, far below what a machine can take. */
const DEFAULT_PIDS = 8192;
const DEFAULT_LOG_BYTES = 10 * 1024 * 1024;

/** Signals that ask a process to end. */
const STOP_SIGNALS = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGKILL",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
] as const;

const shellCommand = text({ expected: "a shell command that is not blank" });
const path = text({ expected: "a path" });
/** One path or several. */
export const paths = oneOrMore(path, "paths");
const patterns = oneOrMore(text({ expected: "a glob pattern" }), "patterns");

/** Keys of `[hooks]` and `[tasks.X.hooks]`. */
export const HOOK_FIELDS = {
  before_start: optional(
    shellCommand,
    "Runs before a start; when it fails, nothing is started",
  ),
  after_start: optional(shellCommand, "Runs after a start"),
  before_stop: optional(
    shellCommand,
    "Runs before a stop; when it fails, nothing is stopped",
  ),
  after_stop: optional(shellCommand, "Runs after a stop"),
};

/** Keys of `[tasks.X]`. */
export const TASK_FIELDS = {
  command: required(
    shellCommand,
    "",
    "Shell text that the task runs, given to /bin/sh -c",
  ),
  shell: optional(
    text({ expected: "the path or name of a shell" }),
    "Program that gets -c and the command instead of /bin/sh",
  ),
  cwd: optional(
    path,
    "Folder the task runs in, relative to this file's folder, which is the default; a leading ~ is the home folder",
  ),
  env: defaulted(
    environment(),
    [],
    "Environment variables of the task, over those of the project; $NAME of an earlier one expands",
    null,
  ),
  env_file: defaulted(
    paths,
    [],
    "Files of NAME=value lines, relative to this file's folder; env overrides them",
  ),
  auto_start: defaulted(
    autoStart(),
    true,
    'Whether taskmux start, without names, starts the task; "on-request": the first request for its host does',
  ),
  host: optional(
    host(),
    'Name under which the proxy serves the task: a label, "@" for the project\'s own name, or "*" for every other name',
  ),
  host_path: defaulted(
    text({ expected: 'a path that starts with "/"', pattern: /^\/\S*$/ }),
    "/",
    "Path added to the task's URL",
  ),
  port: optional(
    integer(1, MAX_PORT),
    "Fixes $PORT, instead of a free port chosen once and kept",
  ),
  depends_on: defaulted(
    dependencies(),
    [],
    'Tasks to wait for: names, which must be healthy, or a table of conditions "healthy", "started", "completed"',
  ),
  scope: defaulted(
    choice(["project", "repo"]),
    "project",
    'With "repo" all worktrees of the repository share the task of the primary checkout',
  ),
  health_url: optional(
    text({ expected: "a URL" }),
    "URL whose answer tells whether the task is healthy; $PORT and the task's environment expand",
  ),
  health_expected_status: defaulted(
    integer(100, 599),
    200,
    "HTTP status that health_url must answer with",
  ),
  health_expected_body: optional(
    regularExpression(),
    "Regular expression that must be found in the first 64 KiB of the answer of health_url",
  ),
  health_check: optional(
    shellCommand,
    "Shell command that exits with 0 when the task is healthy; used without health_url",
  ),
  ready_log: optional(
    regularExpression(),
    "Regular expression; the task is ready when a line of its output matches",
  ),
  health_interval: defaulted(
    seconds({ canBeZero: false }),
    10,
    "Seconds between health checks",
  ),
  health_timeout: defaulted(
    seconds({ canBeZero: false }),
    5,
    "Seconds until a health check counts as failed",
  ),
  health_retries: defaulted(
    integer(0),
    3,
    "Failures in a row until the task counts as unhealthy; 0 counts as 1",
  ),
  health_retries_tcp: optional(
    integer(0),
    "Accepted for old files; has no effect, health_retries counts for every kind of check",
  ),
  boot_grace: defaulted(
    seconds({ canBeZero: true }),
    10,
    "Seconds after a start in which failed health checks do not count",
  ),
  restart_policy: defaulted(
    choice(["no", "on-failure", "always"]),
    "on-failure",
    "When the task is started again by itself: never, after a failure (exit code, signal or health), or after any exit",
  ),
  max_restarts: defaulted(
    integer(0),
    5,
    "Restarts in a row until taskmux gives up; 0 = no limit",
  ),
  restart_backoff: defaulted(
    decimal({ min: 1 }),
    2,
    "Base of the growing delay between restarts in seconds; at most 60 s are waited",
  ),
  success_exit_codes: defaulted(
    list(integer(0, MAX_EXIT_CODE), "exit codes"),
    [0],
    "Exit codes that count as success",
  ),
  stop_signal: defaulted(
    choice(STOP_SIGNALS),
    "SIGINT",
    "Signal that asks the task to end",
  ),
  stop_grace_period: defaulted(
    seconds({ canBeZero: true }),
    5,
    "Seconds between stop_signal and SIGTERM; SIGKILL follows after 3 more",
  ),
  pids_limit: defaulted(
    integer(0),
    DEFAULT_PIDS,
    "Processes and threads that the task may add to those its user has when it starts, against fork bombs; 0 = no limit; Linux only, has no effect for root",
  ),
  watch: defaulted(
    patterns,
    [],
    "Glob patterns relative to cwd; a change of a matching file restarts the task",
  ),
  watch_ignore: defaulted(
    patterns,
    [],
    "Glob patterns whose files watch does not look at",
  ),
  log_file: optional(
    path,
    "File for the task's output instead of the one under ~/.taskmux, relative to this file's folder",
  ),
  log_max_size: defaulted(
    byteSize(),
    DEFAULT_LOG_BYTES,
    'Size at which the log is rotated: bytes, or a text such as "10MB" (units are powers of 1024)',
    "10MB",
  ),
  log_max_files: defaulted(integer(0), 3, "Rotated logs that are kept"),
  tunnel: optional(
    choice(TUNNEL_BACKENDS),
    "How `taskmux tunnel up` makes the task public; cloudflare needs public_hostname. Nothing is public only because this stands here",
  ),
  public_hostname: optional(
    publicHostname(),
    "Public DNS name of the tunnel",
  ),
  hooks: section(
    HOOK_FIELDS,
    "Commands around a start or stop of the task",
  ),
};

/** What stands in `[tasks.X]`. */
export type TaskValues = Values<typeof TASK_FIELDS>;

/** What stands in `[hooks]`. */
export type HookValues = Values<typeof HOOK_FIELDS>;
