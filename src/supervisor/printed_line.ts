/**
 * Whether a run has printed a line of some form, or does so before it ends. The keeper tells of new lines and remembers
 * the newest ones; what came before those is in the log.
 *
 * @module
 */

import type { TaskSpec } from "../domain/task_spec.ts";
import { withinTime } from "../kit/time_limit.ts";
import { readLogs } from "../logs/log_reader.ts";
import type { SupervisorHost } from "./host.ts";
import { logTarget } from "./launch_run.ts";

/** How long the expression may take on what a search with it has found already. */
const MATCH_LIMIT_MS = 500;

/** Which line of whose output. */
export interface WantedLine {
  readonly projectId: string;
  readonly spec: TaskSpec;
  /** The run, and its start in wall milliseconds. */
  readonly run: { readonly runId: string; readonly startedAt: number };
  /** Regular expression. */
  readonly pattern: string;
  readonly flags: string;
}

/** Whether a run has printed such a line, or does so before it ends. See {@linkcode lineOfRun}. */
export async function willPrint(
  host: SupervisorHost,
  wanted: WantedLine,
  signal: AbortSignal,
): Promise<boolean> {
  return await lineOfRun(host, wanted, signal) !== null;
}

/**
 * Waits for a line of a run.
 *
 * @returns The line as plain text; null when the run has ended without it.
 */
export async function lineOfRun(
  host: SupervisorHost,
  wanted: WantedLine,
  signal: AbortSignal,
): Promise<string | null> {
  const { run: { runId }, pattern, flags } = wanted;
  const found = new AbortController();
  const withdraw = (): void => {
    found.abort(new DOMException("Nobody waits for it", "AbortError"));
  };
  const next = host.keeper.request(
    "waitForLine",
    { runId, pattern, flags },
    AbortSignal.any([signal, found.signal]),
  ).then(({ line }) => line, (error) => {
    if (found.signal.aborted) return null;
    throw error;
  });
  // Searched once the keeper has written what it had and listens, so that no line falls between the two: it takes its
  // requests in order, and has heard that one when it answers this one, which asks nothing.
  const there = host.keeper.request("acknowledge", { runIds: [] }, signal)
    .then(() => printedLine(host, wanted, signal))
    .then((line) => {
      if (line !== null) withdraw();
      return line;
    }, (error) => {
      withdraw();
      throw error;
    });
  // Of an expression that is no good the search says more.
  const [before, later] = await Promise.allSettled([there, next]);
  if (before.status === "rejected") throw before.reason;
  if (later.status === "rejected") throw later.reason;
  return before.value ?? later.value;
}

/** The first such line in the log since the run began; null if there is none. One search of what the run printed. */
export async function printedLine(
  host: SupervisorHost,
  { projectId, spec, run, pattern, flags }: WantedLine,
  signal: AbortSignal,
): Promise<string | null> {
  const defaultPath = host.logFile(projectId, spec.name);
  const { records } = await readLogs({
    sources: [{ task: spec.name, path: logTarget(spec, defaultPath).path }],
    lines: null,
    // A search may ignore the case of small letters, and so find too much.
    grep: flags.includes("i") ? `(?i:${pattern})` : pattern,
    context: 0,
    sinceMs: run.startedAt,
    untilMs: null,
    cursor: null,
    signal,
  });
  const exact = new RegExp(pattern, flags);
  return withinTime(
    MATCH_LIMIT_MS,
    () => records.find(({ text }) => exact.test(text))?.text ?? null,
  );
}
