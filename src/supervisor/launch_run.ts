/**
 * Starts a run: port, environment, the record that it is about to start, spawn by the keeper.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { TaskSpec } from "../domain/task_spec.ts";
import type { RunInfo } from "../domain/task_state.ts";
import { isSilence } from "../pty/keeper_client.ts";
import type { LogTarget } from "../pty/protocol.ts";
import { NOT_SPAWNED } from "../store/run_table.ts";
import type { SupervisorHost } from "./host.ts";
import { encodeRunNote } from "./run_note.ts";
import type { ContextTask, RunContext } from "./run_context.ts";

/** Bytes of a run id: the kernel's run tag holds 48 bits safely in every number type. */
const RUN_ID_BYTES = 6;

/** Keepers that may die in the middle of one start. */
const MAX_KEEPERS = 5;

/** A started run and the environment it got. */
export interface LaunchedRun {
  readonly run: RunInfo;
  readonly env: Readonly<Record<string, string>>;
  /** Whether the environment of the shell that asked for the task is lost, and the daemon's own stands in for it. */
  readonly isSubstitute: boolean;
}

/**
 * Starts a run of a task. That it lives is not recorded yet: the caller does it together with telling of it. If the keeper
 * dies meanwhile, what it may have started is ended, and the next one starts it.
 *
 * @throws {TaskmuxError} E214 port taken, E104 unreadable env file, E403 the keeper could not spawn, E600 there is no
 * keeper that answers.
 */
export async function launchRun(
  task: ContextTask,
  context: RunContext,
  host: SupervisorHost,
): Promise<LaunchedRun> {
  for (let keepers = 1;; keepers++) {
    const runId = crypto.getRandomValues(new Uint8Array(RUN_ID_BYTES)).toHex();
    const port = await assignPort(task, context, host);
    try {
      return await spawnRun(task, { context, host, runId, port });
    } catch (error) {
      if (keepers === MAX_KEEPERS || !isUnknown(error) || isSilence(error)) {
        throw error;
      }
    }
    await host.keeper.request("reclaim", { runIds: [runId] });
    host.store.runs.forget(runId);
  }
}

/** If the keeper is gone nobody knows whether it was spawned. */
function isUnknown(error: unknown): boolean {
  return error instanceof TaskmuxError && error.code === "E600";
}

interface Launching {
  readonly context: RunContext;
  readonly host: SupervisorHost;
  readonly runId: string;
  readonly port: number | null;
}

async function spawnRun(
  task: ContextTask,
  { context, host, runId, port }: Launching,
): Promise<LaunchedRun> {
  const { spec } = task;
  const { projectId } = context;
  const { runs } = host.store;
  const env = await context.environmentOf(task, { runId, port });
  const { isSubstitute } = await host.environments.recall(task.environment);
  // Written down before it lives: what survives a crash of ours and of the keeper at this moment is found by it.
  runs.start({
    runId,
    port,
    pid: NOT_SPAWNED,
    startTime: "0",
    startedAt: host.clock.now(),
    session: projectId,
    task: spec.name,
    bootId: host.keeper.bootId,
    command: spec.command,
    digest: spec.digest,
  });
  const { pid, startTime, startedAt } = await host.keeper.request("spawn", {
    runId,
    key: runKey(projectId, spec.name),
    argv: [spec.shell ?? "/bin/sh", "-c", spec.command],
    cwd: spec.cwd,
    env,
    log: logTarget(spec, host.logFile(projectId, spec.name)),
    ...noteOn(task, { context, port }),
    pidsLimit: spec.pidsLimit,
  }).catch((error) => {
    if (!isUnknown(error)) runs.forget(runId);
    throw error;
  });
  if (isSubstitute) {
    host.emit({
      event: "environment_lost",
      session: projectId,
      task: spec.name,
      at: host.clock.now(),
      data: { run_id: runId },
    });
  }
  return { run: { runId, pid, startTime, startedAt, port }, env, isSubstitute };
}

function noteOn(
  { spec, isAdHoc, environment }: ContextTask,
  { context, port }: Pick<Launching, "context" | "port">,
): { readonly note?: string } {
  const { configPath, name, worktreeId } = context;
  const note = encodeRunNote({
    port,
    command: spec.command,
    digest: spec.digest,
    adhoc: isAdHoc ? JSON.stringify(spec) : null,
    environment,
    configPath,
    name,
    worktreeId,
  });
  return note === undefined ? {} : { note };
}

/**
 * The port that the next run of a task gets: the same each time it is asked, while nobody else takes it.
 *
 * @returns Null if the task has none.
 * @throws {TaskmuxError} E214 port taken.
 */
export async function assignPort(
  task: ContextTask,
  context: RunContext,
  host: SupervisorHost,
): Promise<number | null> {
  const { spec } = task;
  if (!spec.wantsPort) return null;
  const { port, changed } = await host.ports.assign({
    session: context.projectId,
    task: spec.name,
    fixed: spec.port,
    isOurs: (runId) => context.ownsRun(spec.name, runId),
  });
  if (changed !== null) {
    host.emit({
      event: "port_changed",
      session: context.projectId,
      task: spec.name,
      at: host.clock.now(),
      data: { from: changed.from, to: port, holder: changed.holder },
    });
  }
  return port;
}

/** Where the output of a task goes. */
export function logTarget(spec: TaskSpec, defaultPath: string): LogTarget {
  return {
    path: spec.log.file ?? defaultPath,
    maxBytes: spec.log.maxBytes,
    maxFiles: spec.log.maxFiles,
  };
}

/** The keeper's name for a task: neither part holds a slash. */
export function runKey(projectId: string, task: string): string {
  return `${projectId}/${task}`;
}

/** The inverse of {@linkcode runKey}. */
export function parseRunKey(
  key: string,
): { readonly projectId: string; readonly task: string } {
  const slash = key.indexOf("/");
  return { projectId: key.slice(0, slash), task: key.slice(slash + 1) };
}
