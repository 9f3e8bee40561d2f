/**
 * The live view of an action: which task is where, whom it waits for, and for how long. Pure; `live_block.ts` draws it.
 *
 * @module
 */

import type { Progress } from "../../contract/wire.ts";
import { formatDuration } from "../../kit/duration.ts";
import type { Paint, Style } from "./paint.ts";
import { cutText, padText, plainText, textWidth } from "./text.ts";

/** Most tasks shown at once; finished ones give way first. */
const MAX_SHOWN_TASKS = 20;

/** Lines around the tasks: the headline, the count of those not shown, the cursor's own. */
const OTHER_LINES = 3;

/** One task on its way. */
export interface ProgressTask {
  readonly task: string;
  readonly state: string;
  /** When it entered that state, in milliseconds of a monotonic clock. */
  readonly sinceMs: number;
  readonly waitingFor: readonly string[];
  readonly message: string | null;
}

/** All that is known of a running action. */
export interface ProgressModel {
  /** What is done, such as "Starting". */
  readonly title: string;
  /** The states that are waited for; null = those in which a task can stay. */
  readonly goal: ReadonlySet<string> | null;
  readonly startedMs: number;
  /** In the order in which they were first heard of. */
  readonly tasks: ReadonlyMap<string, ProgressTask>;
}

/** The model before anything was heard. @param goal See {@linkcode ProgressModel}. */
export function startProgress(
  title: string,
  nowMs: number,
  goal: ReadonlySet<string> | null = null,
): ProgressModel {
  return { title, goal, startedMs: nowMs, tasks: new Map() };
}

/** The model after one more message. */
export function addProgress(
  model: ProgressModel,
  progress: Progress,
  nowMs: number,
): ProgressModel {
  const before = model.tasks.get(progress.task);
  const task: ProgressTask = {
    task: progress.task,
    state: progress.state,
    sinceMs: before?.state === progress.state ? before.sinceMs : nowMs,
    waitingFor: (progress.waiting_for ?? []).map(({ task, condition }) =>
      `${task} (${condition})`
    ),
    message: progress.message ?? null,
  };
  return { ...model, tasks: new Map(model.tasks).set(task.task, task) };
}

/** How the view is drawn. */
export interface ProgressOptions {
  readonly nowMs: number;
  /** Columns of the terminal. No line is wider. */
  readonly width: number;
  /** Rows of the terminal. There are fewer lines than that. */
  readonly height: number;
  readonly paint: Paint;
}

/** The lines of the view: a headline, then one line per task. */
export function progressLines(
  model: ProgressModel,
  { nowMs, width, height, paint }: ProgressOptions,
): string[] {
  const all = [...model.tasks.values()];
  const markOf = ({ state }: ProgressTask): Mark =>
    markOfState(state, model.goal);
  const limit = Math.max(1, Math.min(MAX_SHOWN_TASKS, height - OTHER_LINES));
  const shown = visibleTasks(all, { limit, markOf });
  const settled = all.filter((task) => markOf(task) !== WORKING).length;
  const elapsed = formatDuration(roundedMs(nowMs - model.startedMs));
  const isCounted = all.length > 0 && model.goal?.size !== 0;
  const count = !isCounted ? "" : ` ${settled}/${all.length}`;
  const hidden = all.length - shown.length;
  const nameWidth = Math.max(0, ...shown.map(({ task }) => textWidth(task)));
  return [
    cutText(`${model.title}${count} (${elapsed})`, width - 1),
    ...shown.map((task) => {
      const mark = markOf(task);
      const ageMs = mark === WORKING ? nowMs - task.sinceMs : null;
      const text = cutText(
        `${padText(task.task, nameWidth)}  ${stateText(task, ageMs)}`,
        width - 5,
      );
      return `  ${paint(mark.style, mark.sign)} ${text}`;
    }),
    ...hidden === 0 ? [] : [`  and ${hidden} more`],
  ];
}

/** The states in which a task meets a condition of `wait`; none for a port, a line or an event, which no state tells. */
export function goalOf(condition: string): ReadonlySet<string> {
  const [kind = ""] = condition.split(":");
  return new Set(GOALS[kind] ?? []);
}

const UP = ["starting", "running", "healthy", "unhealthy"];

const GOALS: Readonly<Record<string, readonly string[]>> = {
  healthy: ["running", "healthy", "completed"],
  running: UP,
  started: [...UP, "completed"],
  completed: ["completed"],
  stopped: ["stopped", "failed", "completed"],
};

interface Mark {
  readonly sign: string;
  readonly style: Style;
}

const WORKING: Mark = { sign: "·", style: "yellow" };
const GOOD: Mark = { sign: "✓", style: "green" };
const BAD: Mark = { sign: "✗", style: "red" };

const MARKS: Readonly<Record<string, Mark>> = {
  running: GOOD,
  healthy: GOOD,
  completed: GOOD,
  stopped: GOOD,
  failed: BAD,
  unhealthy: BAD,
};

function markOfState(
  state: string,
  goal: ReadonlySet<string> | null,
): Mark {
  if (goal?.has(state)) return GOOD;
  const mark = MARKS[state] ?? WORKING;
  return mark === GOOD && goal !== null ? WORKING : mark;
}

/** Those still on their way before all others, of these the latest. The order stays. */
function visibleTasks(
  all: readonly ProgressTask[],
  { limit, markOf }: {
    readonly limit: number;
    markOf(task: ProgressTask): Mark;
  },
): readonly ProgressTask[] {
  if (all.length <= limit) return all;
  const working = all.filter((task) => markOf(task) === WORKING);
  const others = all.filter((task) => markOf(task) !== WORKING);
  const room = Math.max(0, limit - working.length);
  const kept = new Set([
    ...working.slice(0, limit),
    ...room === 0 ? [] : others.slice(-room),
  ]);
  return all.filter((task) => kept.has(task));
}

function stateText(task: ProgressTask, ageMs: number | null): string {
  const age = ageMs === null ? "" : ` ${formatDuration(roundedMs(ageMs))}`;
  const whom = task.waitingFor.length === 0
    ? ""
    : ` for ${task.waitingFor.join(", ")}`;
  const message = task.message === null ? "" : `: ${plainText(task.message)}`;
  return `${task.state}${whom}${age}${message}`;
}

/** Tenths of a second, so that the view does not flicker. */
function roundedMs(ms: number): number {
  return Math.floor(ms / 100) * 100;
}
