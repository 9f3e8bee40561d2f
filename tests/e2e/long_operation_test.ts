/**
 * Operations that take longer than any client would like to wait.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isRunning } from "../support/process_state.ts";
import type { Action } from "../support/project.ts";
import { testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

// Slow by intent. After 10 s the client of the original gave up with an empty message, or took a broadcast of the
// daemon for its answer (defect 2).
Deno.test("a stop of twelve seconds ends with its real result", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "slow"
[tasks.web]
command = '''
trap 'echo INT >> signals' INT; trap 'echo TERM >> signals; exit 7' TERM
echo up; while :; do sleep 0.05; done'''
ready_log = "up"
host = "web"
health_check = "true"
health_interval = 0.2
stop_grace_period = 12
[tasks.gate]
command = "exec sleep 1000"
health_check = "test -e open"
[tasks.late]
command = "exec sleep 1000"
depends_on = ["gate"]
`);
  await project.ok(["start", "web"]);
  const pid = await project.pid("web");
  const begun = performance.now();
  const stop = project.ok<Action>(["stop", "web"]);
  // A start that waits meanwhile is as patient.
  const start = project.ok<Action>(["start", "late"]);
  await project.when("web", "stopping");
  await until(() => performance.now() - begun > 11_000);
  assert.equal((await project.task("web")).state, "stopping");
  assert.equal((await project.task("late")).state, "waiting");
  await project.file("open", "");
  assert.equal((await start).state, "running");
  const stopped = await stop;
  assert(performance.now() - begun >= 12_000);
  assert.equal(stopped.action, "stopped");
  assert.equal(stopped.state, "stopped");
  assert(!await isRunning(pid));
  assert.deepEqual(await project.lines("signals"), ["INT", "TERM"]);
  assert.equal((await project.task("web")).exit_code, 7);
});

Deno.test("a client that goes away leaves what it began going on", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "left"
[tasks.gate]
command = "exec sleep 1000"
health_check = "test -e open"
[tasks.web]
command = "exec sleep 1000"
depends_on = ["gate"]
`);
  const child = project.spawn(["start"]);
  await until(async () => await taskmux.daemonPid() !== null);
  await project.when("web", "waiting");
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  assert.equal(code, 130);
  assert.match(new TextDecoder().decode(stderr), /tasks go on starting/);
  assert.equal((await project.task("web")).state, "waiting");
  await project.file("open", "");
  await project.when("web", "running");
});
