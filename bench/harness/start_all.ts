/**
 * Managers side by side, each with the same tasks running.
 *
 * @module
 */

import { until } from "../../tests/support/until.ts";
import type {
  BenchTask,
  OpenOptions,
  Session,
  Subject,
} from "../subjects/subject.ts";
import { countIdleTasks } from "../subjects/subject.ts";

/** How long tasks may take to run after the start command has returned. */
const RUNNING_TIMEOUT_MS = 60_000;

/** A manager that runs. */
export interface Running {
  readonly subject: Subject;
  readonly session: Session;
}

/** Those that run, and what became of the others. */
export interface StartedAll {
  readonly running: readonly Running[];
  readonly failures: readonly string[];
}

/** Starts the same tasks under each manager. What was started belongs to the stack. */
export async function startAll(
  subjects: readonly Subject[],
  tasks: readonly BenchTask[],
  stack: AsyncDisposableStack,
  options: OpenOptions,
): Promise<StartedAll> {
  const running: Running[] = [];
  const failures: string[] = [];
  for (const subject of subjects) {
    const failure = await failureOf(subject, options.signal, async () => {
      const session = stack.use(await subject.open(tasks, options));
      await session.start();
      await untilRunning(session, tasks.length, options.signal);
      running.push({ subject, session });
    });
    if (failure !== null) failures.push(failure);
  }
  return { running, failures };
}

/** Waits until as many idle tasks run as there should be. */
export async function untilRunning(
  session: Session,
  count: number,
  signal: AbortSignal,
): Promise<void> {
  await until(async () => await countIdleTasks(session) >= count, {
    what: `${count} tasks running`,
    timeoutMs: RUNNING_TIMEOUT_MS,
    signal,
  });
}

/**
 * Does something with a manager and tells in a sentence how it failed; null if it did not. One manager that fails must
 * not spoil the measurement of the others. Only being interrupted is thrown on.
 */
export async function failureOf(
  subject: { readonly name: string },
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Error)) throw error;
    return `${subject.name} failed: ${error.message.replaceAll("\n", " ")}`;
  }
}
