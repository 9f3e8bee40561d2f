import assert from "node:assert/strict";
import { healthLines } from "../../../src/cli/render/health.ts";
import { inspectLines } from "../../../src/cli/render/inspect.ts";
import { makePaint } from "../../../src/cli/render/paint.ts";
import {
  statusLines,
  type StatusTask,
  warningLines,
} from "../../../src/cli/render/status.ts";
import { textWidth } from "../../../src/cli/render/text.ts";
import { PLAIN, statusOf, STOPPED_TASK, TASK } from "./_samples.ts";

const WIDE = { width: Infinity, paint: PLAIN };

const TASKS: readonly StatusTask[] = [
  TASK,
  {
    ...TASK,
    name: "website",
    command: "npm run dev -- --port $PORT",
    url: "https://shop.localhost",
    cwd: "/work/shop/web",
    depends_on: ["api", "db"],
    restart_policy: "always",
  },
  { ...STOPPED_TASK, command: "docker compose up", auto_start: false },
];

Deno.test("statusLines() tells the project, then one row per task", () => {
  assert.deepEqual(statusLines(statusOf(TASKS), WIDE), [
    'Session "shop": running, 2 of 3 tasks active, daemon pid 99',
    "",
    "  Status   Task     URL                     Command                      Notes",
    "  Healthy  api      http://localhost:40001  uv run api --port $PORT",
    "  Healthy  website  https://shop.localhost  npm run dev -- --port $PORT  restart=always cwd=web deps=[api,db]",
    "  Stopped  db                               docker compose up            manual",
  ]);
});

Deno.test("statusLines() of a project at rest without a daemon", () => {
  const status = statusOf([STOPPED_TASK], {
    daemon_pid: null,
    project_id: "shop-fix",
  });
  assert.equal(
    statusLines(status, WIDE)[0],
    'Session "shop" (shop-fix): stopped, no daemon',
  );
});

Deno.test("statusLines() of a project without tasks tells how to add one", () => {
  assert.deepEqual(statusLines(statusOf([]), WIDE).slice(1), [
    'No tasks configured; "taskmux add NAME COMMAND" adds one',
  ]);
});

Deno.test("statusLines() tells that an older configuration is in force", () => {
  const config_error = {
    error_code: "E101",
    error: "Cannot read TOML at line 3, column 7\n\n3: x = ",
    line: 3,
    column: 7,
  };
  const [, line] = statusLines(statusOf([TASK], { config_error }), WIDE);
  assert.equal(
    line,
    "Configuration in force is an older one. Error [E101]: Cannot read TOML at line 3, column 7",
  );
});

function checkNotes(what: string, task: Partial<StatusTask>, notes: string) {
  Deno.test(`statusLines() notes ${what}`, () => {
    const one = { ...TASK, command: "x", ...task };
    const row = statusLines(statusOf([one]), WIDE)[3] ?? "";
    assert.equal(row.split(/ {2,}/)[5], notes);
  });
}

checkNotes("restart limits", { max_restarts: 10 }, "restart-max=10");
checkNotes("automatic restarts", { restart_count: 2 }, "restarts=2");
checkNotes("a folder outside", { cwd: "/srv/x" }, "cwd=/srv/x");
checkNotes("a changed entry", { config_changed: true }, "config-changed");
checkNotes(
  "how it ended",
  { running: false, state: "failed", exit_code: -9 },
  "exit=-9",
);

Deno.test("statusLines() tells below the table what needs attention", () => {
  const lines = statusLines(
    statusOf([
      {
        ...TASK,
        name: "web",
        state: "unhealthy",
        last_health: { ok: false, method: "http", reason: "status 502", at: 1 },
      },
      {
        ...STOPPED_TASK,
        name: "worker",
        state: "waiting",
        reason: "waits for db",
        waiting_for: [{ task: "db", condition: "healthy", state: "starting" }],
      },
      { ...STOPPED_TASK, name: "job", state: "backoff", restart_in: 4 },
      {
        ...STOPPED_TASK,
        name: "bad",
        state: "failed",
        reason: "Gave up after 5 restarts",
      },
    ]),
    WIDE,
  );
  assert.deepEqual(lines.slice(lines.lastIndexOf("") + 1), [
    "  web fail: http — status 502",
    "  worker waits for db (healthy, now starting)",
    "  job restarts in 4 s",
    "  bad: Gave up after 5 restarts",
  ]);
});

Deno.test("statusLines() fits the terminal and keeps Status and Task", () => {
  const long = TASKS.map((task) => ({
    ...task,
    command: "x".repeat(300),
    url: `https://${task.name}.${"y".repeat(80)}.localhost`,
  }));
  for (const width of [200, 120, 100, 80, 60, 40, 24]) {
    const lines = statusLines(statusOf(long), { width, paint: PLAIN });
    for (const line of lines.slice(2)) {
      assert(textWidth(line) <= width, `${width}: ${line}`);
    }
    assert.match(lines[2]!, /^ {2}Status {3}Task/, `${width}`);
    assert.match(lines[4]!, /^ {2}Healthy {2}website/, `${width}`);
  }
});

Deno.test("statusLines() prints a command of several lines on one, without escape sequences", () => {
  const task = {
    ...TASK,
    url: null,
    port: null,
    command: "a\n\tb\x1b[31mc\x07",
  };
  assert.equal(
    statusLines(statusOf([task]), WIDE)[3],
    "  Healthy  api   a bc",
  );
});

Deno.test("statusLines() keeps brackets and paints states", () => {
  const lines = statusLines(statusOf([{ ...TASK, command: "a [b]" }]), {
    width: Infinity,
    paint: makePaint(true),
  });
  assert(lines[3]!.includes("\x1b[32mHealthy\x1b[0m"), lines[3]);
  assert(lines[3]!.endsWith(" a [b]"), lines[3]);
});

Deno.test("warningLines() marks each warning", () => {
  assert.deepEqual(warningLines(["a", "b"], PLAIN), [
    "Warning: a",
    "Warning: b",
  ]);
});

Deno.test("healthLines() tells the evidence for each task, then the sum", () => {
  const health = {
    ok: true,
    healthy_count: 1,
    total_count: 2,
    completed_count: 1,
    tasks: [
      { name: "api", healthy: true, method: "http", reason: null },
      { name: "db", healthy: false, method: "tcp", reason: "refused" },
      { name: "seed", healthy: null, method: "none", reason: "completed" },
    ],
  } as const;
  assert.deepEqual(
    healthLines({ ...health, tasks: [...health.tasks] }, WIDE),
    [
      "  Health     Task  Method  Reason",
      "  Healthy    api   http",
      "  Unhealthy  db    tcp     refused",
      "  Completed  seed  none    completed",
      "",
      "Health: 1/2 tasks healthy, 1 completed",
    ],
  );
});

Deno.test("inspectLines() tells what is set, nested keys indented", () => {
  const lines = inspectLines({
    ok: true,
    ...TASK,
    env: { LOG: "debug" },
    hooks: {},
    runs: [{ run_id: "abc", pid: 1, ended_at: 0, exit_code: null }],
    pids: [1, 2],
  }, PLAIN);
  assert.equal(lines[0], 'Task "api": healthy');
  assert(lines.includes("  env:"));
  assert(lines.includes("    LOG: debug"));
  assert(lines.includes("  pids: 1, 2"));
  assert(lines.includes("  started_at: 2025-11-20T11:00:00.000Z"));
  assert(
    lines.includes("    - run_id=abc pid=1 ended_at=1970-01-01T00:00:00.000Z"),
  );
  assert(!lines.some((line) => line.startsWith("  hooks")));
  assert(!lines.some((line) => line.startsWith("  ok:")));
});
