/**
 * What is told of tasks while no daemon watches over them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isRunning } from "../../support/process_state.ts";
import type { Status } from "../../support/project.ts";
import { type Json, killIfThere, testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const PROJECT = `
name = "alone"
[tasks.web]
command = "exec sleep 1000"
[tasks.short]
command = "until [ -e go ]; do sleep 0.02; done; exit 7"
restart_policy = "no"
[tasks.idle]
command = "exec sleep 1000"
auto_start = false
`;

Deno.test("while no daemon lives, what runs is said to run, and how it can be watched again", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"]);
  const [web, short] = [await project.pid("web"), await project.pid("short")];
  const daemon = await taskmux.daemonPid();
  const { keeper } = await taskmux.call("daemon.status", {});
  assert(daemon !== null && keeper.pid !== null);
  killIfThere(daemon);
  await until(async () => !await isRunning(daemon));
  await project.file("go", "");
  await until(async () => !await isRunning(short));

  const status = await until(async () => {
    const answer = await project.ok<Status>(["status"]);
    return answer.active_tasks === 1 ? answer : null;
  });
  assert.equal(status.running, true);
  assert.equal(status.daemon_pid, null);
  assert.match(status.warnings.join(), /1 task runs .*taskmux daemon start/);
  assert.deepEqual(
    status.tasks.map(({ name, state, running, healthy, pid, exit_code }) => [
      name,
      state,
      running,
      healthy,
      pid,
      exit_code,
    ]),
    [
      ["web", "running", true, false, web, null],
      ["short", "stopped", false, false, null, 7],
      ["idle", "stopped", false, false, null, null],
    ],
  );
  const inspected = await project.ok<Json>(["inspect", "web"]);
  assert.deepEqual(inspected["pids"], [web]);
  const told = await taskmux.ok<Json>(["daemon", "status"]);
  assert.equal(told["running"], false);
  assert.equal(told["running_tasks"], 1);
  assert.deepEqual(told["keeper"], { pid: keeper.pid });
  assert.equal(await taskmux.daemonPid(), null, "asking starts nothing");

  // A keeper that does not answer takes nobody else's time.
  Deno.kill(keeper.pid, "SIGSTOP");
  try {
    const { tasks, warnings } = await project.ok<Status>(["status"]);
    assert.match(String(tasks[0]?.reason), new RegExp(`pid ${web}`));
    assert.match(warnings.join(), /may still be running/);
  } finally {
    Deno.kill(keeper.pid, "SIGCONT");
  }

  await taskmux.ok(["daemon", "start"]);
  assert.equal(await project.pid("web"), web);
  assert.equal((await project.task("short")).exit_code, 7);
});
