/**
 * Waiting for tasks: returns at once when the condition holds, when it cannot hold any more, or when time is over.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { ErrorShape } from "../domain/error.ts";
import { isAtRest, runOf } from "../domain/task_machine.ts";
import { type Asker, isTimeout, runnersOf, withTimeout } from "./action.ts";
import { probe } from "../health/mod.ts";
import { withOutputTail } from "./output_tail.ts";
import { hasPrinted, type WantedLine, willPrint } from "./printed_line.ts";
import {
  isUnhealthyFinal,
  type ProjectSupervisor,
} from "./project_supervisor.ts";
import type { TaskRunner } from "./task_runner.ts";

/** Pause between two looks at a port. */
const PORT_POLL_MS = 50;

/** A condition of `wait`. */
export type WaitCondition =
  | { readonly kind: "healthy" | "running" | "completed" | "stopped" | "port" }
  | { readonly kind: "log"; readonly pattern: string; readonly flags: string };

/**
 * Reads a condition: `healthy`, `running`, `completed`, `stopped`, `port` or `log:/re/`.
 *
 * @throws {TaskmuxError} E500 if it is none of these or the expression is invalid.
 */
export function parseCondition(text: string): WaitCondition {
  switch (text) {
    case "healthy":
    case "running":
    case "completed":
    case "stopped":
    case "port":
      return { kind: text };
  }
  const match = /^log:(?:\/(.*)\/([iu]*)|(.+))$/s.exec(text);
  if (match === null) {
    throw new TaskmuxError(
      "E500",
      `Cannot wait for "${text}": unknown condition`,
      {
        hint:
          "healthy, running, completed, stopped, port or log:/regular expression/",
      },
    );
  }
  const pattern = match[1] ?? match[3] ?? "";
  const flags = match[2] ?? "";
  try {
    new RegExp(pattern, flags);
  } catch (error) {
    throw new TaskmuxError(
      "E500",
      `Cannot wait for "${text}": ${(error as SyntaxError).message}`,
      { cause: error },
    );
  }
  return { kind: "log", pattern, flags };
}

/**
 * Waits until every task meets the condition.
 *
 * @throws {TaskmuxError} E200 unknown task, E403 or E202 when a task cannot meet it any more, E602 on timeout.
 */
export async function waitForTasks(
  project: ProjectSupervisor,
  request: {
    readonly names: readonly string[];
    readonly condition: WaitCondition;
    readonly timeoutMs: number;
  },
  asker: Asker,
): Promise<TaskRunner[]> {
  const runners = runnersOf(project, request.names);
  const done = new AbortController();
  const signal = AbortSignal.any([
    withTimeout(asker.signal, request.timeoutMs),
    done.signal,
  ]);
  if (asker.onProgress) project.watchProgress(asker.onProgress, signal);
  const waits = runners.map((runner) =>
    waitForTask(project, runner, { condition: request.condition, signal })
  );
  try {
    await Promise.all(waits);
    return runners;
  } catch (error) {
    if (error instanceof TaskmuxError) throw await withEvidence(project, error);
    if (!isTimeout(error)) throw error;
    const late = runners.map((runner) =>
      `${runner.name} is ${runner.snapshot().state}`
    );
    throw new TaskmuxError(
      "E602",
      `Not ${conditionText(request.condition)} after ${
        request.timeoutMs / 1000
      } s: ${late.join(", ")}`,
      {
        hint: `taskmux logs ${runners[0]?.name ?? ""}`,
        details: {
          for: conditionText(request.condition),
          tasks: runners.map((runner) => ({
            task: runner.name,
            state: runner.snapshot().state,
            reason: runner.snapshot().reason,
          })),
        },
      },
    );
  } finally {
    done.abort(new DOMException("Wait is over", "AbortError"));
    await Promise.allSettled(waits);
  }
}

async function withEvidence(
  project: ProjectSupervisor,
  error: TaskmuxError,
): Promise<TaskmuxError> {
  const task = String(error.details?.["task"] ?? "");
  const shape = await withOutputTail(project, task, error.toShape());
  return TaskmuxError.fromShape(shape);
}

function conditionText(condition: WaitCondition): string {
  return condition.kind === "log"
    ? `log:/${condition.pattern}/${condition.flags}`
    : condition.kind;
}

interface OneWait {
  readonly condition: WaitCondition;
  readonly signal: AbortSignal;
}

async function waitForTask(
  project: ProjectSupervisor,
  runner: TaskRunner,
  wait: OneWait,
): Promise<void> {
  const { condition, signal } = wait;
  if (condition.kind === "log") return await waitForLog(project, runner, wait);
  const { kind } = condition;
  if (kind === "port") return await waitForPort(project, runner, signal);
  const failure = await project.until(
    () => judge(runner, kind),
    signal,
  );
  if (failure !== "met") throw TaskmuxError.fromShape(failure);
}

/** `met`, why it cannot be met any more, or undefined while both are open. */
function judge(
  runner: TaskRunner,
  kind: "healthy" | "running" | "completed" | "stopped",
): "met" | ErrorShape | undefined {
  const snapshot = runner.snapshot();
  const { status } = runner.machine.phase;
  const hasEnded = status === "failed" || status === "completed" ||
    status === "stopped";
  switch (kind) {
    case "stopped":
      return isAtRest(runner.machine) ? "met" : undefined;
    case "completed":
      if (status === "completed") return "met";
      return hasEnded ? impossible(runner, kind) : undefined;
    case "running":
      if (status === "running") return "met";
      return hasEnded ? impossible(runner, kind) : undefined;
    case "healthy": {
      if (snapshot.healthy) return "met";
      const isFinal = snapshot.state === "unhealthy" &&
        isUnhealthyFinal(runner);
      return hasEnded || isFinal ? impossible(runner, kind) : undefined;
    }
  }
}

function impossible(runner: TaskRunner, wanted: string): ErrorShape {
  const { state, reason } = runner.snapshot();
  const code = state === "stopped" ? "E202" : "E403";
  return new TaskmuxError(
    code,
    `Task '${runner.name}' cannot become ${wanted}: it is ${state}${
      reason === null ? "" : ` (${reason})`
    }`,
    {
      hint: state === "stopped"
        ? `taskmux start ${runner.name}`
        : `taskmux logs ${runner.name}`,
      details: { task: runner.name, state, for: wanted },
    },
  ).toShape();
}

async function waitForLog(
  project: ProjectSupervisor,
  runner: TaskRunner,
  wait: OneWait,
): Promise<void> {
  const { signal, condition } = wait;
  if (condition.kind !== "log") return;
  const { host, projectId } = project;
  const { pattern, flags } = condition;
  const lineOf = (run: WantedLine["run"]): WantedLine => ({
    projectId,
    spec: runner.spec,
    run,
    pattern,
    flags,
  });
  for (;;) {
    const run = await project.until(() => {
      const present = runOf(runner.machine);
      if (present !== null) return present;
      return isAtRest(runner.machine) ? "none" : undefined;
    }, signal);
    if (run === "none") {
      const [last] = host.store.runs.history(projectId, runner.name, 1);
      if (last !== undefined && await hasPrinted(host, lineOf(last), signal)) {
        return;
      }
      throw TaskmuxError.fromShape(
        impossible(runner, conditionText(condition)),
      );
    }
    if (await willPrint(host, lineOf(run), signal)) return;
    // That run is over; the next one, if policy starts one, gets its own chance.
    await project.until(
      () => runOf(runner.machine)?.runId === run.runId ? undefined : true,
      signal,
    );
  }
}

async function isOpen(
  project: ProjectSupervisor,
  runner: TaskRunner,
  signal: AbortSignal,
): Promise<boolean> {
  const { spec } = runner;
  const { ok } = await probe({
    health: { ...spec.health, url: null, check: null },
    port: runOf(runner.machine)?.port ?? null,
    alive: true,
    env: {},
    cwd: spec.cwd,
    shell: spec.shell,
  }, { clock: project.host.clock, signal });
  return ok;
}

async function waitForPort(
  project: ProjectSupervisor,
  runner: TaskRunner,
  signal: AbortSignal,
): Promise<void> {
  if (!runner.spec.wantsPort) {
    throw new TaskmuxError(
      "E500",
      `Cannot wait for the port of task '${runner.name}': it has none`,
      { hint: "set host or port, or use $PORT in its command" },
    );
  }
  for (;;) {
    const port = await project.until(() => {
      const run = runOf(runner.machine);
      if (run !== null) return { port: run.port };
      return isAtRest(runner.machine)
        ? { error: impossible(runner, "port") }
        : undefined;
    }, signal);
    if ("error" in port) throw TaskmuxError.fromShape(port.error);
    if (port.port !== null && await isOpen(project, runner, signal)) return;
    await project.host.clock.sleep(PORT_POLL_MS, signal);
  }
}
