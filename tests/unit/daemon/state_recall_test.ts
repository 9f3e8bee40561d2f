import assert from "node:assert/strict";
import { recallState } from "../../../src/daemon/state_recall.ts";
import type { EventType, TaskEvent } from "../../../src/domain/event.ts";

type Line = readonly [where: string, type: EventType, data?: object];

/** One event a second; `session/task`, `session`, or nothing before the type. */
function history(...lines: Line[]): TaskEvent[] {
  return lines.map(([where, event, data], index) => {
    const [session, task] = where.split("/");
    return {
      seq: index + 1,
      ts: new Date((index + 1) * 1000).toISOString(),
      event,
      session: session === "" ? null : session ?? null,
      ...task === undefined ? {} : { task },
      ...data,
    };
  });
}

Deno.test("recallState() tells what was wanted of each task last", () => {
  const { tasks } = recallState(history(
    ["shop/web", "task_started", { port: 20_001 }],
    ["shop/web", "task_exited", { exit_code: 1 }],
    ["shop/web", "auto_restart"],
    ["shop/web", "task_started", { pid: 70, run_id: "00000000000a" }],
    ["shop/db", "task_started", { pid: 71, run_id: "00000000000b" }],
    ["shop/db", "task_exited", { run_id: "00000000000b" }],
    ["shop/db", "task_stopped", { reason: "shutdown" }],
    ["shop/job", "task_started"],
    ["shop/job", "task_completed"],
    ["shop/bad", "task_started"],
    ["shop/bad", "task_failed"],
    ["shop/off", "task_started"],
    ["shop/off", "task_stopped", { reason: "manual" }],
    ["shop/dead", "task_started"],
    ["shop/dead", "task_killed"],
    ["shop/probed", "task_healthy"],
  ));
  const short = tasks.map(({ task, desired, manual, outcome, port }) => [
    task,
    desired,
    manual,
    outcome,
    port,
  ]);
  assert.deepEqual(short, [
    ["web", "up", false, null, 20_001],
    ["db", "up", false, "stopped", null],
    ["job", "up", false, "completed", null],
    ["bad", "up", false, "failed", null],
    ["off", "down", true, "stopped", null],
    ["dead", "down", true, "stopped", null],
  ]);
  assert.equal(tasks[0]?.at, 4000);
  assert.deepEqual(tasks[0]?.run, { runId: "00000000000a", pid: 70 });
  assert.equal(tasks[1]?.run, null);
});

Deno.test("recallState() tells the projects that are registered, and forgets the tasks of others", () => {
  const { projects, tasks } = recallState(history(
    ["shop", "project_registered", {
      config_path: "/shop/taskmux.toml",
      name: "Shop",
      worktree_id: "fix",
    }],
    // As 0.1.0 wrote it.
    ["blog", "project_registered", { config_path: "/blog/taskmux.toml" }],
    ["gone", "project_registered", { config_path: "/gone/taskmux.toml" }],
    ["gone/web", "task_started"],
    ["gone", "project_unregistered"],
  ));
  assert.deepEqual(projects, [
    {
      id: "shop",
      configPath: "/shop/taskmux.toml",
      name: "Shop",
      worktreeId: "fix",
      registeredAt: "1970-01-01T00:00:01.000Z",
    },
    {
      id: "blog",
      configPath: "/blog/taskmux.toml",
      name: "blog",
      worktreeId: null,
      registeredAt: "1970-01-01T00:00:02.000Z",
    },
  ]);
  assert.deepEqual(tasks, []);
});

Deno.test("recallState() tells how the last daemon ended", () => {
  const started: Line = ["", "daemon_started"];
  const stopped = (kept: boolean): Line => [
    "",
    "daemon_stopped",
    { kept_tasks: kept },
  ];
  const shutdown = (...lines: Line[]) =>
    recallState(history(...lines)).shutdown;
  assert.equal(shutdown(), null);
  assert.equal(shutdown(started, stopped(false)), "clean");
  assert.equal(shutdown(started, stopped(true)), "keep");
  assert.equal(shutdown(started, stopped(false), started), null);
});

Deno.test("recallState() tells what became of each alias", () => {
  const { aliases } = recallState(history(
    ["shop", "alias_added", { alias: "db", host: "db", port: 1 }],
    ["shop", "alias_added", { alias: "db", host: "data", port: 2 }],
    ["shop", "alias_added", { alias: "old", host: "old", port: 3 }],
    ["shop", "alias_removed", { alias: "old" }],
    ["gone", "alias_added", { alias: "db", host: "db", port: 4 }],
    ["gone", "project_unregistered"],
    ["shop", "alias_added", { alias: "torn", host: 1 }],
  ));
  assert.deepEqual(
    aliases.map(({ session, name, alias }) => [session, name, alias]),
    [
      ["shop", "db", { name: "db", host: "data", port: 2 }],
      ["shop", "old", null],
      ["gone", "db", null],
    ],
  );
});
