import assert from "node:assert/strict";
import {
  type TaskHealth,
  unknownHealth,
} from "../../../src/domain/task_health.ts";
import {
  displayState,
  isAtRest,
  NEW_MACHINE,
  type Phase,
  runOf,
  snapshotTask,
  type TaskMachine,
} from "../../../src/domain/task_machine.ts";
import type { TaskSpec } from "../../../src/domain/task_spec.ts";
import type { TaskSnapshot } from "../../../src/domain/task_view.ts";
import {
  errorShape,
  exitOf,
  healthSpec,
  probeResult,
  runInfo,
  taskSpec,
} from "./_samples.ts";

const PURE = { permissions: "none" } as const;

const PLAIN = taskSpec();

const PROBED = taskSpec({ health: healthSpec({ check: "true" }) });

const RUN = runInfo("r1");

const HEALTHY = {
  ...unknownHealth(0),
  isReady: true,
  healthySince: 0,
  last: probeResult(),
};

const UNHEALTHY = {
  ...unknownHealth(0),
  isReady: true,
  failures: 3,
  last: probeResult("status 500"),
};

function running(health: TaskHealth = HEALTHY): Phase {
  return { status: "running", run: RUN, health, isSettled: true };
}

function stopping(stage: "before" | "signals" | "after"): Phase {
  return {
    status: "stopping",
    stage,
    run: RUN,
    health: HEALTHY,
    kind: "stop",
    restartAfterMs: null,
  };
}

const PHASES = {
  stopped: { status: "stopped" },
  completed: { status: "completed" },
  failed: { status: "failed" },
  waiting: { status: "waiting" },
  preparing: { status: "preparing", cause: "start" },
  spawning: { status: "spawning", cause: "auto", interrupted: null },
  running: running(),
  before: stopping("before"),
  signals: stopping("signals"),
  after: stopping("after"),
  backoff: { status: "backoff", until: 5_000 },
} as const satisfies Record<string, Phase>;

function machineAt(
  phase: Phase,
  facts: Partial<TaskMachine> = {},
): TaskMachine {
  return { ...NEW_MACHINE, phase, ...facts };
}

function snapshot(spec: TaskSpec, machine: TaskMachine): TaskSnapshot {
  return snapshotTask(spec, machine, {
    now: 3_000,
    waitingFor: [{ task: "db", condition: "healthy", state: "starting" }],
    configChanged: false,
  });
}

Deno.test("displayState() is a word for every phase", PURE, () => {
  const check = (phase: Phase, expected: string, spec = PLAIN) =>
    assert.equal(displayState(spec, machineAt(phase)), expected);
  check(PHASES.stopped, "stopped");
  check(PHASES.completed, "completed");
  check(PHASES.failed, "failed");
  check(PHASES.waiting, "waiting");
  check(PHASES.preparing, "starting");
  check(PHASES.spawning, "starting");
  check(PHASES.before, "stopping");
  check(PHASES.signals, "stopping");
  check(PHASES.after, "stopping");
  check(PHASES.backoff, "backoff");
});

Deno.test(
  "displayState() of a run goes by its probes, if it has any",
  PURE,
  () => {
    const check = (spec: TaskSpec, phase: Phase, expected: string) =>
      assert.equal(displayState(spec, machineAt(phase)), expected);
    check(PLAIN, running(), "running");
    check(PROBED, running(unknownHealth(0)), "starting");
    check(PROBED, running(), "healthy");
    check(PROBED, running(UNHEALTHY), "unhealthy");
    const withPort: Phase = {
      status: "running",
      run: runInfo("r1", { port: 4000 }),
      health: HEALTHY,
      isSettled: true,
    };
    check(PLAIN, withPort, "healthy");
  },
);

Deno.test("isAtRest() is true where nothing runs or will", PURE, () => {
  const resting = Object.entries(PHASES)
    .filter(([, phase]) => isAtRest(machineAt(phase)))
    .map(([name]) => name);
  assert.deepEqual(resting, ["stopped", "completed", "failed"]);
});

Deno.test("runOf() knows the run until its hooks are done", PURE, () => {
  const known = Object.entries(PHASES)
    .filter(([, phase]) => runOf(machineAt(phase)) !== null)
    .map(([name]) => name);
  assert.deepEqual(known, ["running", "before", "signals", "after"]);
});

Deno.test("snapshotTask() tells a run only while it lives", PURE, () => {
  for (const [name, phase] of Object.entries(PHASES)) {
    const isAlive = ["running", "before", "signals"].includes(name);
    assert.equal(snapshot(PLAIN, machineAt(phase)).run !== null, isAlive, name);
  }
});

Deno.test("snapshotTask() is healthy only while running", PURE, () => {
  for (const [name, phase] of Object.entries(PHASES)) {
    const { healthy, lastHealth } = snapshot(PLAIN, machineAt(phase));
    assert.equal(healthy, name === "running", name);
    assert.equal(lastHealth !== null, name === "running", name);
  }
  const check = (health: TaskHealth) =>
    assert.equal(snapshot(PROBED, machineAt(running(health))).healthy, false);
  check(unknownHealth(0));
  check(UNHEALTHY);
});

Deno.test(
  "snapshotTask() tells dependencies and delays where they matter",
  PURE,
  () => {
    for (const [name, phase] of Object.entries(PHASES)) {
      const { waitingFor, restartInMs } = snapshot(PLAIN, machineAt(phase));
      assert.equal(waitingFor.length, name === "waiting" ? 1 : 0, name);
      assert.equal(restartInMs, name === "backoff" ? 2_000 : null, name);
    }
    const overdue = machineAt({ status: "backoff", until: 1_000 });
    assert.equal(snapshot(PLAIN, overdue).restartInMs, 0);
  },
);

Deno.test("snapshotTask() says why a task is not up", PURE, () => {
  const check = (
    phase: Phase,
    facts: Partial<TaskMachine>,
    expected: string | null,
  ) => assert.equal(snapshot(PROBED, machineAt(phase, facts)).reason, expected);
  const crashed = { error: errorShape("E403", "it exited"), restarts: 5 };
  check(PHASES.failed, crashed, "it exited");
  check(PHASES.backoff, crashed, "it exited");
  check(
    PHASES.failed,
    { ...crashed, gaveUp: true },
    "it exited; gave up after 5 restarts (max_restarts = 5)",
  );
  check(PHASES.failed, { lastExit: exitOf("SIGKILL") }, "was ended by SIGKILL");
  check(
    PHASES.failed,
    { lastExit: exitOf(0), restarts: 5, gaveUp: true },
    "exited with code 0; gave up after 5 restarts (max_restarts = 5)",
  );
  check(PHASES.failed, {}, "it failed");
  check(PHASES.stopped, crashed, null);
  check(PHASES.completed, {}, null);
});

Deno.test("snapshotTask() says why a run is not healthy", PURE, () => {
  const check = (
    health: TaskHealth,
    facts: Partial<TaskMachine>,
    expected: string | null,
  ) =>
    assert.equal(
      snapshot(PROBED, machineAt(running(health), facts)).reason,
      expected,
    );
  check(HEALTHY, {}, null);
  check(HEALTHY, { gaveUp: true, restarts: 5 }, null);
  check(unknownHealth(0), {}, null);
  check(
    { ...unknownHealth(0), last: probeResult("refused") },
    {},
    "refused",
  );
  check(UNHEALTHY, {}, "status 500");
  check(
    UNHEALTHY,
    { gaveUp: true, restarts: 5 },
    "status 500; gave up after 5 restarts",
  );
});
