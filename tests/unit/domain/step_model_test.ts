/**
 * Random sequences of inputs against the invariants of the task machine, from fixed seeds.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isAtRest } from "../../../src/domain/task_machine.ts";
import type { RestartPolicy, TaskSpec } from "../../../src/domain/task_spec.ts";
import { describePhase } from "./_describe_step.ts";
import { checkStep, checkWorld } from "./_model_invariants.ts";
import { ModelWorld, type Op, OPS } from "./_model_world.ts";
import { healthSpec, restartSpec, taskSpec } from "./_samples.ts";

const INPUTS = 200_000;

const SEQUENCE_LENGTH = 120;

/** More than any stop needs, far less than for ever. */
const SETTLE_LIMIT = 50;

/** Every place where a task can be. */
const EVERYWHERE = [
  "backoff",
  "completed",
  "failed",
  "preparing auto",
  "preparing restart",
  "preparing start",
  "running",
  "running, gave up",
  "spawning auto",
  "spawning kill",
  "spawning restart",
  "spawning shutdown",
  "spawning start",
  "spawning stop",
  "stopped",
  "stopping after auto",
  "stopping after kill",
  "stopping after restart",
  "stopping after shutdown",
  "stopping after stop",
  "stopping before restart",
  "stopping before shutdown",
  "stopping before stop",
  "stopping signals auto",
  "stopping signals kill",
  "stopping signals lost",
  "stopping signals restart",
  "stopping signals shutdown",
  "stopping signals stop",
  "waiting",
];

/** Ops that move a task along are drawn more often than those that turn it back, by as much as the mood says. */
const WEIGHTS: Partial<Record<Op["name"], number>> = {
  start: 4,
  hook_passes: 14,
  hook_fails: 2,
  spawn_works: 8,
  gate_opens: 4,
  run_exits: 2,
  a_second: 3,
  probe_ok: 4,
  probe_bad: 8,
  until_the_wake: 3,
};

/** From a task that many hands pull at to one that is left to itself: only that one gets far. */
const MOODS = [1, 5, 25];

/** Mulberry32: small, and the same on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

const POLICIES: readonly RestartPolicy[] = ["on-failure", "always", "no"];

function specFrom(seed: number): TaskSpec {
  const pick = <T>(values: readonly T[], by: number): T =>
    values[Math.floor(seed / by) % values.length] as T;
  return taskSpec({
    wantsPort: pick([true, false], 1),
    restart: restartSpec({
      policy: pick(POLICIES, 2),
      maxRestarts: pick([5, 1, 0, 2], 6),
    }),
    health: healthSpec({
      retries: pick([1, 3, 0], 24),
      bootGraceMs: pick([0, 10_000], 72),
      intervalMs: 1_000,
    }),
  });
}

function opsFrom(seed: number): Op[] {
  const mood = MOODS[seed % MOODS.length] ?? 1;
  const deck = OPS.flatMap((name) =>
    Array<Op["name"]>((WEIGHTS[name] ?? 0) * mood + 1).fill(name)
  );
  const random = randomFrom(seed);
  return Array.from({ length: SEQUENCE_LENGTH }, () => ({
    name: deck[random() % deck.length] as Op["name"],
    pick: random() % 1024,
  }));
}

/** Lets everything that is under way come to its end; what nobody asked to end lives on. */
function settle(world: ModelWorld): void {
  for (let round = 0; round < SETTLE_LIMIT; round++) {
    const dying = [...world.runs.values()].filter((run) => run.isTerminated);
    for (const { run } of dying) world.die(run.runId, "SIGTERM");
    const isQuiet = world.ends.length === 0 && world.spawns.length === 0 &&
      world.hooks.length === 0 && world.wakeAt === null;
    if (isQuiet) return;
    const names = [
      "end_arrives",
      "spawn_works",
      "hook_passes",
      "late_hook_fails",
      "until_the_wake",
    ] as const;
    for (const name of names) {
      world.apply({ name, pick: 0 });
      checkWorld(world);
    }
  }
  throw new Error("it does not come to rest");
}

/** Whatever state a task is in, a stop and a shutdown bring it down for good. */
function bringDown(
  world: ModelWorld,
  name: "stop" | "kill" | "shutdown",
): void {
  world.apply({ name, pick: 0 });
  checkWorld(world);
  const { desired } = world.machine;
  settle(world);
  assert.ok(isAtRest(world.machine), `not at rest after a ${name}`);
  assert.equal(world.runs.size, 0, `a run outlives the ${name}`);
  if (name === "shutdown") {
    return assert.equal(world.machine.desired, desired, "wants another thing");
  }
  assert.equal(world.machine.phase.status, "stopped");
  assert.equal(world.machine.desired, "down");
  assert.equal(world.machine.manual, true);
}

const ENDINGS = ["stop", "kill", "shutdown"] as const;

/** A failing sequence, for the one who has to repair it. */
interface Failure {
  readonly message: string;
  /** What happened, one line per op. */
  readonly story: string;
}

/** Plays a sequence on a fresh task. */
function play(seed: number, ops: readonly Op[]): {
  readonly world: ModelWorld;
  readonly failure: Failure | null;
} {
  const world = new ModelWorld(specFrom(seed), checkStep);
  const story: string[] = [];
  const ending = ENDINGS[Math.floor(seed / MOODS.length) % ENDINGS.length] ??
    "stop";
  try {
    for (const op of ops) {
      story.push(`${op.name} ${op.pick}`);
      world.apply(op);
      checkWorld(world);
      story.push(`  ${tell(world)}`);
    }
    story.push(ending);
    bringDown(world, ending);
    return { world, failure: null };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { restart, health, wantsPort } = world.spec;
    const settings = { seed, ...restart, retries: health.retries, wantsPort };
    return {
      world,
      failure: {
        message: error.message,
        story: [JSON.stringify(settings), ...story, `  ${tell(world)}`].join(
          "\n",
        ),
      },
    };
  }
}

function tell({ spec, machine, now }: ModelWorld): string {
  const { phase, desired, manual, restarts } = machine;
  const state = describePhase(spec, phase, now);
  return `${state} ${desired}${manual ? " manual" : ""} restarts=${restarts}`;
}

/** Leaves out ops, in ever smaller pieces, for as long as the sequence still fails. */
function shrink(seed: number, ops: readonly Op[]): readonly Op[] {
  let shortest = ops;
  for (let size = ops.length >> 1; size > 0; size >>= 1) {
    for (let from = 0; from < shortest.length;) {
      const shorter = shortest.toSpliced(from, size);
      if (play(seed, shorter).failure === null) from += size;
      else shortest = shorter;
    }
  }
  return shortest;
}

Deno.test("step() keeps its invariants in random sequences", {
  permissions: "none",
}, () => {
  const visited = new Set<string>();
  let inputs = 0;
  for (let seed = 1; inputs < INPUTS; seed++) {
    const ops = opsFrom(seed);
    const { world, failure } = play(seed, ops);
    inputs += world.inputs;
    for (const each of world.visited) visited.add(each);
    if (failure === null) continue;
    const shortest = play(seed, shrink(seed, ops)).failure ?? failure;
    assert.fail(`${shortest.message}\n${shortest.story}`);
  }
  // A world that never gets there proves nothing.
  assert.deepEqual([...visited].sort(), EVERYWHERE);
});
