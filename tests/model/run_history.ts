/**
 * What the events have told of every run, and whether that can be true: no number missing, every run begins once and
 * ends once, no task has two at a time.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Event } from "../support/project.ts";

/** A run as the events tell it. */
export interface ToldRun {
  readonly task: string;
  readonly runId: string;
  readonly pid: number;
  /** Its end: an exit status, negative for a signal; null while it runs. */
  exit: number | null;
}

/** See the module. Fed with every event of a home, in order. */
export class RunHistory {
  readonly runs: ToldRun[] = [];
  lastSeq = 0;
  readonly #byId = new Map<string, ToldRun>();
  readonly #current = new Map<string, ToldRun>();

  /** The run of a task that has not ended; null if there is none. */
  current(task: string): ToldRun | null {
    return this.#current.get(task) ?? null;
  }

  /** How many runs a task has had. */
  count(task: string): number {
    return this.runs.filter((run) => run.task === task).length;
  }

  /** Takes the next event. */
  take(event: Event): void {
    assert.equal(event.seq, this.lastSeq + 1, "an event is missing or doubled");
    this.lastSeq = event.seq;
    const { task } = event;
    if (task === undefined) return;
    const runId = String(event["run_id"]);
    switch (event.event) {
      case "task_started":
      case "task_restarted":
        return this.#start(task, runId, Number(event["pid"]));
      case "task_exited":
        return this.#end(task, runId, Number(event["exit_code"]));
    }
  }

  #start(task: string, runId: string, pid: number): void {
    assert(!this.#byId.has(runId), `run ${runId} of ${task} starts twice`);
    const other = this.current(task);
    assert.equal(other, null, `${task} has two runs`);
    const run: ToldRun = { task, runId, pid, exit: null };
    this.runs.push(run);
    this.#byId.set(runId, run);
    this.#current.set(task, run);
  }

  #end(task: string, runId: string, exit: number): void {
    const run = this.#byId.get(runId);
    assert(run !== undefined, `run ${runId} of ${task} ends and never began`);
    assert(run.exit === null, `run ${runId} of ${task} ends twice`);
    run.exit = exit;
    this.#current.delete(task);
  }
}
