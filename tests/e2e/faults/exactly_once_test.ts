/**
 * Whatever is killed at whatever moment: a run is told to begin once and to end once, and nothing comes up that nobody
 * has asked for. All of it was found by the model test (`tests/e2e/model/`), and is shown here without chance.
 *
 * @module
 */

import assert from "node:assert/strict";
import { connect } from "../../../src/client/client.ts";
import { isRunning } from "../../support/process_state.ts";
import type { TestProject } from "../../support/project.ts";
import {
  killIfThere,
  type Taskmux,
  testTaskmux,
} from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const WITHOUT_TWO = `
name = "once"
[tasks.one]
command = "exec sleep 1000"
`;

const TWO = `${WITHOUT_TWO}
[tasks.two]
command = "exec sleep 1000"
`;

/** Changes the file while no daemon looks. */
async function replaceUnseen(
  taskmux: Taskmux,
  project: TestProject,
  toml: string,
): Promise<void> {
  await killDaemon(taskmux);
  await project.replace(toml);
  await taskmux.ok(["daemon", "start"]);
}

async function killDaemon(taskmux: Taskmux): Promise<void> {
  const pid = await taskmux.daemonPid();
  assert(pid !== null);
  killIfThere(pid);
  await until(async () => !await isRunning(pid));
}

// There was no event of its end, only one of the process that was ended.
Deno.test("the end of a run is told even if its task has left the file meanwhile", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TWO);
  await project.ok(["start"]);
  const pid = await project.pid("two");
  await replaceUnseen(taskmux, project, WITHOUT_TWO);
  const [started] = await project.events("two", "task_started");
  const ends = await project.events("two", "task_exited");
  assert.deepEqual(
    ends.map((event) => [event["run_id"], event["exit_code"]]),
    [[started?.["run_id"], -15]],
  );
  assert(!await isRunning(pid));
  assert.equal((await project.task("one")).state, "running");
});

// What had been wanted of the old one was still there, and the new one was started as if a crash had cut it short.
Deno.test("a task that left the file while no daemon looked is a new one when it comes back", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TWO);
  await project.ok(["start"]);
  await replaceUnseen(taskmux, project, WITHOUT_TWO);
  await project.ok(["stop"]);
  await replaceUnseen(taskmux, project, TWO);
  const { state, manual } = await project.task("two");
  assert.deepEqual({ state, manual }, { state: "stopped", manual: false });
  assert.equal((await project.events("two", "task_started")).length, 1);
});

// It counted as a crash: an automatic restart of the series, or none at all once there had been too many.
Deno.test("the end of a run that was being restarted when the daemon died is no crash", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "once"
[tasks.web]
command = '''
trap 'until [ -e go ]; do sleep 0.02; done; exit 1' INT
echo up; while :; do sleep 0.05; done'''
ready_log = "up"
restart_policy = "always"
max_restarts = 1
stop_grace_period = 60
`);
  await project.ok(["start"]);
  const before = await project.pid("web");
  const action = project.fails("E600", ["restart"]);
  await project.when("web", "stopping");
  await killDaemon(taskmux);
  await action;
  await project.file("go", "");
  await until(async () => !await isRunning(before));
  await taskmux.ok(["daemon", "start"]);
  const { restart_count, manual } = await project.when(
    "web",
    (task) => task.healthy && task.pid !== before,
  );
  assert.deepEqual({ restart_count, manual }, {
    restart_count: 0,
    manual: false,
  });
  assert.deepEqual(await project.events("web", "auto_restart"), []);
  assert.equal((await project.events("web", "task_exited")).length, 1);
});

// It was stopped with all others, and then not among those that were started again.
Deno.test("a task that is restarted while all are restarted is up in the end", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`${TWO}auto_start = false\n`);
  await project.ok(["start"]);
  await using client = await connect(taskmux.home.paths.daemonSocket);
  assert(client !== null);
  const scope = { config: project.config };
  for (let round = 0; round < 12; round++) {
    // One of them may be told that the other came in between.
    await Promise.allSettled([
      client.call("task.restart", { scope }),
      client.call("task.restart", { scope, tasks: ["two"] }),
    ]);
    assert.equal((await project.task("two")).state, "running", `${round}`);
    await client.call("task.stop", { scope, tasks: ["two"] });
  }
});

const STUBBORN = `${WITHOUT_TWO}
[tasks.deaf]
command = "trap '' INT TERM; echo deaf; while :; do sleep 1; done"
ready_log = "^deaf"
stop_grace_period = 30
auto_start = false
[tasks.two]
command = "exec sleep 1000"
auto_start = false
`;

// Its answer was "killed", and then it came up again.
Deno.test("what is killed while all are restarted stays down, after a crash as well", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(STUBBORN);
  for (const isCrash of [false, true]) {
    await project.ok(["start", "--if-stopped", "one", "two", "deaf"]);
    await project.when("deaf", (task) => task.healthy);
    await using client = await connect(taskmux.home.paths.daemonSocket);
    assert(client !== null);
    const restart = client.call("task.restart", {
      scope: { config: project.config },
    });
    const told = Promise.allSettled([restart]);
    await project.when("deaf", ({ state }) => state === "stopping");
    await project.when("two", ({ state }) => state === "stopped");
    await project.fails("E202", ["kill", "two"]);
    if (isCrash) {
      await killDaemon(taskmux);
      await taskmux.ok(["daemon", "start"]);
    }
    await project.ok(["kill", "deaf"]);
    const [answer] = await told;
    if (!isCrash) {
      assert(answer.status === "fulfilled");
      assert.equal(answer.value.ok, false, "the restart of two was taken back");
    }
    await project.when("one", ({ state }) => state === "running");
    for (const name of ["two", "deaf"]) {
      const { state, manual } = await project.task(name);
      assert.deepEqual({ state, manual }, { state: "stopped", manual: true });
    }
  }
});

// It was told to have failed, and then to have been stopped by hand.
Deno.test("what is started while all are restarted is not stopped by that", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`${STUBBORN}
[tasks.late]
command = "exec false"
restart_policy = "no"
auto_start = false
`);
  await project.ok(["start", "one", "deaf"]);
  await project.when("deaf", (task) => task.healthy);
  await using client = await connect(taskmux.home.paths.daemonSocket);
  assert(client !== null);
  const restart = client.call("task.restart", {
    scope: { config: project.config },
  });
  await project.when("deaf", ({ state }) => state === "stopping");
  await project.fails("E403", ["start", "late"]);
  await project.ok(["kill", "deaf"]);
  await restart;
  assert.equal((await project.task("one")).state, "running");
  const { state, manual } = await project.task("late");
  assert.deepEqual({ state, manual }, { state: "failed", manual: false });
});

Deno.test("a restart of all brings nothing up again that is being stopped", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(STUBBORN);
  await project.ok(["start", "one", "deaf"]);
  await project.when("deaf", (task) => task.healthy);
  await using client = await connect(taskmux.home.paths.daemonSocket);
  assert(client !== null);
  const scope = { config: project.config };
  const stop = client.call("task.stop", { scope, tasks: ["deaf"] });
  await project.when("deaf", ({ state }) => state === "stopping");
  const restart = client.call("task.restart", { scope });
  await project.when("one", ({ state }) => state !== "running");
  await project.ok(["kill", "deaf"]);
  await Promise.all([stop, restart]);
  assert.equal((await project.task("one")).state, "running");
  const { state, manual } = await project.task("deaf");
  assert.deepEqual({ state, manual }, { state: "stopped", manual: true });
});

Deno.test("a stop in another checkout of the same name changes nothing of the first", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TWO);
  await project.ok(["start"]);
  const pid = await project.pid("one");
  const other = await taskmux.project(TWO, "other");
  await other.run(["stop", "--json"]);
  await other.run(["kill", "one", "--json"]);
  await killDaemon(taskmux);
  await taskmux.ok(["daemon", "start"]);
  const { state, manual } = await project.task("one");
  assert.deepEqual({ state, manual }, { state: "running", manual: false });
  assert.equal(await project.pid("one"), pid);
});

Deno.test("daemon stop ends the tasks of a project whose file cannot be read", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TWO);
  await project.ok(["start"]);
  const pids = [await project.pid("one"), await project.pid("two")];
  await replaceUnseen(taskmux, project, `${TWO}\n[tasks.`);
  for (const pid of pids) assert(await isRunning(pid), "they run on");
  await taskmux.ok(["daemon", "stop"]);
  for (const pid of pids) assert(!await isRunning(pid));
});
