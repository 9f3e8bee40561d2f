/**
 * What a task waits for before it starts.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Action, seqOf } from "../support/project.ts";
import { testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

Deno.test("each condition of a dependency means what it says", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "conditions"
[tasks.migrate]
command = "sleep 0.3; echo done > migrated"
[tasks.db]
command = "sleep 0.2; echo up; exec sleep 1000"
ready_log = "^up$"
[tasks.never_ready]
command = "exec sleep 1000"
health_check = "false"
[tasks.api]
command = "cat migrated > seen; exec sleep 1000"
depends_on = { db = "healthy", migrate = "completed", never_ready = "started" }
`);
  const started = await project.ok<Action>(["start", "api"]);
  assert.equal(started.state, "running");
  assert.equal(await project.read("seen"), "done\n");
  const events = await project.events();
  const up = seqOf(events, "task_started");
  assert(seqOf(events, "task_completed")["migrate"]! < up["api"]!);
  assert(seqOf(events, "task_healthy")["db"]! < up["api"]!);
  assert(up["never_ready"]! < up["api"]!);
  assert.equal((await project.task("migrate")).state, "completed");
  assert.equal((await project.task("never_ready")).state, "starting");

  // What has been done is not done again, until everything starts anew.
  await project.ok(["restart", "api"]);
  assert.equal((await project.events("migrate", "task_started")).length, 1);
  await project.ok(["stop"]);
  await project.ok(["start"]);
  assert.equal((await project.events("migrate", "task_started")).length, 2);
});

Deno.test("a failed dependency fails its dependents at once, however long the chain", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "chain"
[tasks.bad]
command = "echo broken; exit 7"
restart_policy = "no"
[tasks.second]
command = "exec sleep 1000"
depends_on = { bad = "completed" }
[tasks.third]
command = "exec sleep 1000"
depends_on = ["second"]
[tasks.apart]
command = "exec sleep 1000"
`);
  const all = await project.fails<Action>("E403", ["start"]);
  const codes = Object.fromEntries(
    all.results?.map(({ task, error_code }) => [task, error_code]) ?? [],
  );
  assert.deepEqual(codes, {
    bad: "E403",
    second: "E402",
    third: "E402",
    apart: undefined,
  });
  const second = await project.fails("E402", ["start", "second"]);
  assert.match(second.error, /"bad" is not completed.*exited with code 7/);
  assert.equal(second.hint, "taskmux logs bad");
  const third = await project.fails("E402", ["start", "third"]);
  assert.match(third.error, /"second" is not healthy/);
  assert.equal((await project.task("third")).state, "failed");
  assert.equal((await project.task("apart")).state, "running");
  const waited = await project.fails("E403", ["wait", "third"]);
  assert.match(waited.error, /cannot become healthy/);
});

Deno.test("a one-shot that was to be healthy is E402 with the condition to write instead", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "oneshot"
[tasks.migrate]
command = "true"
[tasks.api]
command = "exec sleep 1000"
depends_on = ["migrate"]
`);
  // What lives for a tenth of a second counts as up, and on a busy machine even this one may live so long.
  const failed = await until(async () => {
    const run = await project.run(["start", "api", "--json"]);
    if (run.code !== 0) return run.json();
    await project.ok(["stop"]);
    return null;
  });
  assert.equal(failed["error_code"], "E402");
  assert.equal(failed["hint"], 'depends_on = { migrate = "completed" }');
});

Deno.test("a dependency that never gets healthy does not hold its dependents for ever", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "forever"
[tasks.sick]
command = "echo run >> runs; exec sleep 1000"
health_check = "echo it hurts; false"
boot_grace = 0
health_interval = 0.1
health_retries = 2
max_restarts = 1
[tasks.api]
command = "exec sleep 1000"
depends_on = ["sick"]
[tasks.gloomy]
command = "exec sleep 1000"
health_check = "false"
restart_policy = "no"
boot_grace = 0
health_interval = 0.1
health_retries = 1
auto_start = false
[tasks.web]
command = "exec sleep 1000"
depends_on = ["gloomy"]
auto_start = false
`);
  const [api, web] = await Promise.all([
    project.fails("E402", ["start", "api"]),
    project.fails("E402", ["start", "web"]),
  ]);
  assert.match(api.error, /"sick" is not healthy: .*gave up after 1 restart/);
  assert.match(web.error, /"gloomy" is not healthy/);
  assert.deepEqual(await project.lines("runs"), ["run", "run"]);
  const sick = await project.task("sick");
  assert.equal(sick.state, "unhealthy", "what gave up is left running");
  assert.equal(sick.running, true);
  assert.equal((await project.task("api")).state, "failed");
});

Deno.test("a dependent waits through a crash of what it depends on", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "patience"
[tasks.flaky]
command = '''
if [ ! -e tried ]; then touch tried; exit 1; fi
echo up; exec sleep 1000'''
ready_log = "up"
[tasks.api]
command = "exec sleep 1000"
depends_on = ["flaky"]
`);
  const started = await project.ok<Action>(["start", "api"]);
  assert.equal(started.state, "running");
  assert.equal((await project.task("flaky")).restart_count, 1);
  // A crash later does not touch the dependent.
  const pid = await project.pid("api");
  Deno.kill(await project.pid("flaky"), "SIGKILL");
  await project.when("flaky", (task) => task.restart_count === 2);
  assert.equal(await project.pid("api"), pid);
});

Deno.test("a dependency that is up already is not touched, one in trouble is waited for", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "ready"
[tasks.db]
command = "exec sleep 1000"
health_check = "test -e ready"
[tasks.api]
command = "exec sleep 1000"
depends_on = ["db"]
`);
  await project.file("ready", "");
  await project.ok(["start", "db", "--wait"]);
  const pid = await project.pid("db");
  await project.ok(["start", "api"]);
  assert.equal(await project.pid("db"), pid);
  await project.ok(["stop", "api"]);
  assert.equal(await project.pid("db"), pid, "stop X stops only X");

  // Stopping what others depend on leaves those running: nobody asked for more.
  await project.ok(["start", "api"]);
  await project.ok(["stop", "db"]);
  assert.equal((await project.task("api")).state, "running");
});
