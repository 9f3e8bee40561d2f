/**
 * Several commands at once on one task.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TaskmuxError } from "../../src/domain/error.ts";
import type { Action } from "../support/project.ts";
import { randomFrom } from "../support/random.ts";
import { testTaskmux } from "../support/taskmux.ts";
import { pick } from "../support/toml_mutator.ts";
import { until } from "../support/until.ts";

const CALLERS = 50;

/** `web` waits for `gate`, and that for a file. */
const GATED = `
name = "gated"
[tasks.gate]
command = "exec sleep 1000"
health_check = "test -e open"
[tasks.web]
command = "echo run >> runs; exec sleep 1000"
depends_on = ["gate"]
`;

Deno.test("fifty concurrent starts on a cold machine give one daemon and one process", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "rush"
[tasks.db]
command = "echo run >> runs; echo up; exec sleep 1000"
ready_log = "up"
[tasks.web]
command = "echo run >> runs; exec sleep 1000"
depends_on = ["db"]
`);
  const runs = await Promise.all(
    Array.from(
      { length: CALLERS },
      () => project.run(["start", "web", "--json"]),
    ),
  );
  const answers = runs.map((run) => ({ code: run.code, ...run.json() } as
    & { code: number }
    & Action)
  );
  const pid = await project.pid("web");
  for (const answer of answers) {
    if (answer.ok) {
      assert.equal(answer.code, 0);
      assert.equal(answer["pid"], pid);
    } else {
      assert.equal(answer["error_code"], "E201", JSON.stringify(answer));
      assert.equal(answer.code, 5);
    }
  }
  assert(answers.some(({ ok }) => ok));
  assert.deepEqual(await project.linesOf("runs", 2), ["run", "run"]);
  assert.equal((await project.events("web", "task_started")).length, 1);
  // On a busy machine those that came too late have yet to find that out.
  await until(async () => {
    const daemons = (await taskmux.processes()).filter(({ command }) =>
      command.includes("src/daemon/main.ts")
    );
    return daemons.length === 1;
  }, { what: "one daemon" });
});

Deno.test("starts that meet a start on its way join it", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(GATED);
  const starts = [
    ["start", "web"],
    ["start"],
    ["start", "web", "gate", "--if-stopped"],
    ["restart", "web"],
  ].map((args) => project.ok<Action>(args));
  await until(async () => await taskmux.daemonPid() !== null);
  await project.when("web", "waiting");
  // Whoever comes after this finds web running, which is no error either, but for a plain start.
  await until(async () => (await project.task("gate")).state === "starting");
  await project.file("open", "");
  for (const start of await Promise.allSettled(starts)) {
    if (start.status === "rejected") {
      assert.match(String(start.reason), /E201|E301/);
    }
  }
  await project.when("web", "running");
  assert.equal((await project.events("gate", "task_started")).length, 1);
});

// A restart that came while the task was being spawned waited for a run that nobody would start.
Deno.test("a restart of a task that is just starting joins that start", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "early"
[tasks.web]
command = "echo run >> runs; exec sleep 1000"
hooks = { before_start = "touch hooking; sleep 1" }
`);
  const start = project.ok<Action>(["start", "web"]);
  await until(() => project.read("hooking"));
  const restart = project.ok<Action>(["restart", "web", "--timeout", "20"]);
  assert.equal((await restart).action, "restarted");
  assert.equal((await start).action, "started");
  assert.deepEqual(await project.linesOf("runs", 1), ["run"]);
});

Deno.test("a stop ends a wait for dependencies, and the waiting start says so", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(GATED);
  await project.ok(["daemon", "register"]);
  const start = project.fails("E403", ["start", "web"]);
  await project.when("web", "waiting");
  const stopped = await project.ok<Action>(["stop", "web"]);
  assert.equal(stopped.state, "stopped");
  assert.match((await start).error, /stopped by another command/);
  assert.equal((await project.task("gate")).state, "starting");
  await project.file("open", "");
  await project.when("gate", "healthy");
  assert.equal((await project.task("web")).state, "stopped");
  assert.deepEqual(await project.lines("runs"), []);
});

Deno.test("a start while the task is being stopped brings it up again, a stop after that does not", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "again"
[tasks.web]
command = '''
trap 'until [ -e go ]; do sleep 0.02; done; exit 0' INT
echo run >> runs; echo up; while :; do sleep 0.05; done'''
ready_log = "up"
stop_grace_period = 20
`);
  await project.ok(["start"]);
  const pid = await project.pid("web");
  const stop = project.ok<Action>(["stop", "web"]);
  await project.when("web", (task) => task.state === "stopping" && task.manual);
  const start = project.ok<Action>(["start", "web"]);
  await project.when("web", (task) => !task.manual);
  assert.equal(await project.pid("web"), pid, "the old run is not over yet");
  await project.file("go", "");
  assert.notEqual((await start)["pid"], pid);
  assert.equal((await stop).ok, true);
  assert.deepEqual(await project.linesOf("runs", 2), ["run", "run"]);

  await Deno.remove(`${project.folder}/go`);
  const stopping = project.ok<Action>(["stop"]);
  await project.when("web", (task) => task.state === "stopping" && task.manual);
  const starting = project.fails("E403", ["start", "web"]);
  await project.when("web", (task) => !task.manual);
  const final = project.ok<Action>(["stop", "web"]);
  await project.when("web", (task) => task.manual);
  await project.file("go", "");
  await Promise.all([stopping, final]);
  assert.match((await starting).error, /stopped by another command/);
  assert.equal((await project.task("web")).state, "stopped");
  assert.deepEqual(await project.linesOf("runs", 2), ["run", "run"]);
});

Deno.test("a kill of a task that is being stopped ends it at once", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "stubborn"
[tasks.web]
command = '''
trap 'echo INT >> signals' INT; trap '' TERM
echo up; while :; do sleep 0.05; done'''
ready_log = "up"
stop_grace_period = 60
`);
  await project.ok(["start"]);
  const begun = performance.now();
  const stop = project.ok<Action>(["stop"]);
  await until(async () => (await project.lines("signals")).includes("INT"));
  const killed = await project.ok<Action>(["kill", "web"]);
  assert.equal(killed.action, "killed");
  assert.equal((await stop).ok, true);
  assert(performance.now() - begun < 20_000);
  const task = await project.task("web");
  assert.equal(task.state, "stopped");
  assert.equal(task.exit_code, -9);
});

Deno.test("actions on one task do not wait for those on another", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "apart"
[tasks.stubborn]
command = '''
trap '' INT TERM; echo up; while :; do sleep 0.05; done'''
ready_log = "up"
stop_grace_period = 60
[tasks.other]
command = "exec sleep 1000"
`);
  await project.ok(["start"]);
  const stop = project.ok<Action>(["stop", "stubborn"]);
  await project.when("stubborn", "stopping");
  await project.ok(["restart", "other"]);
  await project.ok(["stop", "other"]);
  await project.ok(["start", "other"]);
  assert.equal((await project.task("stubborn")).state, "stopping");
  await project.ok(["kill", "stubborn"]);
  assert.equal((await stop).ok, true);
});

Deno.test("whatever commands meet, tasks end in a known state and no process is left", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "crowd"
[tasks.db]
command = "exec sleep 1000"
hooks = { before_start = "sleep 0.05", after_stop = "sleep 0.02" }
[tasks.api]
command = "echo up; trap 'sleep 0.1; exit 0' INT; while :; do sleep 0.02; done"
ready_log = "up"
depends_on = ["db"]
[tasks.web]
command = "exec sleep 1000 # $PORT"
health_check = "true"
depends_on = ["api"]
[tasks.flaky]
command = "sleep 0.1; exit 1"
restart_backoff = 1
max_restarts = 0
[tasks.once]
command = "sleep 0.05"
`);
  await project.ok(["daemon", "start"]);
  const random = randomFrom(7);
  const scope = { config: project.config };
  const codes = new Set<string>();
  const act = async (): Promise<void> => {
    const name = pick(["db", "api", "web", "flaky", "once"], random);
    const tasks = random() < 0.2 ? [] : [name];
    try {
      switch (pick(["start", "start", "stop", "restart", "kill"], random)) {
        case "start":
          await taskmux.call("task.start", { scope, tasks, timeout: 30 });
          break;
        case "stop":
          await taskmux.call("task.stop", { scope, tasks });
          break;
        case "restart":
          await taskmux.call("task.restart", { scope, tasks, timeout: 30 });
          break;
        case "kill":
          await taskmux.call("task.kill", { scope, tasks: [name] });
      }
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      codes.add(error.code);
    }
  };
  const callers = Array.from({ length: 12 }, async () => {
    for (let count = 0; count < 15; count++) await act();
  });
  await Promise.all(callers);
  // Neither mistakes of ours nor starts that nobody brings to an end.
  for (const code of codes) {
    assert.match(code, /^E(201|202|300|301|402|403)$/);
  }
  await project.run(["stop"]);
  const { tasks } = await project.status();
  assert.deepEqual(
    new Set(tasks.map(({ state }) => state)),
    new Set(["stopped"]),
  );
  assert.equal((await taskmux.processes()).length, 2, "daemon and keeper");
  assert.equal(
    (await project.ok<Action>(["start", "web", "--wait"])).state,
    "healthy",
  );
});
