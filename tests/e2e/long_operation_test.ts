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

const SLOW_TO_STOP = `
name = "left"
[hooks]
after_start = "echo started >> hooks"
after_stop = "echo stopped >> hooks"
[tasks.gate]
command = "exec sleep 1000"
health_check = "test -e open"
[tasks.web]
command = '''
trap 'until [ -e go ]; do sleep 0.02; done; exit 0' INT
echo up; while :; do sleep 0.05; done'''
ready_log = "up"
stop_grace_period = 60
depends_on = ["gate"]
`;

// What the client had begun stopped half-way: a stop left the dependencies running, a start ran no after_start hook.
Deno.test("a client that goes away leaves what it began going on", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(SLOW_TO_STOP);
  await taskmux.ok(["daemon", "start"]);
  const interrupted = async (
    command: string,
    state: "waiting" | "stopping",
  ): Promise<void> => {
    const child = project.spawn([command]);
    await project.when("web", state);
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    assert.equal(code, 130);
    assert.match(new TextDecoder().decode(stderr), /tasks go on/);
    assert.equal((await project.task("web")).state, state);
  };

  await interrupted("start", "waiting");
  await project.file("open", "");
  await project.when("web", "healthy");
  await until(async () => (await project.lines("hooks")).length === 1);

  const [gate, web] = [await project.pid("gate"), await project.pid("web")];
  await interrupted("restart", "stopping");
  await project.file("go", "");
  await project.when("web", (task) => task.healthy && task.pid !== web);
  assert.notEqual(await project.pid("gate"), gate);
  await until(async () => (await project.lines("hooks")).length === 3);

  await Deno.remove(`${project.folder}/go`);
  await interrupted("stop", "stopping");
  assert.equal((await project.task("gate")).running, true);
  await project.file("go", "");
  await project.when("gate", "stopped");
  await until(async () => (await project.lines("hooks")).length === 4);
  assert.deepEqual(await project.lines("hooks"), [
    "started",
    "stopped",
    "started",
    "stopped",
  ]);
  assert.equal((await project.status()).active_tasks, 0);
});
