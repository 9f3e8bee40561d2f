/**
 * What must hold of a task machine and the world around it, whatever happens.
 *
 * @module
 */

import assert from "node:assert/strict";
import { hasProbe } from "../../../src/domain/task_health.ts";
import {
  isAtRest,
  runOf,
  type TaskMachine,
} from "../../../src/domain/task_machine.ts";
import type { HookName } from "../../../src/domain/task_spec.ts";
import {
  durable,
  isRunKnown,
  type ModelWorld,
  type TakenStep,
} from "./_model_world.ts";

/** What must hold of one step. */
export function checkStep(
  world: ModelWorld,
  { before, input, effects }: TakenStep,
): void {
  const after = world.machine;
  const { generation, phase } = after;
  assert.ok(generation >= before.generation, "the generation went back");
  // Compared as text: the assertion's own comparison is most of the test's time.
  assert.equal(
    JSON.stringify(world.saved),
    JSON.stringify(durable(after)),
    "a durable fact changed and was not persisted",
  );
  for (const effect of effects) {
    if (effect.type === "run_hook" || effect.type === "spawn") {
      assert.equal(effect.generation, generation, "work of another generation");
    }
    if (effect.type === "spawn") checkSpawn(world);
    if (effect.type !== "terminate") continue;
    assert.ok(
      runOf(after)?.runId !== effect.runId || phase.status === "stopping",
      "ends its run and believes that it runs",
    );
  }
  if (input.type === "stop" && input.kind === "shutdown") {
    checkShutdown(before, after);
  }
  if (input.type === "probed") checkUnhealthy(world, before);
}

function checkSpawn(world: ModelWorld): void {
  assert.equal(world.spawns.length, 1, "spawns while it spawns");
  const own = [...world.runs.values()].filter(({ isForeign }) => !isForeign);
  assert.deepEqual(own, [], "spawns while a run lives");
}

/** A shutdown changes what is wanted in one case: it makes a stop certain that its hooks could still have aborted. */
function checkShutdown(before: TaskMachine, after: TaskMachine): void {
  const { phase } = before;
  if (
    phase.status === "stopping" && phase.stage === "before" &&
    phase.kind === "stop" && phase.restartAfterMs === null
  ) return;
  assert.equal(after.desired, before.desired, "a shutdown changed `desired`");
  assert.equal(after.manual, before.manual, "a shutdown changed `manual`");
}

/** A failure that counts, of a run that has failed often enough, has consequences. */
function checkUnhealthy(world: ModelWorld, before: TaskMachine): void {
  const { phase, gaveUp } = world.machine;
  if (phase.status !== "running" || before.phase.status !== "running") return;
  if (gaveUp || world.spec.restart.policy === "no") return;
  const { failures } = phase.health;
  assert.ok(
    failures === before.phase.health.failures ||
      failures < Math.max(1, world.spec.health.retries),
    "unhealthy, and nothing is done about it",
  );
}

/** What must hold between two steps. */
export function checkWorld(world: ModelWorld): void {
  checkFacts(world);
  checkProgress(world);
  checkProbing(world);
  for (const { run, isTerminated } of world.runs.values()) {
    assert.ok(
      isTerminated || runOf(world.machine)?.runId === run.runId,
      `${run.runId} lives, and nobody knows it`,
    );
  }
}

function checkFacts({ machine, spec }: ModelWorld): void {
  const { restarts, gaveUp, manual, desired, phase } = machine;
  const { maxRestarts } = spec.restart;
  if (maxRestarts > 0) {
    assert.ok(restarts <= maxRestarts, `${restarts} restarts`);
  }
  assert.ok(
    !gaveUp || (maxRestarts > 0 && restarts === maxRestarts),
    `gave up after ${restarts} restarts`,
  );
  if (!manual) return;
  assert.equal(desired, "down", "stopped by hand and wanted up");
  assert.ok(
    phase.status === "stopped" ||
      (phase.status === "spawning" && phase.interrupted !== null) ||
      (phase.status === "stopping" && phase.restartAfterMs === null),
    `stopped by hand, but ${phase.status}`,
  );
  assert.ok(
    phase.status !== "stopping" || phase.stage !== "before" ||
      phase.kind === "shutdown",
    "stopped by hand while the hooks can still abort it",
  );
}

/** Each state that is not at rest is moved by something that is under way. */
function checkProgress(world: ModelWorld): void {
  const { phase, generation } = world.machine;
  const isOpen = (wanted: HookName): boolean =>
    world.hooks.some((open) =>
      open.hook === wanted && open.generation === generation &&
      !open.isCancelled
    );
  switch (phase.status) {
    case "preparing":
      return assert.ok(isOpen("before_start"), "no before_start hook runs");
    case "spawning":
      return assert.equal(
        world.spawns.join(),
        String(generation),
        "nothing spawns",
      );
    case "running":
      return assert.ok(isRunKnown(world), "running without a run");
    case "backoff":
      return assert.equal(world.wakeAt, phase.until, "nothing wakes it");
    case "stopping":
      if (phase.stage === "before") {
        return assert.ok(isOpen("before_stop"), "no before_stop hook runs");
      }
      if (phase.stage === "after") {
        return assert.ok(isOpen("after_stop"), "no after_stop hook runs");
      }
      assert.ok(isRunKnown(world), "ends a run that is none");
      return assert.ok(
        world.runs.get(phase.run.runId)?.isTerminated ?? true,
        "the run was not asked to end",
      );
    default:
      return assert.ok(isAtRest(world.machine) || phase.status === "waiting");
  }
}

function checkProbing(world: ModelWorld): void {
  const { phase, restarts } = world.machine;
  const run = phase.status === "running" ||
      (phase.status === "stopping" && phase.stage === "before")
    ? phase.run
    : null;
  const isProbed = run !== null && hasProbe(world.spec.health, run.port);
  assert.equal(
    world.probing?.runId,
    isProbed ? run.runId : undefined,
    "probes another run than its own",
  );
  if (run === null || isProbed || restarts === 0) return;
  assert.ok(world.wakeAt !== null, "nothing ends the series of restarts");
}
