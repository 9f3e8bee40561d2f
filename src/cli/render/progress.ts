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
  readonly startedMs: number;
  /** In the order in which they were first heard of. */
  readonly tasks: ReadonlyMap<string, ProgressTask>;
}

/** The model before anything was heard. */
export function startProgress(title: string, nowMs: number): ProgressModel {
  return { title, startedMs: nowMs, tasks: new Map() };
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
  const limit = Math.max(1, Math.min(MAX_SHOWN_TASKS, height - OTHER_LINES));
  const shown = visibleTasks(all, limit);
  const settled = all.filter(({ state }) => markOf(state) !== WORKING).length;
  const elapsed = formatDuration(roundedMs(nowMs - model.startedMs));
  const count = all.length === 0 ? "" : ` ${settled}/${all.length}`;
  const hidden = all.length - shown.length;
  const nameWidth = Math.max(0, ...shown.map(({ task }) => textWidth(task)));
  return [
    cutText(`${model.title}${count} (${elapsed})`, width - 1),
    ...shown.map((task) => {
      const mark = markOf(task.state);
      const text = cutText(
        `${padText(task.task, nameWidth)}  ${stateText(task, nowMs)}`,
        width - 5,
      );
      return `  ${paint(mark.style, mark.sign)} ${text}`;
    }),
    ...hidden === 0 ? [] : [`  and ${hidden} more`],
  ];
}

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

function markOf(state: string): Mark {
  return MARKS[state] ?? WORKING;
}

/** Those still on their way before all others, of these the latest. The order stays. */
function visibleTasks(
  all: readonly ProgressTask[],
  limit: number,
): readonly ProgressTask[] {
  if (all.length <= limit) return all;
  const working = all.filter(({ state }) => markOf(state) === WORKING);
  const others = all.filter(({ state }) => markOf(state) !== WORKING);
  const room = Math.max(0, limit - working.length);
  const kept = new Set([
    ...working.slice(0, limit),
    ...room === 0 ? [] : others.slice(-room),
  ]);
  return all.filter((task) => kept.has(task));
}

function stateText(task: ProgressTask, nowMs: number): string {
  const age = markOf(task.state) === WORKING
    ? ` ${formatDuration(roundedMs(nowMs - task.sinceMs))}`
    : "";
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
