/**
 * What is said of waits that did not end well, with the evidence.
 *
 * @module
 */

import { type ErrorShape, TaskmuxError } from "../domain/error.ts";
import { type DisplayState, stateText } from "../domain/task_state.ts";
import { lastWordsOf, withOutputTail } from "./output_tail.ts";
import type { ProjectSupervisor } from "./project_supervisor.ts";
import type { TaskRunner } from "./task_runner.ts";
import { conditionText, type WaitCondition } from "./wait_condition.ts";

/** Lines of each task where several are late. */
const LINES_OF_SEVERAL = 3;

/** Tasks whose lines an error carries. */
const TASKS_QUOTED = 5;

/** Why a task cannot meet a condition any more: E202 if it is stopped, else E403. */
export function impossible(
  runner: TaskRunner,
  condition: WaitCondition,
): ErrorShape {
  const { name } = runner;
  const { state } = runner.snapshot();
  const code = state === "stopped" ? "E202" : "E403";
  return new TaskmuxError(
    code,
    `Task '${name}' cannot ${aim(condition)}: it is ${stateOf(runner)}`,
    {
      hint: whatToDo(name, state, condition),
      details: { task: name, state, for: conditionText(condition) },
    },
  ).toShape();
}

function aim(condition: WaitCondition): string {
  switch (condition.kind) {
    case "log":
      return `print ${expressionOf(condition)} any more`;
    case "port":
      return "open its port";
    default:
      return `become ${conditionText(condition)}`;
  }
}

function expressionOf(
  { pattern, flags }: Extract<WaitCondition, { kind: "log" }>,
): string {
  return `/${pattern}/${flags}`;
}

function whatToDo(
  name: string,
  state: DisplayState,
  { kind }: WaitCondition,
): string {
  if (state === "stopped") return `taskmux start ${name}`;
  return state === "completed" && kind === "healthy"
    ? `taskmux wait ${name} --for completed`
    : `taskmux why ${name}`;
}

/** The state and its reason, which need not name the task once more. */
function stateOf(runner: TaskRunner): string {
  const { state, reason } = runner.snapshot();
  const text = stateText(state);
  if (reason === null) return text;
  const subject = `Task "${runner.name}" `;
  return `${text} (${
    reason.startsWith(subject) ? reason.slice(subject.length) : reason
  })`;
}

/** A task that is in no file any more. */
export function removedError({ name }: TaskRunner): ErrorShape {
  return new TaskmuxError(
    "E200",
    `Task '${name}' was removed from the configuration while it was waited for`,
    { hint: "taskmux status", details: { task: name } },
  ).toShape();
}

/** None of several tasks can meet the condition. */
export async function allImpossible(
  project: ProjectSupervisor,
  errors: readonly ErrorShape[],
): Promise<TaskmuxError> {
  const whole = await Promise.all(
    errors.map((error) =>
      withOutputTail(project, String(error.details?.["task"] ?? ""), error)
    ),
  );
  const [first] = whole;
  return new TaskmuxError(
    first?.error_code ?? "E403",
    whole.map(({ error }) => error).join("; "),
    {
      hint: "taskmux status",
      details: {
        tasks: whole.map(({ error, error_code, details }) => ({
          ...details,
          error_code,
          error,
        })),
      },
    },
  );
}

/** Time is over: E602 with the state of each task that is late, and what it printed last. */
export async function lateError(
  project: ProjectSupervisor,
  { condition, timeoutMs }: {
    readonly condition: WaitCondition;
    readonly timeoutMs: number;
  },
  runners: readonly TaskRunner[],
): Promise<TaskmuxError> {
  const states = runners.map((runner) =>
    `${runner.name} is ${stateOf(runner)}`
  );
  const wanted = conditionText(condition);
  const [first] = runners;
  return new TaskmuxError(
    "E602",
    `${missing(condition)} after ${timeoutMs / 1000} s${
      states.length === 0 ? "" : `: ${states.join(", ")}`
    }`,
    {
      hint: first === undefined
        ? "taskmux events"
        : `taskmux why ${first.name}`,
      details: {
        for: wanted,
        tasks: runners.map((runner) => ({
          task: runner.name,
          state: runner.snapshot().state,
          reason: runner.snapshot().reason,
        })),
        ...await outputOf(project, runners),
      },
    },
  );
}

function missing(condition: WaitCondition): string {
  switch (condition.kind) {
    case "log":
      return `No line matched ${expressionOf(condition)}`;
    case "port":
      return "No open port";
    case "event":
      return `No ${conditionText(condition)}`;
    default:
      return `Not ${conditionText(condition)}`;
  }
}

async function outputOf(
  project: ProjectSupervisor,
  runners: readonly TaskRunner[],
): Promise<{ readonly output_tail?: string; readonly error_lines?: string[] }> {
  const isAlone = runners.length === 1;
  const tails: string[] = [];
  const errors: string[] = [];
  for (const { name } of runners.slice(0, TASKS_QUOTED)) {
    const count = isAlone ? undefined : LINES_OF_SEVERAL;
    const words = await lastWordsOf(project, name, count);
    const named = (line: string): string => isAlone ? line : `${name}: ${line}`;
    tails.push(...words.tail.map(named));
    errors.push(...words.errors.map(named));
  }
  return {
    ...tails.length === 0 ? {} : { output_tail: tails.join("\n") },
    ...errors.length === 0 ? {} : { error_lines: errors },
  };
}
