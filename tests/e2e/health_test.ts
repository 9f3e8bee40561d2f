/**
 * What taskmux knows about the health of a task, and what it does about it.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { type Action, program } from "../support/project.ts";
import { testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

type Health = Result<"task.health">;

const SERVER = program("http_server.ts");

/** One task for each kind of probe. */
const PROBES = `
name = "probes"
[tasks.url]
command = "${SERVER}"
cwd = "url"
health_url = "http://127.0.0.1:$PORT/health"
health_expected_status = 404
health_expected_body = "v[0-9]+ ready"
[tasks.shell]
command = "exec sleep 1000"
health_check = 'test "$PORT" -gt 1023 && test "$GREETING" = hello && test -e ready'
cwd = "sub"
env = { GREETING = "hello" }
[tasks.log]
command = "echo starting; until [ -e go ]; do sleep 0.02; done; echo 'Ready in 3 ms'; exec sleep 1000"
ready_log = "ready in \\\\d+ ms"
[tasks.log_case]
command = "echo 'Ready in 3 ms'; exec sleep 1000"
ready_log = "Ready in \\\\d+ ms"
[tasks.tcp]
command = "until [ -e go ]; do sleep 0.02; done; ${SERVER}"
host = "web"
[tasks.proc]
command = "exec sleep 1000"
[tasks.down]
command = "exec sleep 1000"
auto_start = false
[tasks.seed]
command = "true"
`;

// A status of 400 or more could never be expected in the original, and probes did not get $PORT (defect 27).
Deno.test("every kind of probe finds its evidence, and tells what is missing", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROBES);
  await Deno.mkdir(`${project.folder}/sub`);
  await Deno.mkdir(`${project.folder}/url`);
  await project.file("url/status", "503");
  await project.file("url/body", "v12 ready");
  await project.ok(["start"]);
  await project.ok(["wait", "seed", "--for", "completed"]);

  const before = await project.ok<Health>(["health"]);
  // A one-shot that has done its work is neither healthy nor unhealthy.
  assert.equal(before.total_count, 7);
  assert.equal(before.completed_count, 1);
  const told = Object.fromEntries(
    before.tasks.map((each) => [each.name, each]),
  );
  assert.equal(told["url"]?.healthy, false);
  assert.equal(told["shell"]?.healthy, false);
  assert.match(told["shell"]?.reason ?? "", /exit(ed)?.*1/);
  assert.equal(told["log"]?.healthy, false);
  assert.equal(told["tcp"]?.healthy, false);
  assert.equal(told["seed"]?.healthy, null);
  assert.equal(told["down"]?.healthy, false);
  assert.equal(told["down"]?.reason, "process not running");
  for (const name of ["url", "shell", "log", "tcp"]) {
    assert.equal((await project.task(name)).state, "starting", name);
  }

  await project.file("url/status", "404");
  await project.file("sub/ready", "");
  await project.file("go", "");
  const methods = {
    url: "http",
    shell: "shell",
    log_case: "log",
    tcp: "tcp",
    proc: "proc",
  };
  for (const [name, method] of Object.entries(methods)) {
    const task = await project.when(name, (task) => task.healthy);
    assert.equal(task.last_health?.method, method);
    assert.equal(task.state, name === "proc" ? "running" : "healthy");
  }
  const after = await project.ok<Health>(["health", "url", "proc"]);
  assert.deepEqual(
    after.tasks.map(({ name, healthy }) => `${name} ${healthy}`),
    ["url true", "proc true"],
  );
  assert.equal(after.healthy_count, 2);

  await project.file("url/body", "something else");
  const wrong = await project.ok<Health>(["health", "url"]);
  assert.equal(wrong.healthy_count, 0);
  const url = await project.ok<Result<"task.inspect">>(["inspect", "url"]);
  assert.equal(url.last_health?.output, "something else");
  assert.match(wrong.tasks[0]?.reason ?? "", /body/);
});

Deno.test("a task that stops answering is restarted after its retries, and told so", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "sick"
[tasks.web]
command = "echo run >> runs; rm -f silent; ${SERVER}"
health_url = "http://localhost:$PORT/"
health_interval = 0.1
health_timeout = 0.2
health_retries = 3
`);
  await project.ok(["start", "--wait"]);
  const { pid } = await project.task("web");
  await project.file("silent", "");
  const unhealthy = await project.whenEvent("task_unhealthy", "web");
  assert.equal(unhealthy["method"], "http");
  const again = await project.when(
    "web",
    (task) => task.state === "healthy" && task.pid !== pid,
  );
  assert.equal(again.restart_count, 1);
  const types = await project.history("web");
  assert.deepEqual(types, [
    "task_started",
    "task_healthy",
    "health_check_failed",
    "health_check_failed",
    "health_check_failed",
    "task_unhealthy",
    "auto_restart",
    "task_exited",
    "task_restarted",
    "task_healthy",
  ]);
  const [restart] = await project.events("web", "auto_restart");
  assert.equal(restart?.["reason"], "health_retries_exceeded");
});

// Three failed probes restarted a slow starter within its boot_grace in the original (defect 10).
Deno.test("boot_grace protects a slow starter, and only it", async () => {
  await using taskmux = await testTaskmux();
  const settings = `
health_interval = 0.1
health_retries = 1
max_restarts = 1`;
  const project = await taskmux.project(`
name = "grace"
[tasks.slow]
command = "exec sleep 1000"
health_check = "echo probe >> probes; test -e ready"
boot_grace = 60
${settings}
[tasks.hasty]
command = "exec sleep 1000"
health_check = "false"
boot_grace = 0.1
${settings}
`);
  await project.ok(["start"]);
  await project.when("hasty", (task) => task.state === "unhealthy");
  assert.match(
    (await project.task("hasty")).reason ?? "",
    /gave up after 1 restart/,
  );
  await until(async () => (await project.lines("probes")).length >= 4);
  const slow = await project.task("slow");
  assert.equal(slow.state, "starting");
  assert.equal(slow.healthy, false);
  await project.file("ready", "");
  await project.when("slow", "healthy");
  assert.deepEqual(await project.history("slow"), [
    "task_started",
    "task_healthy",
  ]);
});

// An answer from anybody counted as health of a dead process in the original (defect 9).
Deno.test("a dead process is restarted although its probe answers", async () => {
  await using server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
  }, () => new Response("ok"));
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "ghost"
[tasks.web]
command = "exec sleep 1000"
health_url = "http://127.0.0.1:${server.addr.port}/"
[tasks.other]
command = "exec sleep 1000"
health_check = "true"
restart_policy = "no"
`);
  await project.ok(["start", "--wait"]);
  const pid = await project.pid("web");
  Deno.kill(pid, "SIGKILL");
  Deno.kill(await project.pid("other"), "SIGKILL");
  await project.when("web", (task) => task.healthy && task.pid !== pid);
  await project.when("other", "failed");
  const health = await project.ok<Health>(["health", "other"]);
  assert.equal(health.tasks[0]?.healthy, false);
});

// Probes and hooks ran on the event loop of the original (defect 24).
Deno.test("a slow probe, a slow hook and a silent server delay nobody else", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "slow"
[tasks.probe]
command = "exec sleep 1000"
health_check = "touch probing; sleep 30"
health_timeout = 30
[tasks.server]
command = "touch silent; ${SERVER}"
health_url = "http://127.0.0.1:$PORT/"
health_timeout = 30
[tasks.hook]
command = "exec sleep 1000"
hooks = { before_start = "touch hooking; sleep 20" }
[tasks.web]
command = "exec sleep 1000"
auto_start = false
`);
  const start = project.run(["start"]);
  await until(() => project.read("probing"));
  await until(() => project.read("hooking"));
  await project.when("server", (task) => task.running);

  const begun = performance.now();
  const { tasks } = await project.status();
  const statusMs = performance.now() - begun;
  assert(statusMs < 1_000, `status took ${statusMs} ms`);
  assert.equal(tasks.find(({ name }) => name === "hook")?.state, "starting");
  await project.ok<Action>(["start", "web"]);
  await project.ok<Action>(["restart", "web"]);
  await project.ok<Action>(["stop", "web"]);
  const passedMs = performance.now() - begun;
  assert(passedMs < 15_000, `three commands took ${passedMs} ms`);
  assert.equal((await project.task("hook")).state, "starting");

  // A stop does not wait for the hook or the probe either.
  await project.ok(["kill", "hook", "probe", "server"]);
  assert.equal((await start).code, 1);
  assert(performance.now() - begun < 20_000);
});
