/**
 * Waiting for tasks: returns at once when the condition holds, when it cannot hold any more, or when time is over.
 *
 * @module
 */

import { type ErrorShape, TaskmuxError } from "../domain/error.ts";
import type { TaskEvent } from "../domain/event.ts";
import { type Asker, isTimeout, runnersOf, withTimeout } from "./action.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";
import type { TaskRunner } from "./task_runner.ts";
import { type Finding, waitForEvent, waitForTask } from "./wait_for_task.ts";
import { conditionText, type WaitCondition } from "./wait_condition.ts";
import { allImpossible, lateError } from "./wait_errors.ts";
import { withOutputTail } from "./output_tail.ts";

/** Events of a project as they come, those after a number first. */
export type ListenToEvents = (
  filter: { readonly task: string | null; readonly type: string },
  signal: AbortSignal,
) => AsyncIterable<TaskEvent>;

/** What is waited for. */
export interface WaitRequest {
  /** Empty = any event of the project. */
  readonly names: readonly string[];
  readonly condition: WaitCondition;
  /** In all. */
  readonly timeoutMs: number;
  /** Of these, what went by before this daemon was asked. */
  readonly waitedMs: number;
  /** One task is enough. */
  readonly any: boolean;
  readonly listen: ListenToEvents;
}

/** What came of it for one task; the project itself has no name. */
export interface WaitOutcome {
  readonly task: string | null;
  readonly runner: TaskRunner | null;
  readonly isMet: boolean;
  readonly line?: string;
  readonly event?: TaskEvent;
}

type Waiter = Pick<WaitOutcome, "task" | "runner">;

/**
 * Waits until every task meets the condition, or with `any` one of them does.
 *
 * @throws {TaskmuxError} E200 unknown or removed task, E403 or E202 when a task, or with `any` the last one, cannot meet
 * it any more, E602 on timeout; with what was printed last in the details.
 */
export async function waitForTasks(
  project: ProjectSupervisor,
  request: WaitRequest,
  asker: Asker,
): Promise<WaitOutcome[]> {
  const { any } = request;
  const waiters: readonly Waiter[] = request.names.length === 0
    ? [{ task: null, runner: null }]
    : runnersOf(project, request.names)
      .map((runner) => ({ task: runner.name, runner }));
  const done = new AbortController();
  const leftMs = Math.max(1, request.timeoutMs - request.waitedMs);
  const signal = AbortSignal.any([
    withTimeout(asker.signal, leftMs),
    done.signal,
  ]);
  const { onProgress } = asker;
  if (onProgress) {
    const names = new Set(waiters.map(({ task }) => task));
    project.watchProgress((progress) => {
      if (names.has(progress.task)) onProgress(progress);
    }, signal);
  }
  const found = new Map<Waiter, Finding>();
  const decided = Promise.withResolvers<void>();
  const waits = waiters.map(async (waiter) => {
    const finding = await waitForOne(project, waiter, { request, signal });
    found.set(waiter, finding);
    const isDecisive = finding.isMet === any || found.size === waiters.length;
    if (isDecisive) decided.resolve();
  });
  for (const wait of waits) wait.catch(decided.reject);
  try {
    await decided.promise;
  } catch (error) {
    if (!isTimeout(error)) throw error;
    throw await lateError(project, request, late(waiters, found));
  } finally {
    done.abort(new DOMException("Wait is over", "AbortError"));
    await Promise.allSettled(waits);
  }
  const errors = [...found.values()].flatMap((finding) =>
    finding.isMet ? [] : [finding.error]
  );
  const [first] = errors;
  if (first !== undefined && !(any && errors.length < found.size)) {
    throw any && errors.length > 1
      ? await allImpossible(project, errors)
      : await withEvidence(project, first);
  }
  return waiters.map((waiter) => {
    const finding = found.get(waiter);
    return finding?.isMet === true
      ? { ...waiter, ...finding }
      : { ...waiter, isMet: false };
  });
}

async function waitForOne(
  project: ProjectSupervisor,
  { task, runner }: Waiter,
  { request, signal }: {
    readonly request: WaitRequest;
    readonly signal: AbortSignal;
  },
): Promise<Finding> {
  const { condition, listen } = request;
  if (condition.kind !== "event") {
    if (runner !== null) {
      return await waitForTask(project, runner, { condition, signal });
    }
    throw new TaskmuxError(
      "E500",
      `Cannot wait for ${conditionText(condition)}: no task is named`,
      { hint: "taskmux wait TASK, or --for event:TYPE" },
    );
  }
  const event = (within: AbortSignal): Promise<Finding> =>
    waitForEvent(listen({ task, type: condition.type }, within), within);
  return await waitForTask(project, runner, { condition, signal, event });
}

/** The tasks that are not there yet. */
function late(
  waiters: readonly Waiter[],
  found: ReadonlyMap<Waiter, Finding>,
): readonly TaskRunner[] {
  return waiters.flatMap((waiter) =>
    waiter.runner !== null && !found.has(waiter) ? [waiter.runner] : []
  );
}

async function withEvidence(
  project: ProjectSupervisor,
  error: ErrorShape,
): Promise<TaskmuxError> {
  const task = String(error.details?.["task"] ?? "");
  return TaskmuxError.fromShape(await withOutputTail(project, task, error));
}
