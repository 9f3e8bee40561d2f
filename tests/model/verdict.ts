/**
 * Holds the real world against the model once it has come to rest.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Status, Task } from "../support/project.ts";
import { until } from "../support/until.ts";
import type { Outcome } from "./outcome.ts";
import type { RealWorld } from "./real_world.ts";
import {
  definitionOf,
  kindOf,
  listed,
  NEW_TASK,
  type TaskModel,
  taskOf,
  type WorldModel,
} from "./world_model.ts";

/** Longest wait until everything is as it must be: ten times what the slowest restart takes. */
const REST_TIMEOUT_MS = 30_000;

/** Looks cost the daemon and us some milliseconds each, which would make everything slower that is looked at. */
const FIRST_PAUSE_MS = 10;
const LAST_PAUSE_MS = 100;

/** A run as old as this may have begun a new series of restarts by itself. */
const OLD_RUN_S = 50;

/** What can be seen of a task. */
interface Seen extends Omit<TaskModel, "ranWith"> {
  readonly state: TaskModel["state"];
  readonly isChanged: boolean;
}

/**
 * Waits until all has come to rest in one of these worlds, and takes a close look then. Half a minute of waiting, or
 * the patience if that is less, is a failure.
 *
 * @returns The world in which it is.
 */
export async function settle(
  real: RealWorld,
  outcome: Outcome,
  patienceMs: number,
): Promise<WorldModel> {
  let why = "nothing was seen";
  let settled: WorldModel | null = null;
  let nextLook = 0;
  let pauseMs = FIRST_PAUSE_MS;
  try {
    settled = await until(async () => {
      if (performance.now() < nextLook) return null;
      const status = await real.status();
      await real.readEvents();
      const found = match(real, outcome, status);
      if (typeof found !== "string") return found;
      why = found;
      nextLook = performance.now() + pauseMs;
      pauseMs = Math.min(pauseMs * 1.5, LAST_PAUSE_MS);
      return null;
    }, {
      what: "all is at rest",
      timeoutMs: Math.min(REST_TIMEOUT_MS, patienceMs),
    });
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("Cannot see"))) {
      throw error;
    }
    throw new Error(`Not as it must be: ${why}`, { cause: error });
  }
  await checkProcesses(real, settled);
  return settled;
}

/** The world, or why it is none of these. */
function match(
  real: RealWorld,
  outcome: Outcome,
  status: Status | null,
): WorldModel | string {
  const candidates = outcome.worlds;
  const unended = real.unended();
  if (unended !== null) return unended;
  const [first] = candidates;
  assert(first !== undefined);
  const last = candidates.at(-1) ?? first;
  if (status === null) return last.isBroken ? last : "the file is refused";
  const isRefused = status.config_error !== null;
  if (isRefused !== last.isBroken) {
    return `the file is ${isRefused ? "" : "not "}refused`;
  }
  const names = status.tasks.map((task) => task.name);
  const expected = candidates.find((each) =>
    listed(each).join() === names.join()
  );
  if (expected === undefined) {
    return `tasks are ${names}, not ${listed(last)}`;
  }
  const tasks = { ...last.tasks };
  for (const task of status.tasks) {
    const found = matchTask(real, outcome, task);
    if (typeof found === "string") return found;
    tasks[task.name] = found;
  }
  if (outcome.isChance) {
    // Those that are no more may have had runs before that, or not.
    for (const name of Object.keys(tasks)) {
      if (names.includes(name)) continue;
      tasks[name] = { ...NEW_TASK, runs: real.history.count(name) };
    }
  }
  return { ...expected, tasks };
}

function matchTask(
  real: RealWorld,
  outcome: Outcome,
  task: Task,
): TaskModel | string {
  const { worlds: candidates, isChance } = outcome;
  const { name } = task;
  const found = seen(real, candidates, task);
  if (typeof found === "string") return found;
  for (const world of candidates) {
    const model = taskOf(world, name);
    const wanted: Seen = {
      state: model.state,
      manual: model.manual,
      restarts: model.restarts,
      runs: model.runs,
      isChanged: model.state === "up" &&
        model.ranWith !== definitionOf(world, name),
    };
    const isOld = task.started_at !== null && found.restarts === 0 &&
      Date.now() / 1000 - task.started_at > OLD_RUN_S;
    const like = {
      ...wanted,
      ...(isOld ? { restarts: 0 } : {}),
      ...(isChance && isWithin({ name, ...found }, outcome)
        ? { runs: found.runs, restarts: found.restarts }
        : {}),
    };
    if (JSON.stringify(like) === JSON.stringify(found)) {
      const { restarts, runs } = like;
      return { ...model, restarts, runs };
    }
  }
  const wanted = candidates.map((world) => {
    const { ranWith: _, ...rest } = taskOf(world, name);
    return JSON.stringify(rest);
  });
  return `${name} is ${JSON.stringify(found)} (${
    JSON.stringify(task.reason)
  }), not ${wanted.join(" or ")}`;
}

/** Two things at once may share a run, or begin a series of restarts anew. */
function isWithin(
  { name, runs, restarts }: Seen & { readonly name: string },
  { before, worlds, mostRuns }: Outcome,
): boolean {
  const mostRestarts = Math.max(
    ...[before, ...worlds].map((world) => taskOf(world, name).restarts),
  );
  return restarts <= mostRestarts && runs >= taskOf(before, name).runs &&
    runs <= mostRuns(name);
}

function seen(
  real: RealWorld,
  candidates: readonly WorldModel[],
  task: Task,
): Seen | string {
  const [world] = candidates;
  assert(world !== undefined);
  const { name } = task;
  const state = restOf(task, kindOf(world, name) === "ready");
  if (state === null) return `${name} is ${task.state}`;
  const run = real.history.current(name);
  if (state === "up" && run === null) return `${name} is up without a run`;
  if (state !== "up" && run !== null) return `run of ${name} has no end`;
  if ((run?.pid ?? null) !== task.pid) {
    return `${name} has pid ${task.pid}, its run ${run?.pid}`;
  }
  return {
    state,
    manual: task.manual,
    restarts: task.restart_count,
    runs: real.history.count(name),
    isChanged: task.config_changed,
  };
}

/** Where a task has come to rest; null = it has not. */
function restOf(task: Task, isProbed: boolean): TaskModel["state"] | null {
  switch (task.state) {
    case "stopped":
    case "completed":
    case "failed":
      return task.state;
    case "running":
      return isProbed ? null : "up";
    case "healthy":
      return isProbed ? "up" : null;
    default:
      return null;
  }
}

/** Who lives belongs to a run, and every run lives. */
async function checkProcesses(
  real: RealWorld,
  world: WorldModel,
): Promise<void> {
  const runs = listed(world).flatMap((name) =>
    real.history.current(name) ?? []
  );
  const own = new Set(runs.map(({ runId }) => runId));
  let processes = real.processes();
  const left = processes.filter(({ runId }) => !own.has(runId));
  assert.deepEqual(left, [], "processes are left of runs that are over");
  // A process that was forked just now has its own environment only when it is the program.
  await until(() => {
    const areThere = runs.every((run) =>
      processes.some(({ pid, runId }) => pid === run.pid && runId === run.runId)
    );
    if (!areThere) processes = real.processes();
    return areThere;
  }, { what: `${runs.map(({ task }) => task)} live` });
}
