import assert from "node:assert/strict";
import {
  applyProbe,
  hasProbe,
  type HealthChange,
  healthWord,
  type TaskHealth,
  unknownHealth,
} from "../../../src/domain/task_health.ts";
import { healthSpec, probeResult } from "./_samples.ts";

const PURE = { permissions: "none" } as const;

/** Grace 10 s, interval 10 s, three failures. */
const SPEC = healthSpec({ check: "true" });

const UNKNOWN = unknownHealth(0);

const READY: TaskHealth = {
  ...UNKNOWN,
  isReady: true,
  healthySince: 500,
  last: probeResult(),
};

function failing(health: TaskHealth, failures: number): TaskHealth {
  return {
    ...health,
    healthySince: null,
    failures,
    countedAt: 20_000,
    last: probeResult("refused"),
  };
}

Deno.test("applyProbe() tells what a probe means", PURE, () => {
  const check = (
    health: TaskHealth,
    [isOk, now]: [isOk: boolean, now: number],
    expected: [kind: HealthChange["kind"], failures: number],
  ) => {
    const result = probeResult(isOk ? null : "refused");
    const change = applyProbe(SPEC, health, { result, now });
    assert.deepEqual([change.kind, change.health.failures], expected);
    assert.equal(change.health.last, result);
    assert.equal(change.health.healthySince === null, !isOk);
  };
  check(UNKNOWN, [true, 100], ["ready", 0]);
  check(READY, [true, 10_000], ["same", 0]);
  check(failing(READY, 2), [true, 30_000], ["ready", 0]);
  check(failing(READY, 9), [true, 30_000], ["ready", 0]);
  // Not ready: the grace, then one failure per interval.
  check(UNKNOWN, [false, 0], ["same", 0]);
  check(UNKNOWN, [false, 10_000], ["same", 0]);
  check(UNKNOWN, [false, 19_999], ["same", 0]);
  check(UNKNOWN, [false, 20_000], ["failed", 1]);
  check(failing(UNKNOWN, 1), [false, 29_999], ["same", 1]);
  check(failing(UNKNOWN, 1), [false, 30_000], ["failed", 2]);
  check(failing(UNKNOWN, 2), [false, 30_000], ["unhealthy", 3]);
  check(failing(UNKNOWN, 3), [false, 30_000], ["still_unhealthy", 4]);
  // Ready: each one, in the grace as well.
  check(READY, [false, 501], ["failed", 1]);
  check(failing(READY, 1), [false, 20_001], ["failed", 2]);
  check(failing(READY, 2), [false, 20_001], ["unhealthy", 3]);
  check(failing(READY, 3), [false, 20_001], ["still_unhealthy", 4]);
});

Deno.test("applyProbe() keeps the beginning of a healthy stretch", PURE, () => {
  const first = applyProbe(SPEC, UNKNOWN, { result: probeResult(), now: 700 });
  const second = applyProbe(SPEC, first.health, {
    result: probeResult(),
    now: 10_700,
  });
  assert.equal(second.health.healthySince, 700);
});

Deno.test("healthWord() is healthy only by the last probe", PURE, () => {
  const check = (health: TaskHealth, expected: string, retries = 3) =>
    assert.equal(healthWord(healthSpec({ retries }), health), expected);
  check(UNKNOWN, "starting");
  check(UNKNOWN, "starting", 0);
  check({ ...UNKNOWN, last: probeResult("refused") }, "starting");
  check(failing(UNKNOWN, 2), "starting");
  check(failing(UNKNOWN, 3), "unhealthy");
  check(failing(UNKNOWN, 1), "unhealthy", 0);
  check(READY, "healthy");
  check(failing(READY, 1), "unhealthy");
});

Deno.test("hasProbe() asks for evidence beside being alive", PURE, () => {
  assert.equal(hasProbe(healthSpec(), null), false);
  assert.equal(hasProbe(healthSpec(), 4000), true);
  assert.equal(hasProbe(healthSpec({ url: "http://localhost/" }), null), true);
  assert.equal(hasProbe(healthSpec({ check: "true" }), null), true);
  assert.equal(hasProbe(healthSpec({ readyLog: "ready" }), null), true);
});
