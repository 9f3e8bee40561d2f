/**
 * How far an action on tasks is, as one number that only goes up.
 *
 * @module
 */

import type { Progress } from "../contract/wire.ts";
import type { ToolProgress } from "./catalogue.ts";

/** How much of a task's way is behind it in a state; in any other it has arrived. */
const STAGES: Readonly<Record<string, number>> = {
  waiting: 0.1,
  stopping: 0.2,
  backoff: 0.3,
  starting: 0.5,
  running: 0.8,
  unhealthy: 0.8,
};

/** What a word that moves nothing counts, so that it is told. */
const STEP = 0.01;

/** See the module. `total` is the number of tasks heard of so far. */
export class TaskProgress {
  readonly #stages = new Map<string, number>();
  #last = 0;

  /** What to tell of a task that has changed. */
  next(told: Progress): ToolProgress {
    const { task, state } = told;
    this.#stages.set(task, STAGES[state] ?? 1);
    const sum = this.#stages.values().reduce((all, each) => all + each, 0);
    const total = this.#stages.size;
    const least = this.#last + STEP;
    this.#last = Math.max(round(sum), round(least));
    return {
      progress: this.#last,
      total: Math.max(total, Math.ceil(this.#last)),
      message: progressText(told),
    };
  }
}

/** What is told while it works: `web waiting: for db healthy`. */
function progressText({ task, state, waiting_for, message }: Progress): string {
  const waits = (waiting_for ?? []).map((each) =>
    `${each.task} ${each.condition}`
  );
  const more = message ?? (waits.length === 0 ? "" : `for ${waits.join(", ")}`);
  return `${task} ${state}${more === "" ? "" : `: ${more}`}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
