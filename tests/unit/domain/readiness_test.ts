import assert from "node:assert/strict";
import {
  dependencyError,
  type DependencyView,
  judgeDependency,
  type Verdict,
} from "../../../src/domain/readiness.ts";
import type { DependencyCondition } from "../../../src/domain/task_spec.ts";
import type { DisplayState } from "../../../src/domain/task_state.ts";
import {
  STOPPED_SNAPSHOT,
  type TaskSnapshot,
} from "../../../src/domain/task_view.ts";
import { runInfo, taskSpec } from "./_samples.ts";

const PURE = { permissions: "none" } as const;

const RUN = { run: runInfo("r1") };

function viewOf(
  state: DisplayState,
  facts: Partial<TaskSnapshot> = {},
  isUnhealthyFinal = false,
): DependencyView {
  return {
    snapshot: { ...STOPPED_SNAPSHOT, state, ...facts },
    isUnhealthyFinal,
  };
}

/** The verdicts for `started`, `healthy` and `completed`. */
function check(
  view: DependencyView | null,
  expected: readonly [started: Verdict, healthy: Verdict, completed: Verdict],
): void {
  const conditions = ["started", "healthy", "completed"] as const;
  assert.deepEqual(
    conditions.map((condition) =>
      judgeDependency({ task: "db", condition }, view)
    ),
    expected,
    view?.snapshot.state,
  );
}

Deno.test(
  "judgeDependency() of what is down for good is a failure",
  PURE,
  () => {
    check(null, ["failed", "failed", "failed"]);
    check(viewOf("stopped"), ["failed", "failed", "failed"]);
    check(viewOf("failed"), ["failed", "failed", "failed"]);
  },
);

Deno.test("judgeDependency() waits for what is on its way", PURE, () => {
  check(viewOf("waiting"), ["pending", "pending", "pending"]);
  check(viewOf("starting"), ["pending", "pending", "pending"]);
  check(viewOf("backoff"), ["pending", "pending", "pending"]);
  check(viewOf("stopping", RUN), ["pending", "pending", "pending"]);
});

Deno.test("judgeDependency() takes a live run as started", PURE, () => {
  check(viewOf("starting", RUN), ["satisfied", "pending", "pending"]);
  check(viewOf("unhealthy", RUN), ["satisfied", "pending", "pending"]);
});

Deno.test(
  "judgeDependency() takes only fresh evidence as healthy",
  PURE,
  () => {
    const healthy = { ...RUN, healthy: true };
    check(viewOf("running", healthy), ["satisfied", "satisfied", "pending"]);
    check(viewOf("healthy", healthy), ["satisfied", "satisfied", "pending"]);
    check(viewOf("running", RUN), ["satisfied", "pending", "pending"]);
  },
);

Deno.test("judgeDependency() gives up what is unhealthy for good", PURE, () => {
  check(viewOf("unhealthy", RUN, true), ["satisfied", "failed", "pending"]);
  check(viewOf("starting", RUN, true), ["satisfied", "pending", "pending"]);
  check(viewOf("backoff", {}, true), ["pending", "pending", "pending"]);
});

Deno.test("judgeDependency() of a completed task", PURE, () => {
  check(viewOf("completed"), ["satisfied", "failed", "satisfied"]);
});

Deno.test("dependencyError() says which, why and what to do", PURE, () => {
  const web = taskSpec({ name: "web" });
  const checkError = (
    condition: DependencyCondition,
    view: DependencyView | null,
    expected: { why: string; hint: string; state: DisplayState },
  ) =>
    assert.deepEqual(dependencyError(web, { task: "db", condition }, view), {
      ok: false,
      error_code: "E402",
      error:
        `Cannot start task "web": its dependency "db" is not ${condition}: ${expected.why}`,
      hint: expected.hint,
      details: {
        task: "web",
        dependency: "db",
        condition,
        state: expected.state,
      },
    });
  const logs = "taskmux logs db";
  checkError("healthy", null, {
    why: "it does not exist",
    hint: logs,
    state: "stopped",
  });
  checkError("started", viewOf("stopped"), {
    why: "it is stopped",
    hint: logs,
    state: "stopped",
  });
  checkError(
    "completed",
    viewOf("failed", { reason: "exited with code 2" }),
    { why: "exited with code 2", hint: logs, state: "failed" },
  );
  checkError("healthy", viewOf("completed"), {
    why: "it is completed",
    hint: 'depends_on = { db = "completed" }',
    state: "completed",
  });
});
