/**
 * The axes of the transition matrix: every state that a task can be in, and every input that can reach it.
 *
 * @module
 */

import { unknownHealth } from "../../../src/domain/task_health.ts";
import type { Input } from "../../../src/domain/task_input.ts";
import {
  NEW_MACHINE,
  type Phase,
  type StopKind,
  type TaskMachine,
} from "../../../src/domain/task_machine.ts";
import type { HookName } from "../../../src/domain/task_spec.ts";
import {
  errorShape,
  exitOf,
  healthSpec,
  type InputData,
  probeResult,
  runInfo,
  taskSpec,
} from "./_samples.ts";

/** A task with a probe and the default policy. */
export const MATRIX_SPEC = taskSpec({
  health: healthSpec({ url: "http://localhost/" }),
});

/** When all inputs arrive, except for the wakes. */
export const MATRIX_NOW = 100_000;

const GENERATION = 7;

const RUN = runInfo("r1");

/** Was healthy; two of the three failures that it takes are counted. */
const FAILING = {
  ...unknownHealth(0),
  isReady: true,
  failures: 2,
  countedAt: 95_000,
  last: probeResult("status 500"),
};

/** Healthy for a minute and more. */
const HEALTHY = {
  ...unknownHealth(0),
  isReady: true,
  healthySince: 30_000,
  last: probeResult(),
};

const RUNNING: Phase = {
  status: "running",
  run: RUN,
  health: FAILING,
  isSettled: true,
};

function up(phase: Phase, facts: Partial<TaskMachine> = {}): TaskMachine {
  return {
    ...NEW_MACHINE,
    generation: GENERATION,
    desired: "up",
    phase,
    ...facts,
  };
}

function manual(phase: Phase): TaskMachine {
  return up(phase, { desired: "down", manual: true });
}

function spawning(
  cause: "start" | "auto",
  interrupted: "stop" | "kill" | "shutdown" | null,
): Phase & { status: "spawning" } {
  return { status: "spawning", cause, interrupted };
}

function stopping(
  stage: "before" | "signals" | "after",
  kind: StopKind,
  restartAfterMs: number | null = null,
): Phase & { status: "stopping" } {
  return {
    status: "stopping",
    run: RUN,
    health: FAILING,
    stage,
    kind,
    restartAfterMs,
  };
}

/** Every phase with every value of its fields that the transitions tell apart. */
export const STATES: Readonly<Record<string, TaskMachine>> = {
  "new": NEW_MACHINE,
  "stopped by hand": manual({ status: "stopped" }),
  "stopped by shutdown": up({ status: "stopped" }),
  "completed": up({ status: "completed" }, { lastExit: exitOf(0) }),
  "failed": up({ status: "failed" }, {
    restarts: 5,
    gaveUp: true,
    lastExit: exitOf(1),
    error: errorShape("E403"),
  }),
  "waiting": up({ status: "waiting" }),
  "preparing by hand": up({ status: "preparing", cause: "start" }),
  "preparing by itself": up({ status: "preparing", cause: "auto" }, {
    restarts: 2,
  }),
  "spawning by hand": up(spawning("start", null)),
  "spawning by itself": up(spawning("auto", null), { restarts: 2 }),
  "spawning, then stop": manual(spawning("start", "stop")),
  "spawning, then kill": manual(spawning("start", "kill")),
  "spawning, then shutdown": up(spawning("start", "shutdown")),
  "spawning, over already": up({
    ...spawning("start", null),
    ended: [{ runId: "r9", exit: exitOf(0) }, { runId: "r2", exit: exitOf(1) }],
  }),
  "spawning, then stop, over already": manual({
    ...spawning("start", "stop"),
    ended: [{ runId: "r2", exit: exitOf(0) }],
  }),
  "running": up(RUNNING, { restarts: 2 }),
  "running, unsettled": up({ ...RUNNING, isSettled: false }),
  "running, long healthy": up({ ...RUNNING, health: HEALTHY }, { restarts: 2 }),
  "running, gave up": up({
    ...RUNNING,
    health: { ...FAILING, failures: 3 },
  }, { restarts: 5, gaveUp: true }),
  "running, still unhealthy in a new series": up({
    ...RUNNING,
    health: { ...FAILING, failures: 3 },
  }),
  "before a stop": up(stopping("before", "stop")),
  "before a stop taken back": up(stopping("before", "stop", 0)),
  "before a restart": up(stopping("before", "restart", 0)),
  "before a shutdown": up(stopping("before", "shutdown")),
  "signals of a stop": manual(stopping("signals", "stop")),
  "signals of a stop that failed": up(stopping("signals", "stop"), {
    desired: "down",
    manual: true,
    error: errorShape("E900"),
  }),
  "signals of a stop taken back": up(stopping("signals", "stop", 0)),
  "signals of a kill": manual(stopping("signals", "kill")),
  "signals of a kill taken back": up(stopping("signals", "kill", 0)),
  "signals of a restart": up(stopping("signals", "restart", 0)),
  "signals of an unhealthy run": up(stopping("signals", "auto", 4_000), {
    restarts: 3,
  }),
  "signals of a shutdown": up(stopping("signals", "shutdown")),
  "lost with its keeper": up(stopping("signals", "lost"), { restarts: 2 }),
  "after a stop": manual(stopping("after", "stop")),
  "after a stop, gated start": up({
    ...stopping("after", "stop", 0),
    isGated: true,
  }),
  "after a restart": up(stopping("after", "restart", 0)),
  "after an unhealthy run": up(stopping("after", "auto", 4_000), {
    restarts: 3,
  }),
  "after a shutdown": up(stopping("after", "shutdown")),
  "backoff": up({ status: "backoff", until: 102_000 }, {
    restarts: 2,
    lastExit: exitOf(1),
    error: errorShape("E403"),
  }),
};

function hooked(
  hook: HookName,
  isOk: boolean,
  generation: number,
): InputData {
  const error = isOk ? null : errorShape("E400");
  return { type: "hooked", hook, generation, error };
}

function adopted(runId: string): InputData {
  return { type: "adopted", run: runInfo(runId), ageMs: 60_000 };
}

/** Inputs by name, for the generation of a machine. `other` is a run or generation that is not the present one. */
export function inputsFor(
  generation: number,
): Readonly<Record<string, Input>> {
  const inputs: Record<string, InputData & { now?: number }> = {
    "start": { type: "start", isGated: false },
    "start gated": { type: "start", isGated: true },
    "allow": { type: "allow" },
    "stop": { type: "stop", kind: "stop" },
    "kill": { type: "stop", kind: "kill" },
    "shutdown": { type: "stop", kind: "shutdown" },
    "restart": { type: "restart", isUsers: true, reason: "manual" },
    "watch": { type: "restart", isUsers: false, reason: "watch" },
    "gate opens": { type: "gate", error: null },
    "gate fails": { type: "gate", error: errorShape("E402") },
    "spawned": { type: "spawned", generation, run: runInfo("r2") },
    "spawned r1": { type: "spawned", generation, run: RUN },
    "spawned other": {
      type: "spawned",
      generation: generation - 1,
      run: runInfo("r2"),
    },
    "no spawn": {
      type: "spawn_failed",
      generation,
      error: errorShape("E403"),
    },
    "no spawn other": {
      type: "spawn_failed",
      generation: generation - 1,
      error: errorShape("E403"),
    },
    "exit 0": { type: "ended", runId: "r1", exit: exitOf(0) },
    "exit 1": { type: "ended", runId: "r1", exit: exitOf(1) },
    "exit other": { type: "ended", runId: "r9", exit: exitOf(1) },
    "probe ok": { type: "probed", runId: "r1", result: probeResult() },
    "probe bad": {
      type: "probed",
      runId: "r1",
      result: probeResult("refused"),
    },
    "probe other": { type: "probed", runId: "r9", result: probeResult() },
    "survived": { type: "survived", runId: "r1", error: errorShape("E900") },
    "survived other": {
      type: "survived",
      runId: "r9",
      error: errorShape("E900"),
    },
    "lost": { type: "lost", runId: "r1" },
    "lost other": { type: "lost", runId: "r9" },
    "wake early": { type: "wake", now: 101_999 },
    "wake": { type: "wake", now: 102_000 },
    "adopted": adopted("r1"),
    "adopted other": adopted("r9"),
  };
  const hooks = ["before_start", "after_start", "before_stop", "after_stop"];
  for (const hook of hooks as HookName[]) {
    inputs[`${hook} ok`] = hooked(hook, true, generation);
    inputs[`${hook} bad`] = hooked(hook, false, generation);
    inputs[`${hook} other`] = hooked(hook, false, generation - 1);
  }
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [
      name,
      { now: MATRIX_NOW, ...input } as Input,
    ]),
  );
}
