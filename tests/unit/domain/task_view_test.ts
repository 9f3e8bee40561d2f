import assert from "node:assert/strict";
import {
  detailTask,
  STOPPED_SNAPSHOT,
  type TaskSnapshot,
  viewTask,
} from "../../../src/domain/task_view.ts";
import {
  exitOf,
  healthSpec,
  probeResult,
  restartSpec,
  runInfo,
  taskSpec,
} from "./_samples.ts";

const PURE = { permissions: "none" } as const;

const FACTS = {
  url: "http://localhost:4000",
  port: 4000,
  eventCounts: { task_started: 2 },
  tunnel: null,
};

function view(facts: Partial<TaskSnapshot>): ReturnType<typeof viewTask> {
  const spec = taskSpec({
    host: "web",
    dependsOn: [{ task: "db", condition: "healthy" }],
  });
  return viewTask(spec, { ...STOPPED_SNAPSHOT, ...facts }, FACTS);
}

Deno.test("viewTask() of a task that never ran has every key", PURE, () => {
  assert.deepEqual(view({}), {
    name: "web",
    running: false,
    healthy: false,
    state: "stopped",
    command: "serve",
    auto_start: true,
    start_on_request: false,
    pid: null,
    port: 4000,
    host: "web",
    url: "http://localhost:4000",
    public_url: null,
    tunnel: null,
    restart_policy: "on-failure",
    restart_count: 0,
    cwd: "/project",
    depends_on: ["db"],
    started_at: null,
    exit_code: null,
    last_health: null,
    events: { task_started: 2 },
    reason: null,
    waiting_for: [],
    manual: false,
    config_changed: false,
    restart_in: null,
  });
});

Deno.test("viewTask() of a run tells it in the wire's units", PURE, () => {
  const { running, pid, port, started_at, exit_code, last_health } = view({
    state: "healthy",
    run: runInfo("r1", { pid: 99, port: 5001, startedAt: 1_700_000_000_500 }),
    healthy: true,
    lastHealth: probeResult(),
    lastExit: exitOf(1),
  });
  assert.deepEqual({ running, pid, port, started_at, exit_code, last_health }, {
    running: true,
    pid: 99,
    port: 5001,
    started_at: 1_700_000_000.5,
    exit_code: null,
    last_health: {
      ok: true,
      method: "http",
      reason: null,
      at: 1_700_000_030,
    },
  });
});

Deno.test(
  "viewTask() of a run without a port shows no leased one",
  PURE,
  () => {
    assert.equal(view({ run: runInfo("r1") }).port, null);
  },
);

Deno.test("viewTask() shows how the last run ended", PURE, () => {
  const check = (how: number | string, expected: number) =>
    assert.equal(view({ lastExit: exitOf(how) }).exit_code, expected);
  check(0, 0);
  check(3, 3);
  check("SIGINT", -2);
  check("SIGKILL", -9);
});

Deno.test("viewTask() rounds a backoff up to whole seconds", PURE, () => {
  const check = (restartInMs: number, expected: number) =>
    assert.equal(view({ restartInMs }).restart_in, expected);
  check(0, 0);
  check(1, 1);
  check(2_000, 2);
  check(2_001, 3);
});

Deno.test("viewTask() tells what is waited for", PURE, () => {
  const waitingFor = [
    { task: "db", condition: "healthy", state: "starting" },
  ] as const;
  assert.deepEqual(view({ state: "waiting", waitingFor }).waiting_for, [
    ...waitingFor,
  ]);
});

Deno.test("detailTask() tells settings in seconds", PURE, () => {
  const spec = taskSpec({
    env: [["A", "1"], ["A", "2"]],
    envFiles: ["/project/.env"],
    hooks: { before_start: "prepare" },
    health: healthSpec({ url: "http://localhost/", timeoutMs: 1_500 }),
    restart: restartSpec({ maxRestarts: 0 }),
    stopGraceMs: 0,
    dependsOn: [{ task: "db", condition: "completed" }],
    watch: ["src/**"],
  });
  assert.deepEqual(detailTask(spec), {
    env: { A: "2" },
    env_files: ["/project/.env"],
    hooks: { before_start: "prepare" },
    health: {
      url: "http://localhost/",
      check: null,
      ready_log: null,
      expected_status: 200,
      expected_body: null,
      interval: 10,
      timeout: 1.5,
      retries: 3,
      boot_grace: 10,
    },
    max_restarts: 0,
    restart_backoff: 2,
    success_exit_codes: [0],
    stop_signal: "SIGINT",
    stop_grace_period: 0,
    pids_limit: 8192,
    watch: ["src/**"],
    dependencies: { db: "completed" },
  });
});
