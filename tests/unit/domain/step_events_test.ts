/**
 * What the events of a task tell.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { JsonObject } from "../../../src/kit/json.ts";
import { step } from "../../../src/domain/step.ts";
import type { Input } from "../../../src/domain/task_input.ts";
import type { TaskSpec } from "../../../src/domain/task_spec.ts";
import {
  errorShape,
  exitOf,
  healthSpec,
  type InputData,
  probeResult,
  restartSpec,
  runInfo,
  taskSpec,
} from "./_samples.ts";
import { checkStory } from "./_story.ts";

/** Of {@linkcode exitOf}, in seconds. */
const ENDED_AT = 1_700_000_060;

const PURE = { permissions: "none" } as const;

const UP = `
  start
  before_start ok
  spawned r1
  after_start ok
`;

const CRASHED = `${UP}\nexit r1 1\nbefore_start ok`;

/** The events of one input after a story. */
function check(
  story: string,
  input: InputData,
  expected: readonly (readonly [event: string, data: JsonObject])[],
  spec: TaskSpec = taskSpec(),
): void {
  const machine = checkStory(story, { spec });
  const [, effects] = step(
    spec,
    machine,
    { now: 1_000_000, ...input } as Input,
  );
  const events = effects.flatMap((effect) =>
    effect.type === "emit" ? [[effect.event, effect.data]] : []
  );
  assert.deepEqual(events, expected);
}

function spawned(port: number | null, generation: number): InputData {
  return {
    type: "spawned",
    generation,
    run: runInfo("r7", { pid: 42, port }),
  };
}

function exit(how: number | string): InputData {
  return { type: "ended", runId: "r1", exit: exitOf(how) };
}

Deno.test("task_started and task_restarted name the process", PURE, () => {
  check("start \n before_start ok", spawned(null, 1), [
    ["task_started", { pid: 42, run_id: "r7" }],
  ]);
  check("start \n before_start ok", spawned(4000, 1), [
    ["task_started", { pid: 42, run_id: "r7", port: 4000 }],
  ]);
  check(CRASHED, spawned(null, 2), [
    ["task_restarted", { pid: 42, run_id: "r7" }],
  ]);
});

Deno.test("task_exited says how, auto_restart why and when", PURE, () => {
  check(UP, exit(0), [
    ["task_exited", {
      exit_code: 0,
      run_id: "r1",
      ended_at: ENDED_AT,
      expected: true,
    }],
    ["task_completed", {}],
  ]);
  check(UP, exit(3), [
    ["task_exited", {
      exit_code: 3,
      run_id: "r1",
      ended_at: ENDED_AT,
      expected: false,
    }],
    ["auto_restart", { reason: "process_exited", attempt: 1, delay: 0 }],
  ]);
  check(UP, exit("SIGKILL"), [
    ["task_exited", {
      exit_code: -9,
      signal: "SIGKILL",
      run_id: "r1",
      ended_at: ENDED_AT,
      expected: false,
    }],
    ["auto_restart", { reason: "process_exited", attempt: 1, delay: 0 }],
  ]);
  check(`${CRASHED}\nspawned r1`, exit(3), [
    ["task_exited", {
      exit_code: 3,
      run_id: "r1",
      ended_at: ENDED_AT,
      expected: false,
    }],
    ["auto_restart", { reason: "process_exited", attempt: 2, delay: 2 }],
  ]);
});

Deno.test(
  "an exit that was asked for is expected, whatever its status",
  PURE,
  () => {
    check(`${UP}\nstop\nbefore_stop ok`, exit("SIGTERM"), [
      ["task_exited", {
        exit_code: -15,
        signal: "SIGTERM",
        run_id: "r1",
        ended_at: ENDED_AT,
        expected: true,
      }],
    ]);
  },
);

Deno.test("task_failed says why", PURE, () => {
  check(UP, exit(3), [
    ["task_exited", {
      exit_code: 3,
      run_id: "r1",
      ended_at: ENDED_AT,
      expected: false,
    }],
    ["task_failed", { reason: 'Task "web" exited with code 3' }],
  ], taskSpec({ restart: restartSpec({ policy: "no" }) }));
  check("start gated", { type: "gate", error: errorShape("E402", "no db") }, [
    ["task_failed", { error_code: "E402", reason: "no db" }],
  ]);
  check("start", {
    type: "hooked",
    generation: 1,
    hook: "before_start",
    error: errorShape("E400", "hook broke"),
  }, [
    ["hook_failed", { hook: "before_start", reason: "hook broke" }],
    ["task_failed", { error_code: "E400", reason: "hook broke" }],
  ]);
});

Deno.test(
  "auto_restart_failed says why, max_restarts_reached how many",
  PURE,
  () => {
    const failed: InputData = {
      type: "spawn_failed",
      generation: 2,
      error: errorShape("E214", "port taken"),
    };
    check(CRASHED, failed, [
      ["auto_restart_failed", { error_code: "E214", reason: "port taken" }],
      ["auto_restart", { reason: "start_failed", attempt: 2, delay: 2 }],
    ]);
    check(CRASHED, failed, [
      ["auto_restart_failed", { error_code: "E214", reason: "port taken" }],
      ["max_restarts_reached", { count: 1 }],
    ], taskSpec({ restart: restartSpec({ maxRestarts: 1 }) }));
  },
);

Deno.test("task_stopped says who stopped it", PURE, () => {
  const stop = (kind: "stop" | "kill" | "shutdown"): InputData => ({
    type: "stop",
    kind,
  });
  check("start gated", stop("stop"), [["task_stopped", { reason: "manual" }]]);
  check("start gated", stop("shutdown"), [
    ["task_stopped", { reason: "shutdown" }],
  ]);
  check("start gated", stop("kill"), [["task_killed", {}]]);
});

Deno.test("health events say by which probe and why", PURE, () => {
  const probed = (reason: string | null): InputData => ({
    type: "probed",
    runId: "r1",
    result: probeResult(reason),
  });
  const spec = taskSpec({
    health: healthSpec({ url: "http://localhost/", retries: 2 }),
  });
  check(UP, probed(null), [["task_healthy", { method: "http" }]], spec);
  check(`${UP}\nprobe r1 ok`, probed("status 500"), [
    ["health_check_failed", {
      attempt: 1,
      method: "http",
      reason: "status 500",
    }],
  ], spec);
  check(`${UP}\nprobe r1 ok\nprobe r1 bad`, probed("status 500"), [
    ["health_check_failed", {
      attempt: 2,
      method: "http",
      reason: "status 500",
    }],
    ["task_unhealthy", { method: "http", reason: "status 500" }],
    ["auto_restart", {
      reason: "health_retries_exceeded",
      attempt: 1,
      delay: 0,
    }],
  ], spec);
});
