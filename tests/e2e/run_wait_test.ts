/**
 * Ad-hoc tasks, and waiting for any task.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { type Action, program } from "../support/project.ts";
import { type Json, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

type Waited = Result<"task.wait">;

Deno.test("run starts a command that is in no file, like any other task", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(
    `name = "adhoc"\n[tasks]\nweb = "exec sleep 1000"\n`,
  );
  await Deno.mkdir(`${project.folder}/sub dir`);
  const options = { cwd: `${project.folder}/sub dir`, env: { WHO: "me" } };
  const started = await project.ok<Action>(
    ["run", "shell", "--", "pwd; echo $WHO | tr a-z A-Z; exec sleep 1000"],
    options,
  );
  assert.equal(started.action, "started");
  assert.equal(started.task, "shell");
  await until(async () => (await project.log("shell")).length === 2);
  assert.deepEqual(await project.log("shell"), [
    `${project.folder}/sub dir`,
    "ME",
  ]);
  // Several words are taken as they are.
  await project.run(["run", "words", "--", "printf", "%s|", "a b", "$WHO"]);
  await project.ok(["wait", "words", "--for", "completed"]);
  assert.deepEqual(await project.log("words"), ["a b|$WHO|"]);

  await project.fails("E201", ["run", "shell", "--", "true"]);
  await project.fails("E102", ["run", "web", "--", "true"]);
  await project.fails("E102", ["run", "no/name", "--", "true"]);
  await project.fails("E500", ["run", "empty"]);

  const failed = await project.fails("E403", ["run", "bad", "--", "exit 3"]);
  assert.equal(failed.details?.["exit_code"], 3);
  assert.equal((await project.task("bad")).restart_count, 0);
  const { tasks } = await project.status();
  assert.deepEqual(tasks.map(({ name }) => name), [
    "web",
    "shell",
    "words",
    "bad",
  ]);
  const all = await project.ok<Action>(["start"]);
  assert.deepEqual(all.tasks, ["web"], "start means the file's tasks");

  const pid = await project.pid("shell");
  await taskmux.ok(["daemon", "restart"]);
  assert.equal(await project.pid("shell"), pid);
  const inspected = await project.ok<Json>(["inspect", "shell"]);
  assert.equal(inspected["ad_hoc"], true);
  await project.ok(["restart", "shell"]);
  assert.notEqual(await project.pid("shell"), pid);
  await project.ok(["stop", "shell"]);
  await project.ok(["run", "shell", "--", "exec sleep 2000"]);
  assert.equal((await project.task("shell")).command, "exec sleep 2000");
});

Deno.test("wait returns when its condition holds", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "waiting"
[tasks.web]
command = "until [ -e go ]; do sleep 0.02; done; ${program("http_server.ts")}"
health_url = "http://127.0.0.1:$PORT/"
[tasks.worker]
command = "until [ -e go ]; do sleep 0.02; done; echo 'Job 17 done'; exec sleep 1000"
[tasks.migrate]
command = "until [ -e go ]; do sleep 0.02; done; echo at version 7"
`);
  await project.ok(["start"]);
  const waits = [
    ["wait", "web"],
    ["wait", "web", "worker", "--for", "healthy"],
    ["wait", "web", "--for", "port"],
    ["wait", "worker", "--for", "log:/job \\d+/i"],
    ["wait", "migrate", "--for", "completed"],
    ["wait", "migrate", "--for", "stopped", "--timeout", "20"],
  ].map((args) => project.ok<Waited>(args));
  const running = await project.ok<Waited>(["wait", "web", "--for", "running"]);
  assert.equal(running.tasks[0]?.task, "web");
  assert.equal(typeof running.waited, "number");
  await project.file("go", "");
  const [healthy, , port, log] = await Promise.all(waits);
  assert.equal(healthy?.tasks[0]?.state, "healthy");
  assert.equal(port?.tasks[0]?.port, (await project.task("web")).port);
  assert.equal(log?.for, "log:/job \\d+/i");
  // What has been printed counts as well.
  await project.ok(["wait", "worker", "--for", "log:/Job/"]);
  await project.ok(["wait", "migrate", "--for", "log:/VERSION 7/i"]);
  await project.fails("E403", ["wait", "migrate", "--for", "log:/VERSION 7/"]);
  const stop = project.ok(["wait", "web", "worker", "--for", "stopped"]);
  await project.ok(["stop"]);
  await stop;
});

Deno.test("wait returns at once when its condition cannot hold any more, with the last output", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "hopeless"
[tasks.bad]
command = "until [ -e go ]; do sleep 0.02; done; echo connecting; echo no such host >&2; exit 5"
restart_policy = "no"
[tasks.done]
command = "true"
[tasks.down]
command = "exec sleep 1000"
auto_start = false
[tasks.up]
command = "exec sleep 1000"
[tasks.sick]
command = "exec sleep 1000"
health_check = "false"
restart_policy = "no"
boot_grace = 0
health_interval = 0.05
health_retries = 1
`);
  await project.ok(["start"]);
  const begun = performance.now();
  const waiting = [
    project.fails("E403", ["wait", "bad", "up", "--for", "completed"]),
    project.fails("E403", ["wait", "bad", "--for", "log:/connected/"]),
  ];
  await project.file("go", "");
  const [bad] = await Promise.all(waiting);
  assert.equal(
    bad!.error,
    "Task 'bad' cannot become completed: it is failed (exited with code 5)",
  );
  assert.equal(bad!.details?.["output_tail"], "connecting\nno such host");
  assert.equal(bad!.hint, "taskmux why bad");

  await project.fails("E403", ["wait", "bad"]);
  await project.fails("E403", ["wait", "done", "--for", "running"]);
  const down = await project.fails("E202", ["wait", "down"]);
  assert.equal(down.hint, "taskmux start down");
  const sick = await project.fails("E403", ["wait", "sick"]);
  assert.match(sick.error, /unhealthy/);
  await project.ok(["wait", "down", "--for", "stopped"]);
  await project.fails("E500", ["wait", "up", "--for", "port"]);
  await project.fails("E500", ["wait", "up", "--for", "happiness"]);
  await project.fails("E500", ["wait", "up", "--for", "log:/(/"]);
  await project.fails("E500", ["wait", "up", "--timeout", "0"]);
  await project.fails("E500", ["wait"]);

  const late = await project.fails("E602", [
    "wait",
    "up",
    "--for",
    "completed",
    "--timeout",
    "0.3",
  ]);
  assert.match(late.error, /after 0\.3 s: up is running/);
  assert(performance.now() - begun < 20_000);
});

Deno.test("wait says what did not come, and what to wait for instead", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "words"
[tasks.done]
command = "printf 'one\\\\n\\\\n\\\\n\\\\ntwo\\\\n'"
[tasks.up]
command = "exec sleep 1000"
`);
  await project.ok(["start"]);
  await project.when("done", "completed");
  const done = await project.fails("E403", ["wait", "done"]);
  assert.equal(done.hint, "taskmux wait done --for completed");
  assert.equal(done.details?.["output_tail"], "one\ntwo");
  const unsaid = await project.fails("E403", [
    ...["wait", "done", "--for", "log:/three/"],
  ]);
  assert.match(
    unsaid.error,
    /^Task 'done' cannot print \/three\/ any more: it/,
  );
  const unmatched = await project.fails("E602", [
    ...["wait", "up", "--for", "log:/listening/i", "--timeout", "0.3"],
  ]);
  assert.match(unmatched.error, /^No line matched \/listening\/i after 0\.3 s/);
});

Deno.test("wait goes on through restarts", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "through"
[tasks.flaky]
command = "if [ -e tried ]; then echo fine; exec sleep 1000; fi; touch tried; sleep 0.2; exit 1"
ready_log = "fine"
`);
  const [start] = await Promise.all([
    project.run(["start", "--wait", "--json"]),
    until(() => project.read("tried")),
  ]);
  assert.equal(start.code, 0, start.stdout);
  await project.ok(["wait", "flaky", "--for", "log:/fine/"]);
  assert.equal((await project.task("flaky")).restart_count, 1);
});
