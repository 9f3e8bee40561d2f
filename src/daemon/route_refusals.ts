/**
 * Why a name leads nowhere now, in words: task, state, cause, last output, and the command to type.
 *
 * @module
 */

import type { ErrorShape } from "../domain/error.ts";
import { routesOf } from "../domain/alias.ts";
import type { HostName } from "../domain/host_name.ts";
import type { Explanation } from "../domain/why_facts.ts";
import type { Refusal } from "../proxy/router.ts";
import type { ProjectSupervisor } from "../supervisor/project_supervisor.ts";
import type { TaskRunner } from "../supervisor/task_runner.ts";
import { explain, WHY_LINES } from "../supervisor/why_action.ts";
import type { Project } from "./project.ts";

/** When a page asks again for a task that is on its way. */
const RETRY_S = 2;

/** Longest pause until then. */
const MAX_RETRY_S = 60;

/** A task of a project, as a request finds it. */
export interface TaskRoute {
  readonly project: Project;
  readonly supervisor: ProjectSupervisor;
  readonly runner: TaskRunner;
}

/** What a refusal is made of. */
export type RefusalFacts =
  & Pick<Refusal, "code" | "message" | "projectId" | "hint">
  & Partial<Refusal>;

/** A refusal with what is usual. */
export function refusal(facts: RefusalFacts): Refusal {
  return {
    kind: "refusal",
    status: 503,
    task: null,
    state: null,
    isTransient: false,
    ...facts,
  };
}

/** No project has the id. */
export function unknownProject({ projectId }: HostName): Refusal {
  return refusal({
    code: "unknown_project",
    message: `No project is registered as "${projectId}"`,
    projectId,
    hint: "taskmux daemon list",
  });
}

/** The project is there; its file was never readable. */
export function brokenProject({ id, error, configPath }: Project): Refusal {
  return refusal({
    code: "project_broken",
    message: `Project "${id}" is not loaded${
      error === null ? "" : `: ${error.error.split("\n")[0]}`
    }`,
    projectId: id,
    hint: `taskmux --config ${shellWord(configPath)} check`,
  });
}

/** No task or alias has the host. */
export function unknownHost(
  project: Project,
  supervisor: ProjectSupervisor,
  { host, projectId }: HostName,
): Refusal {
  const { tasks, aliases } = supervisor.addressBook();
  const hosts = routesOf(tasks, aliases).flatMap((route) => route.host ?? []);
  const others = hosts.length === 0
    ? "nothing in it has a host"
    : `its hosts are ${hosts.join(", ")}`;
  return refusal({
    code: "unknown_name",
    message:
      `No task or alias of project "${projectId}" has the host "${host}": ${others}`,
    projectId,
    hint: inFolderOf(project, "status"),
  });
}

/** A page elsewhere asks for a task that waits for its first request. */
export function notForForeign(
  { runner, supervisor, project }: TaskRoute,
): Refusal {
  return refusal({
    code: "not_running",
    message:
      `Task "${runner.name}" is not running, and pages of other sites do not start it`,
    projectId: supervisor.projectId,
    task: runner.name,
    state: runner.snapshot().state,
    hint: inFolderOf(project, `start ${runner.name}`),
  });
}

/** More requests wait for the task than may. */
export function tooManyWait({ runner, supervisor }: TaskRoute): Refusal {
  const { state } = runner.snapshot();
  return refusal({
    code: "too_many_wait",
    message:
      `Task "${runner.name}" is ${state}, and too many requests wait for it already`,
    projectId: supervisor.projectId,
    task: runner.name,
    state,
    hint: null,
    isTransient: true,
  });
}

/** The run began before the task had a host, and knows no port. */
export function withoutPort(
  { runner, supervisor, project }: TaskRoute,
): Refusal {
  return refusal({
    code: "no_port",
    message:
      `Task "${runner.name}" has no port: it was started before it had a host`,
    projectId: supervisor.projectId,
    task: runner.name,
    state: runner.snapshot().state,
    hint: inFolderOf(project, `restart ${runner.name}`),
  });
}

/** Somebody else listens on the port of the task. */
export function heldByStranger(
  { runner, supervisor, project }: TaskRoute,
  { port, holder }: { readonly port: number; readonly holder: string },
): Refusal {
  const { spec: { host }, name } = runner;
  return refusal({
    code: "stranger",
    message:
      `Port ${port} is held by ${holder}, which does not belong to task "${name}"; ` +
      "what is not started by a task, such as a container, is served by an alias of another name",
    projectId: supervisor.projectId,
    task: name,
    state: runner.snapshot().state,
    hint: host === null || !/^[a-z0-9]/.test(host)
      ? inFolderOf(project, `who ${port}`)
      // The name and host of a task would be refused.
      : inFolderOf(project, `alias add ${host}-${port} ${port}`),
  });
}

/** A request should have started the task, and could not. */
export function couldNotStart(
  { runner, supervisor, project }: TaskRoute,
  { error, hint = `taskmux why ${runner.name}` }: ErrorShape,
): Refusal {
  return withoutSecrets(supervisor, {
    code: "failed",
    message: error,
    projectId: supervisor.projectId,
    task: runner.name,
    state: runner.snapshot().state,
    hint: withFolder(project, hint),
  });
}

/** The task is not there for requests, as `why` explains it. Costs a look into its log. */
export async function explainedRefusal(
  route: TaskRoute,
  facts: Pick<Refusal, "code" | "isTransient">,
  signal: AbortSignal,
): Promise<Refusal> {
  const { project, supervisor, runner } = route;
  const explanation = await explain(supervisor, runner.name, {
    configError: null,
    isKeeperHere: true,
    daemonPid: Deno.pid,
    signal,
  });
  const { state, restartInMs } = runner.snapshot();
  return withoutSecrets(supervisor, {
    ...facts,
    message: explanation.summary,
    projectId: supervisor.projectId,
    task: runner.name,
    state,
    hint: hintOf(route, explanation, project),
    ...facts.isTransient ? { retryAfterS: retryAfter(restartInMs) } : {},
    lines: linesOf(explanation, runner),
  });
}

/** Hooks, probes and what they print may show some, and anybody on this machine can ask the proxy. */
function withoutSecrets(
  { host, projectId }: ProjectSupervisor,
  facts: RefusalFacts,
): Refusal {
  return refusal(host.secrets.without(projectId, facts));
}

/** A command as it works in any folder. */
export function inFolderOf({ configPath }: Project, command: string): string {
  const isUsual = configPath.endsWith("/taskmux.toml");
  const folder = configPath.replace(/\/[^/]*$/, "") || "/";
  return isUsual
    ? `taskmux -C ${shellWord(folder)} ${command}`
    : `taskmux --config ${shellWord(configPath)} ${command}`;
}

function hintOf(
  { runner }: TaskRoute,
  { next: { you } }: Explanation,
  project: Project,
): string {
  return withFolder(project, you ?? `taskmux start ${runner.name}`);
}

function withFolder(project: Project, command: string): string {
  return command.startsWith("taskmux ")
    ? inFolderOf(project, command.slice("taskmux ".length))
    : command;
}

/** The last words of the task, or of the hook that let it not start. */
function linesOf({ chain }: Explanation, { machine }: TaskRunner): string[] {
  const tail = machine.error?.details?.["output_tail"];
  if (typeof tail === "string") {
    return tail.trimEnd().split("\n").slice(-WHY_LINES);
  }
  const link = chain.find(({ lines }) => Array.isArray(lines));
  return (link?.lines ?? []) as string[];
}

function retryAfter(restartInMs: number | null): number {
  const seconds = Math.ceil((restartInMs ?? 0) / 1000);
  return Math.min(MAX_RETRY_S, Math.max(RETRY_S, seconds));
}

/** A word as a shell reads it. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", `'\\''`)}'`;
}
