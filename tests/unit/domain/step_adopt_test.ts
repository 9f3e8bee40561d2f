/**
 * What a controller makes of what an earlier one left in the middle of something.
 *
 * @module
 */

import assert from "node:assert/strict";
import { step } from "../../../src/domain/step.ts";
import type {
  AdoptedFacts,
  Effect,
  Input,
} from "../../../src/domain/task_input.ts";
import {
  displayState,
  NEW_MACHINE,
  type TaskMachine,
} from "../../../src/domain/task_machine.ts";
import type { TaskSpec } from "../../../src/domain/task_spec.ts";
import { healthSpec, probeResult, runInfo, taskSpec } from "./_samples.ts";

const PURE = { permissions: "none" } as const;
const NOW_MS = 1_000_000;
const PROBED = taskSpec({ health: healthSpec({ check: "true" }) });

/** A task as it was restored from the store. */
function restored(changes: Partial<TaskMachine> = {}): TaskMachine {
  return { ...NEW_MACHINE, desired: "up", ...changes };
}

function adopt(
  facts: Partial<AdoptedFacts>,
  { machine = restored(), spec = PROBED }: {
    machine?: TaskMachine;
    spec?: TaskSpec;
  } = {},
): { state: string; machine: TaskMachine; effects: readonly Effect[] } {
  const [next, effects] = step(spec, machine, {
    type: "adopted",
    run: runInfo("r1"),
    ageMs: 60_000,
    now: NOW_MS,
    ...facts,
  });
  return { state: displayState(spec, next), machine: next, effects };
}

function eventsOf(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) =>
    effect.type === "emit" ? [effect.event] : []
  );
}

function probed(
  machine: TaskMachine,
  reason: string | null,
): { state: string; events: string[] } {
  const input: Input = {
    type: "probed",
    runId: "r1",
    result: probeResult(reason),
    now: NOW_MS + 100,
  };
  const [next, effects] = step(PROBED, machine, input);
  return { state: displayState(PROBED, next), events: eventsOf(effects) };
}

Deno.test(
  "a run that was healthy is so by fresh evidence, and until there is some it is not unhealthy",
  PURE,
  () => {
    const known = { wasReady: true, healthyForMs: 30_000 };
    const fresh = adopt({ ...known, lastHealth: probeResult() });
    assert.equal(fresh.state, "healthy");
    const stale = adopt(known);
    assert.equal(stale.state, "starting");
    for (const { machine } of [fresh, stale]) {
      assert.deepEqual(probed(machine, null), { state: "healthy", events: [] });
      assert.deepEqual(probed(machine, "refused"), {
        state: "unhealthy",
        events: ["health_check_failed"],
      });
    }
    // What was failing when it was last asked becomes healthy anew.
    const failing = adopt({ wasReady: true });
    assert.equal(failing.state, "starting");
    assert.deepEqual(probed(failing.machine, null).events, ["task_healthy"]);
  },
);

Deno.test(
  "a healthy stretch goes on where it was, and ends the series of restarts",
  PURE,
  () => {
    const machine = restored({ restarts: 2 });
    const { effects } = adopt(
      { wasReady: true, healthyForMs: 50_000, lastHealth: probeResult() },
      { machine },
    );
    const wake = effects.find((effect) => effect.type === "wake_at");
    assert.equal(wake?.at, NOW_MS + 10_000);
  },
);

Deno.test(
  "a start that nobody was told of is told with its cause, and its hook is run",
  PURE,
  () => {
    const started = adopt({ news: "start" });
    assert.deepEqual(eventsOf(started.effects), ["task_started"]);
    assert.deepEqual(
      eventsOf(adopt({ news: "auto" }).effects),
      ["task_restarted"],
    );
    assert.deepEqual(
      started.effects.filter((effect) => effect.type === "run_hook"),
      [{ type: "run_hook", hook: "after_start", generation: 1 }],
    );
    assert.deepEqual(eventsOf(adopt({}).effects), []);
    const unwanted = adopt({ news: "start" }, {
      machine: restored({ manual: true }),
    });
    assert.deepEqual(eventsOf(unwanted.effects), ["task_started"]);
    assert.equal(unwanted.state, "stopping");
  },
);

Deno.test("an end that was under way goes on as it was meant", PURE, () => {
  const { state, machine } = adopt({
    plan: { kind: "auto", restartAfterMs: 2_000 },
  });
  assert.equal(state, "stopping");
  const exit = { code: 0, signal: null, at: 1 };
  const ended = { type: "ended", runId: "r1", exit, now: NOW_MS } as const;
  const [stopped] = step(PROBED, machine, ended);
  const [next] = step(PROBED, stopped, {
    ...{ type: "hooked", hook: "after_stop", error: null, now: NOW_MS },
    generation: stopped.generation,
  });
  assert.deepEqual(next.phase, { status: "backoff", until: NOW_MS + 2_000 });
});

Deno.test(
  "what a crash cut short goes on in its series of restarts, what somebody asks for does not",
  PURE,
  () => {
    const machine = restored({ restarts: 3, manual: true });
    const start = { type: "start", isGated: true, now: NOW_MS } as const;
    const [resumed] = step(PROBED, machine, { ...start, keepsSeries: true });
    const [asked] = step(PROBED, machine, start);
    assert.deepEqual([resumed.restarts, asked.restarts], [3, 0]);
    assert.deepEqual([resumed.manual, asked.manual], [false, false]);
  },
);

Deno.test("a stop of which only the hook was left is told as one", PURE, () => {
  const rest = { type: "rest", kind: "stop", now: NOW_MS } as const;
  const [machine, effects] = step(PROBED, restored(), rest);
  assert.deepEqual(eventsOf(effects), ["task_stopped"]);
  const again = step(PROBED, { ...machine, phase: { status: "failed" } }, rest);
  assert.deepEqual(eventsOf(again[1]), []);
});
