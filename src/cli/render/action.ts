/**
 * What an action did, for people.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { formatDuration } from "../../kit/duration.ts";
import { errorLines } from "./error.ts";
import type { Paint } from "./paint.ts";
import { STATE_STYLES } from "./status.ts";
import { warningLines } from "./warnings.ts";

/** The answer of an action. */
export type ActionResult = Result<"task.start"> | Result<"task.ensure">;

/** One task of it. */
export type TaskAction = NonNullable<ActionResult["results"]>[number];

/** What goes to stdout and what to stderr. */
export interface ActionLines {
  readonly out: string[];
  readonly err: string[];
}

/** The painters of the two streams, of which only one may be a terminal. */
export interface ActionPaint {
  readonly paint: Paint;
  readonly paintError: Paint;
}

/** The lines of an action: one per task in the order in which it was done, then the whole. */
export function actionLines(
  result: ActionResult,
  { paint, paintError }: ActionPaint,
): ActionLines {
  const out: string[] = [];
  const err: string[] = [];
  for (const action of taskActions(result)) {
    if (action.ok) out.push(taskLine(action, paint));
    else err.push(...failureLines(action, paintError));
  }
  if (result.session !== undefined && result.ok) {
    out.push(sessionLine(result, paint));
  }
  err.push(...warningLines(result.warnings ?? [], paintError));
  return { out, err };
}

/** The tasks of an action, whichever of its shapes it has. */
function taskActions(result: ActionResult): readonly TaskAction[] {
  if (result.results !== undefined) return result.results;
  return result.task === undefined ? [] : [result as TaskAction];
}

const VERBS: Readonly<Record<string, string>> = {
  started: "Started",
  stopped: "Stopped",
  restarted: "Restarted",
  killed: "Killed",
  noop: "Already running:",
};

function taskLine(action: TaskAction, paint: Paint): string {
  const isDone = action.action === "noop" && action.state === "completed";
  const verb = isDone
    ? "Already completed:"
    : VERBS[action.action ?? ""] ?? action.action ?? "Done:";
  const facts: string[] = [];
  if (action.state !== undefined && action.state !== "stopped") {
    facts.push(paint(STATE_STYLES[action.state], action.state));
  }
  if (typeof action.pid === "number") facts.push(`pid ${action.pid}`);
  if (typeof action.url === "string") facts.push(action.url);
  else if (typeof action.port === "number") facts.push(`port ${action.port}`);
  const { age } = action;
  if (typeof age === "number" && action.action === "noop") {
    facts.push(`up ${formatDuration(age * 1000)}`);
  }
  const detail = facts.length === 0 ? "" : ` (${facts.join(", ")})`;
  return `${verb} task "${action.task}"${detail}`;
}

function sessionLine(result: ActionResult, paint: Paint): string {
  if (result.action === "noop") {
    return paint("bold", `Session "${result.session}" is running already`);
  }
  const verb = VERBS[result.action ?? ""] ?? result.action ?? "Done:";
  const count = Array.isArray(result.tasks) ? result.tasks.length : undefined;
  const tasks = count === undefined
    ? ""
    : ` with ${count} ${count === 1 ? "task" : "tasks"}`;
  return paint("bold", `${verb} session "${result.session}"${tasks}`);
}

function failureLines(action: TaskAction, paint: Paint): string[] {
  return errorLines({
    error_code: action.error_code ?? "E900",
    error: action.error ?? `Cannot act on task "${action.task}"`,
    ...(action.hint === undefined ? {} : { hint: action.hint }),
    details: action.details,
  }, paint);
}
