/**
 * `taskmux ensure`: tasks are up afterwards, whatever they were before.
 *
 * @module
 */

import assert from "node:assert/strict";
import { connect } from "../../src/client/client.ts";
import type { Result } from "../../src/contract/mod.ts";
import { killDaemon } from "../support/crashes.ts";
import { program } from "../support/project.ts";
import { startStranger } from "../support/stranger.ts";
import { testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

type Ensured = Result<"task.ensure">;

Deno.test("ensure starts what is down and tells where it is; what is up is left alone", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "ensured"
[tasks.web]
command = "${program("http_server.ts")}"
health_url = "http://127.0.0.1:$PORT/"
depends_on = { migrate = "completed" }
[tasks.worker]
command = "exec sleep 1000"
[tasks.migrate]
command = "echo ran >> runs"
`);
  const first = await project.ok<Ensured>(["ensure", "web"]);
  assert.deepEqual(
    [first.task, first.action, first.state],
    ["web", "started", "healthy"],
  );
  const { pid, port } = await project.task("web");
  assert.deepEqual([first.pid, first.port], [pid, port]);
  assert.equal(await (await fetch(first.url!)).text(), "ok");
  assert(first.age! >= 0 && first.age! < 60);
  assert(!("results" in first) && !("warnings" in first));

  const again = await project.ok<Ensured>(["ensure", "web"]);
  assert.deepEqual([again.action, again.pid], ["noop", pid]);
  assert(again.age! >= first.age!);
  const several = await project.ok<Ensured>([
    "ensure",
    "worker",
    "web",
    "migrate",
  ]);
  assert.deepEqual(
    several.results?.map(({ task, action, state }) =>
      `${task} ${action} ${state}`
    ),
    ["worker started running", "web noop healthy", "migrate noop completed"],
  );
  assert.deepEqual(await project.lines("runs"), ["ran"]);

  const text = await project.run(["ensure", "web", "migrate"]);
  assert.match(
    text.stdout,
    /^Already running: task "web" \(healthy, pid \d+, http:\/\/\S+, up \S+\)\nAlready completed: task "migrate" \(completed\)\n$/,
  );
  assert.equal(text.stderr, "");

  // It runs with something else than what a start would bring now.
  await project.replace(
    (await project.read("taskmux.toml"))!.replace("sleep 1000", "sleep 2000"),
  );
  const changed = await project.ok<Ensured>(["ensure", "worker"], {
    env: { DATABASE_URL: "postgres://secret" },
  });
  assert.equal(changed.action, "noop");
  assert.equal(changed.warnings?.length, 2);
  assert.match(
    changed.warnings![0]!,
    /older definition; "taskmux restart worker"/,
  );
  assert.match(
    changed.warnings![1]!,
    /another environment than this shell's: DATABASE_URL;/,
  );
  assert(!JSON.stringify(changed).includes("secret"));
});

Deno.test("ensure says at once or in time why a task cannot be had", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "cannot"
[tasks.bad]
command = "echo 'Error: no such host'; exit 5"
restart_policy = "no"
[tasks.slow]
command = "echo loading; exec sleep 1000"
health_check = "test -e ready"
[tasks.up]
command = "exec sleep 1000"
[tasks.needs]
command = "exec sleep 1000"
depends_on = ["bad"]
[tasks.crashes]
command = "test -e fixed || exit 3; exec sleep 1000"
restart_backoff = 60
`);
  const bad = await project.fails("E403", ["ensure", "bad"]);
  assert.equal(bad.hint, "taskmux why bad");
  assert.equal(bad.details?.["output_tail"], "Error: no such host");
  assert.deepEqual([bad.details?.["action"], bad.details?.["state"]], [
    "started",
    "failed",
  ]);
  await project.fails("E402", ["ensure", "needs"]);

  const slow = project.fails<{ results: Ensured[] }>("E602", [
    "ensure",
    "up",
    "slow",
    "--timeout",
    "1",
  ]);
  assert.match(
    (await slow).error,
    /^Not healthy after 1 s: slow is starting/,
  );
  assert.deepEqual((await slow).results.map(({ ok }) => ok), [true, false]);
  const late = await project.run(["ensure", "slow", "--timeout", "0.3"]);
  assert.equal(late.code, 124);
  assert.match(late.stderr, /\| loading\nhint: taskmux why slow/);
  const waiting = project.ok<Ensured>(["ensure", "slow"]);
  await project.file("ready", "");
  assert.equal((await waiting).action, "noop");

  await project.when("crashes", "stopped");
  await project.run(["start", "crashes"]);
  await project.when("crashes", "backoff");
  await project.file("fixed", "");
  const crashed = await project.ok<Ensured>(["ensure", "crashes"]);
  assert.deepEqual([crashed.action, crashed.state], ["started", "running"]);

  await project.fails("E200", ["ensure", "no"]);
  await project.fails("E500", ["ensure"]);
  await project.fails("E500", ["ensure", "up", "--for", "stopped"]);
  await project.fails("E500", ["ensure", "up", "--for", "event:task_started"]);
  const line = await project.ok<Ensured>([
    "ensure",
    "slow",
    "--for",
    "log:/LOAD/i",
  ]);
  assert.equal(line["line"], "loading");
});

Deno.test("ensure says that a task has ended lately, though it is up now", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "flaky"
[tasks.flaky]
command = "[ -e been ] && exec sleep 1000; touch been; exit 3"
[tasks.rests]
command = "exit 4"
restart_backoff = 60
[tasks.well]
command = "exec sleep 1000"
`);
  await project.run(["start"]);
  await until(async () => {
    const { state, restart_count } = await project.task("flaky");
    return state === "running" && restart_count === 1;
  });
  await project.when("rests", "backoff");
  const late = await project.run(["wait", "rests", "--timeout", "0.2"]);
  assert.match(late.stderr, /: rests is in backoff \(exited with code 4\)$/m);
  const { warnings } = await project.ok<Ensured>(["ensure", "well", "flaky"]);
  assert.deepEqual(warnings, [
    'Task "flaky" was restarted 1 time lately; "taskmux why flaky" tells why',
  ]);
});

Deno.test("a hundred that ensure a task at once get one process", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "crowd"
[tasks.web]
command = "echo begun >> runs; exec sleep 1000"
[tasks.other]
command = "true"
`);
  await project.ok(["ensure", "other"]);
  const clients = await Promise.all(Array.from(
    { length: 100 },
    () => connect(taskmux.home.paths.daemonSocket),
  ));
  const scope = { config: project.config };
  const answers = await Promise.all(
    clients.map((client) =>
      client!.call("task.ensure", { scope, tasks: ["web"] })
    ),
  );
  await Promise.all(clients.map((client) => client?.close()));
  const pid = await project.pid("web");
  assert.deepEqual(
    new Set(answers.map((answer) => answer.pid)),
    new Set([pid]),
  );
  assert.deepEqual(await project.linesOf("runs", 1), ["begun"]);
});

Deno.test("ensure goes on when the daemon is killed", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "killed"
[tasks.web]
command = "echo begun >> runs; exec sleep 1000"
health_check = "test -e ready"
`);
  const ensuring = project.ok<Ensured>(["ensure", "web"]);
  await until(async () => (await project.lines("runs")).length > 0);
  // On a busy machine it prints before the daemon is told that it has begun.
  const { pid } = await project.when(
    "web",
    (task) => task.state === "starting" && task.pid !== null,
  );
  await killDaemon(taskmux);
  await project.file("ready", "");
  assert.deepEqual([(await ensuring).pid, (await ensuring).state], [
    pid,
    "healthy",
  ]);
});

Deno.test("start and ensure say that a port has moved, and why", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "moved"
[tasks.web]
command = "exec sleep 1000 # $PORT"
`);
  for (
    const words of [["start", "web"], ["ensure", "web", "--for", "started"]]
  ) {
    const { port } = await project.ok<Ensured>(words);
    await project.ok(["stop", "web"]);
    await using stranger = await startStranger("hold_port.ts", String(port));
    const moved = await project.ok<Ensured>(words);
    assert.notEqual(moved.port, port);
    const [warning = "", ...others] = moved.warnings ?? [];
    assert(warning.startsWith(`Port ${port} of task "web" is taken by "`));
    assert(warning.endsWith(`" (pid ${stranger.pid}); it uses ${moved.port}`));
    assert.deepEqual(others, []);
    await project.ok(["stop", "web"]);
  }
});
