/**
 * Puts a task's environment together.
 *
 * Values are never logged and never part of an error: they may be secrets.
 *
 * @module
 */

import { parseEnv } from "node:util";
import { isReplaceable, SYSTEM_BUNDLES } from "../domain/client_variables.ts";
import { TaskmuxError } from "../domain/error.ts";
import { expandVariables } from "../domain/expand_variables.ts";
import type { TaskSpec } from "../domain/task_spec.ts";
import { baseHost, type ProxyBinding, taskUrl } from "../domain/task_url.ts";
import {
  type ProjectFacts,
  projectVariables,
} from "../domain/variable_names.ts";
import { TERMINAL } from "../pty/protocol.ts";

/** Largest env file. A bigger one is some other file. */
const MAX_ENV_FILE_BYTES = 1024 * 1024;

/** What a task is told about its project. */
export interface ProjectContext {
  /** `name` of the file. */
  readonly name: string;
  readonly projectId: string;
  readonly worktreeId: string | null;
  readonly branch: string | null;
  readonly isLinked: boolean;
  /** Every task in file order, then the aliases, with what their addresses depend on. */
  readonly routes: readonly {
    readonly name: string;
    readonly host: string | null;
    readonly hostPath?: string;
    readonly port: number | null;
    /** The project that it runs in, if that is another one. */
    readonly projectId?: string;
    /** Where others reach it; absent = nowhere. */
    readonly publicUrl?: string;
  }[];
  readonly proxy: ProxyBinding;
}

/** What a task's environment is made of. */
export interface EnvironmentRequest {
  /** The environment of the shell that asked for the start. */
  readonly base: Readonly<Record<string, string>>;
  readonly project: ProjectContext;
  readonly task: Pick<TaskSpec, "name" | "cwd" | "env" | "envFiles">;
  /** Null = there is no run yet, as for the hooks before a start. */
  readonly runId: string | null;
  /** Null = the task has none. */
  readonly port: number | null;
  /** Certificate of the local CA, when there is one. */
  readonly caPath: string | null;
  /** The same with the roots of the system, when there is one. */
  readonly caBundle?: string | null;
}

/**
 * The whole environment of a run: the base without what belongs to the caller's own terminal or task, with the run's
 * own terminal and folder; then the env files, then the `env` entries with earlier values expanded, then taskmux's own variables, which win. The own ones
 * can be used in `env` entries too. The same input gives the same environment.
 *
 * @throws {TaskmuxError} E104 if an env file is missing, unreadable or too large, or a value holds a NUL character.
 */
export async function taskEnvironment(
  request: EnvironmentRequest,
): Promise<Record<string, string>> {
  const { task } = request;
  const own = ownVariables(request);
  const env: Record<string, string> = {
    ...withoutCaller(request.base),
    TERM: TERMINAL.name,
    PWD: task.cwd,
  };
  const extra = extraCertificates(env["NODE_EXTRA_CA_CERTS"], request);
  if (extra !== null) env["NODE_EXTRA_CA_CERTS"] = extra;
  for (const path of task.envFiles) {
    Object.assign(env, await readEnvFile(path));
  }
  // Now and once more at the end: an entry sees the port that the task gets, not one that a file names.
  Object.assign(env, own);
  for (const [name, value] of task.env) {
    env[name] = expandVariables(value, env);
  }
  Object.assign(env, own);
  for (const [name, value] of Object.entries(env)) {
    if (value.includes("\0")) {
      throw new TaskmuxError(
        "E104",
        `Cannot set "${name}" for task "${task.name}": its value holds a NUL character`,
      );
    }
  }
  return env;
}

/**
 * What Node is to trust beside its own roots; null = what it was told already. Whoever set it needs the certificates it
 * names, so only what the bundle holds as well is replaced by that. Otherwise it is our certificate alone: a bundle costs
 * every Node process 26 ms.
 */
function extraCertificates(
  current: string | undefined,
  { caPath, caBundle = null }: Pick<EnvironmentRequest, "caPath" | "caBundle">,
): string | null {
  if (caPath === null || !isReplaceable(current, [caPath, caBundle ?? ""])) {
    return null;
  }
  const isSystem = current !== undefined && SYSTEM_BUNDLES.includes(current);
  return isSystem ? caBundle : caPath;
}

/** What the variables of a project are made of, for {@linkcode projectVariables}. */
export function projectFacts(project: ProjectContext): ProjectFacts {
  const { projectId, proxy } = project;
  return {
    project: project.name,
    projectId,
    baseHost: baseHost(projectId, proxy),
    branch: project.branch,
    worktreeId: project.worktreeId,
    isLinked: project.isLinked,
    urls: project.routes.map(({ name, ...route }) => [
      name,
      taskUrl({ projectId, ...route, proxy }),
    ]),
    publicUrls: new Map(
      project.routes.flatMap(({ name, publicUrl }) =>
        publicUrl === undefined ? [] : [[name, publicUrl]]
      ),
    ),
  };
}

function ownVariables(request: EnvironmentRequest): Record<string, string> {
  const { project, task, runId, port } = request;
  return {
    ...projectVariables(projectFacts(project)),
    TASKMUX_TASK: task.name,
    ...(runId === null ? {} : { TASKMUX_RUN_ID: runId }),
    ...(port === null ? {} : { PORT: String(port) }),
  };
}

/** What describes the terminal, shell or multiplexer of the caller and is wrong in a terminal of its own. */
const CALLER_ONLY: ReadonlySet<string> = new Set([
  "COLUMNS",
  "LINES",
  "OLDPWD",
  "SHLVL",
  "STY",
  "TERMCAP",
  "TERM_PROGRAM",
  "TERM_PROGRAM_VERSION",
  "TERM_SESSION_ID",
  "TMUX",
  "TMUX_PANE",
  "WINDOWID",
  "_",
]);

/** What taskmux sets for a task and `taskmux env` prints. Its settings, such as `TASKMUX_HOME`, stay. */
const OWN_VARIABLE =
  /^TASKMUX_(?:PROJECT|PROJECT_ID|TASK|RUN_ID|BASE_HOST|BRANCH|WORKTREE|IS_LINKED|URL_.*|PUBLIC_URL_.*)$/;

function withoutCaller(
  base: Readonly<Record<string, string>>,
): Record<string, string> {
  // A caller that is a task itself has that task's port.
  const isTask = base["TASKMUX_RUN_ID"] !== undefined;
  const kept = Object.entries(base).filter(([name]) =>
    !CALLER_ONLY.has(name) && !OWN_VARIABLE.test(name) &&
    !(isTask && name === "PORT")
  );
  return Object.fromEntries(kept);
}

async function readEnvFile(path: string): Promise<Record<string, string>> {
  const parsed = parseEnv(await readBounded(path));
  const entries = Object.entries(parsed).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(entries);
}

async function readBounded(path: string): Promise<string> {
  try {
    const info = await Deno.stat(path);
    if (!info.isFile) throw unusable(path, "it is not a file");
    if (info.size > MAX_ENV_FILE_BYTES) {
      throw unusable(path, `it is larger than ${MAX_ENV_FILE_BYTES} bytes`);
    }
    return await Deno.readTextFile(path);
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory
    ) throw unusable(path, "it does not exist", error);
    if (error instanceof Deno.errors.PermissionDenied) {
      throw unusable(path, "it may not be read", error);
    }
    throw error;
  }
}

function unusable(path: string, state: string, cause?: unknown): TaskmuxError {
  return new TaskmuxError("E104", `Cannot read env file "${path}": ${state}`, {
    hint: `Create "${path}", or take it out of env_file in taskmux.toml`,
    details: { path },
    cause,
  });
}
