import assert from "node:assert/strict";
import {
  backoffMs,
  decideAfterExit,
  decideAfterFailure,
  isSuccess,
  type RestartDecision,
} from "../../../src/domain/restart_policy.ts";
import type { RestartSpec } from "../../../src/domain/task_spec.ts";
import { exitOf, restartSpec } from "./_samples.ts";

const PURE = { permissions: "none" } as const;

Deno.test("isSuccess() is an exit status that the task lists", PURE, () => {
  const check = (codes: number[], how: number | string, expected: boolean) =>
    assert.equal(
      isSuccess(restartSpec({ successExitCodes: codes }), exitOf(how)),
      expected,
    );
  check([0], 0, true);
  check([0], 1, false);
  check([0, 2], 2, true);
  check([2], 0, false);
  check([], 0, false);
  check([0, 2, 130, -2], "SIGINT", false);
  check([137], "SIGKILL", false);
  check([137], 137, true);
});

Deno.test("backoffMs() grows from nothing to a minute", PURE, () => {
  const check = (backoff: number, expected: number[]) =>
    assert.deepEqual(
      expected.map((_, index) =>
        backoffMs(restartSpec({ backoff }), index + 1)
      ),
      expected,
    );
  check(2, [0, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  check(1, [0, 1_000, 1_000, 1_000]);
  check(1.5, [0, 1_500, 2_250, 3_375]);
  check(100, [0, 60_000, 60_000]);
  assert.equal(backoffMs(restartSpec(), 5_000), 60_000);
});

Deno.test("decideAfterExit() follows the policy", PURE, () => {
  const check = (
    knobs: Partial<RestartSpec>,
    [how, restarts]: [how: number | string, restarts: number],
    expected: RestartDecision,
  ) =>
    assert.deepEqual(
      decideAfterExit(restartSpec(knobs), exitOf(how), restarts),
      expected,
    );
  const first = { kind: "restart", attempt: 1, delayMs: 0 } as const;
  check({ policy: "no" }, [1, 0], { kind: "rest" });
  check({ policy: "on-failure" }, [0, 0], { kind: "rest" });
  check({ policy: "on-failure" }, [1, 0], first);
  check({ policy: "on-failure" }, ["SIGKILL", 0], first);
  check({ policy: "always" }, [0, 0], first);
  check({}, [1, 1], { kind: "restart", attempt: 2, delayMs: 2_000 });
  check({}, [1, 4], { kind: "restart", attempt: 5, delayMs: 16_000 });
  check({}, [1, 5], { kind: "give_up", attempts: 5 });
  check({}, [1, 9], { kind: "give_up", attempts: 9 });
  check({}, [0, 5], { kind: "rest" });
  check({ maxRestarts: 1 }, [1, 0], first);
  check({ maxRestarts: 0 }, [1, 999], {
    kind: "restart",
    attempt: 1_000,
    delayMs: 60_000,
  });
});

Deno.test(
  "decideAfterFailure() asks only whether to restart at all",
  PURE,
  () => {
    const check = (
      knobs: Partial<RestartSpec>,
      restarts: number,
      expected: RestartDecision["kind"],
    ) =>
      assert.equal(
        decideAfterFailure(restartSpec(knobs), restarts).kind,
        expected,
      );
    check({ policy: "no" }, 0, "rest");
    check({ policy: "on-failure" }, 0, "restart");
    check({ policy: "always" }, 0, "restart");
    check({ policy: "always" }, 5, "give_up");
    check({ policy: "no" }, 5, "rest");
  },
);
