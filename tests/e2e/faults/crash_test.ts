/**
 * Our own processes are killed in the middle of something. What was begun is finished by whoever comes after them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { killDaemon } from "../../support/crashes.ts";
import { isRunning } from "../../support/process_state.ts";
import type { TestProject } from "../../support/project.ts";
import { type Json, type Taskmux, testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

/** `web` ends itself, in order, as soon as there is a file `go`. */
const SLOW_TO_STOP = `
name = "slow"
[tasks.db]
command = "exec sleep 1000"
[tasks.web]
command = '''
trap 'until [ -e go ]; do sleep 0.02; done; exit 0' INT
echo up; while :; do sleep 0.05; done'''
ready_log = "up"
stop_grace_period = 60
depends_on = ["db"]
`;

/** Begins an action that cannot go on without `go`, and kills the daemon in the middle of it. */
async function cutShort(
  taskmux: Taskmux,
  project: TestProject,
  args: readonly string[],
): Promise<void> {
  const action = project.fails("E600", args);
  await project.when("web", "stopping");
  // The file says so only when the signals are on their way.
  await until(async () => {
    const { manual, state } = await project.task("web");
    return state === "stopping" && (manual || args[0] === "restart");
  });
  await killDaemon(taskmux);
  await action;
  await project.file("go", "");
  await taskmux.ok<Json>(["daemon", "start"]);
}

// The next daemon ended only the task that was just being stopped; what it depends on ran on.
Deno.test("a stop that a crash of the daemon cuts short is finished by the next one", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(SLOW_TO_STOP);
  await project.ok(["start"]);
  const pids = [await project.pid("db"), await project.pid("web")];
  await cutShort(taskmux, project, ["stop"]);
  for (const name of ["web", "db"]) {
    assert.equal((await project.when(name, "stopped")).manual, true);
  }
  for (const pid of pids) assert(!await isRunning(pid));
});

// Everything stayed down, as if it had been stopped by hand, or counted as completed because it ended with 0.
Deno.test("a restart that a crash of the daemon cuts short is finished by the next one", async () => {
  for (const names of [[], ["web"]]) {
    await using taskmux = await testTaskmux();
    const project = await taskmux.project(SLOW_TO_STOP);
    await project.ok(["start"]);
    const [db, web] = [await project.pid("db"), await project.pid("web")];
    await cutShort(taskmux, project, ["restart", ...names]);
    await project.when("web", (task) => task.healthy && task.pid !== web);
    const again = await project.when("db", "running");
    assert.equal(again.pid === db, names.length > 0, "only what was named");
    assert.equal(again.manual, false);
    assert.equal((await project.events("web", "task_exited")).length, 1);
  }
});

Deno.test("a task that comes into the file while no daemon looks is started with the next one", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(SLOW_TO_STOP);
  await project.file("go", "");
  await project.ok(["start", "db"]);
  await killDaemon(taskmux);
  await project.replace(`${SLOW_TO_STOP}
[tasks.late]
command = "exec sleep 1000"
[tasks.manual]
command = "exec sleep 1000"
auto_start = false
`);
  await taskmux.ok(["daemon", "start"]);
  await project.when("late", "running");
  // Not new, and nobody has asked for it.
  assert.equal((await project.task("web")).state, "stopped");
  assert.equal((await project.task("manual")).state, "stopped");
});

// What was being restarted at that moment counted as failed, because the keeper had gone.
Deno.test("a daemon that is told to end starts nothing any more", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(SLOW_TO_STOP);
  await project.ok(["start"]);
  const restart = project.run(["restart", "--json"]);
  await project.when("web", "stopping");
  const pid = await taskmux.daemonPid();
  assert(pid !== null);
  Deno.kill(pid, "SIGTERM");
  await project.file("go", "");
  await until(async () => !await isRunning(pid));
  assert.equal((await restart).json()["ok"], false);
  assert.deepEqual(await taskmux.processes(), []);
  const { tasks } = await project.ok<{ tasks: { state: string }[] }>([
    "status",
  ]);
  assert.deepEqual(tasks.map(({ state }) => state), ["stopped", "stopped"]);
});
