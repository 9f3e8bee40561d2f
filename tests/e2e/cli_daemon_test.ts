/**
 * What the CLI itself owes to its user around a daemon: starting, replacing, ending and surviving it, and Ctrl-C.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isRunning } from "../support/process_state.ts";
import { killIfThere, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

const PROJECT = `
name = "shop"
[tasks.web]
command = "echo hello; exec sleep 1000"
[tasks.gate]
command = "exec sleep 1000"
health_check = "test -e open"
auto_start = false
`;

/** What a process prints, line by line as they are asked for. */
function linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncIterator<string> {
  return (async function* () {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  })();
}

Deno.test("Ctrl-C during start ends the waiting with 130, not the tasks", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  await project.ok(["start", "web"]);
  const child = project.spawn(["start", "gate", "--wait", "--json"]);
  const output = child.output();
  await project.when("gate", "starting");
  child.kill("SIGINT");
  const { code, stdout } = await output;
  assert.equal(code, 130);
  const answer = JSON.parse(new TextDecoder().decode(stdout));
  assert.equal(answer.error_code, "E603");
  assert.equal((await project.task("gate")).running, true);
  await Deno.writeTextFile(`${project.folder}/open`, "");
  await project.when("gate", "healthy");
});

Deno.test("the daemon in the foreground takes everything down on SIGTERM", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  const daemon = taskmux.spawn(["daemon", "--json"]);
  const ended = new AbortController();
  const output = daemon.output().finally(() =>
    ended.abort(new Error("The daemon has ended"))
  );
  const { signal } = ended;
  const pid = await until(() => taskmux.daemonPid(), { signal });
  await project.ok(["start"]);
  const task = await project.pid("web");
  const second = await taskmux.fails("E301", ["daemon"]);
  assert.deepEqual(second.details, { pid });
  daemon.kill("SIGTERM");
  const { code, stdout } = await output;
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), {
    ok: true,
    pid,
    action: "exited",
    exit_code: 0,
  });
  assert.equal(await isRunning(task), false);
});

Deno.test("daemon start, pid, status, restart and stop tell the truth", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  const started = await taskmux.ok(["daemon", "start"]);
  assert.equal(started["action"], "started");
  const again = await taskmux.ok(["daemon", "start"]);
  assert.deepEqual(again, { ...started, action: "already_running" });
  assert.equal((await taskmux.ok(["daemon", "pid"]))["pid"], started["pid"]);
  await project.ok(["start"]);
  const task = await project.pid("web");
  const restarted = await taskmux.ok(["daemon", "restart"]);
  assert.equal(restarted["old_pid"], started["pid"]);
  assert.notEqual(restarted["pid"], started["pid"]);
  assert.equal(await isRunning(Number(started["pid"])), false);
  assert.equal(await project.pid("web"), task);
  const status = await taskmux.ok(["daemon", "status"]);
  assert.deepEqual(
    [status["running"], status["pid"], status["running_tasks"]],
    [true, restarted["pid"], 1],
  );
  const stopped = await taskmux.ok(["daemon", "stop"]);
  assert.deepEqual(stopped, {
    ok: true,
    pid: restarted["pid"],
    action: "stopped",
    stopped: ["shop/web"],
  });
  assert.equal(await isRunning(Number(restarted["pid"])), false);
  assert.equal(await isRunning(task), false);
  await taskmux.fails("E600", ["daemon", "stop"]);
});

Deno.test("daemon stop waits no longer than it was told, and kills nobody", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "slow"
[tasks.stubborn]
command = "trap 'test -e open && exit 0' INT; echo up; while :; do sleep 0.05; done"
ready_log = "up"
stop_grace_period = 600
`);
  await project.ok(["start"]);
  const pid = await project.pid("stubborn");
  const late = await taskmux.fails("E602", [
    "daemon",
    "stop",
    "--timeout",
    "0.2",
  ]);
  assert.match(late.error, /within 0\.2 s/);
  assert.equal(await isRunning(pid), true);
  killIfThere(pid);
});

Deno.test("without its daemon a task is told as running and unwatched, and can be stopped", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"]);
  const task = await project.pid("web");
  const daemon = Number((await taskmux.ok(["daemon", "pid"]))["pid"]);
  Deno.kill(daemon, "SIGKILL");
  await until(async () => !await isRunning(daemon));

  const run = await project.run(["status"]);
  assert.equal(run.code, 0);
  assert.match(run.stdout, /web: nobody watches over it/);
  assert.match(run.stderr, /^Warning: 1 task runs without a daemon/);
  assert.equal(await taskmux.daemonPid(), null, "status starts no daemon");

  const stopped = await project.ok(["stop", "web"]);
  assert.equal(stopped["action"], "stopped");
  assert.equal(await isRunning(task), false);
});

Deno.test("daemon stop ends what a crashed daemon left behind", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"]);
  const task = await project.pid("web");
  const daemon = Number((await taskmux.ok(["daemon", "pid"]))["pid"]);
  Deno.kill(daemon, "SIGKILL");
  await until(async () => !await isRunning(daemon));
  const stopped = await taskmux.ok(["daemon", "stop"]);
  assert.deepEqual(stopped["stopped"], ["shop/web"]);
  assert.equal(await isRunning(task), false);
});

Deno.test("logs -f goes on through a restart of the daemon", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "talk"
[tasks.web]
command = "echo one; until [ -e open ]; do sleep 0.02; done; echo two; exec sleep 1000"
`);
  await project.ok(["start"]);
  const follower = project.spawn(["logs", "-f", "web", "--json"]);
  const lines = linesOf(follower.stdout);
  const next = async (): Promise<Record<string, unknown>> =>
    JSON.parse((await lines.next()).value);
  assert.equal((await next())["text"], "one");
  await taskmux.ok(["daemon", "restart"]);
  await Deno.writeTextFile(`${project.folder}/open`, "");
  const { task, text } = await next();
  assert.deepEqual([task, text], ["web", "two"]);
  follower.kill("SIGINT");
  await lines.return?.();
  await follower.stderr.cancel();
  assert.equal((await follower.status).code, 130);
});

Deno.test("remove stops the task first, and only if it can be removed", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(
    `${PROJECT}[tasks.api]\ncommand = "exec sleep 1000"\ndepends_on = ["web"]\n`,
  );
  await project.ok(["start"]);
  const [web, api] = [await project.pid("web"), await project.pid("api")];
  const refused = await project.fails("E210", ["remove", "web"]);
  assert.deepEqual(refused.details, { task: "web", dependents: ["api"] });
  assert.equal(await isRunning(web), true);
  const removed = await project.ok(["remove", "api"]);
  assert.equal(removed["stopped"], true);
  assert.equal(await isRunning(api), false);
  assert.equal(await isRunning(web), true);
  const { tasks } = await project.status();
  assert.deepEqual(tasks.map(({ name }) => name), ["web", "gate"]);
});

Deno.test("watch tells each reload and each mistake", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  const watcher = project.spawn(["watch"]);
  const [notes, events] = [linesOf(watcher.stderr), linesOf(watcher.stdout)];
  assert.match((await notes.next()).value, /^Watching .* \(Ctrl-C ends\)$/);
  await project.write(`${PROJECT}[tasks.x`);
  assert.match((await events.next()).value, / config_error \(E101, /);
  await project.write(`${PROJECT}[tasks.x]\ncommand = "true"\n`);
  assert.match((await events.next()).value, / config_reloaded \(added x/);
  watcher.kill("SIGINT");
  await events.return?.();
  await notes.return?.();
  assert.equal((await watcher.status).code, 130);
});

Deno.test("answers for people name tasks, states and what to type next", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  const started = await project.run(["start"]);
  assert.match(
    started.stdout,
    /^Started task "web" \(running, pid \d+\)\nStarted session "shop" with 1 task\n$/,
  );
  assert.equal(started.stderr, "");
  const again = await project.run(["start", "web"]);
  assert.equal(again.code, 5);
  assert.equal(again.stdout, "");
  assert.match(
    again.stderr,
    /^Error \[E201\]: .*\nhint: taskmux restart web\n$/,
  );
  const status = await project.run(["status"]);
  assert.match(status.stdout, /^Session "shop": running, 1 of 2 tasks active/);
  assert.match(status.stdout, /^ {2}Running {2}web /m);
  assert.match(status.stdout, /^ {2}Stopped {2}gate .* manual$/m);
  const list = await taskmux.run(["daemon", "list"]);
  assert.match(list.stdout, /^ {2}shop {5}ok {5}1 {8}2 /m);
  const stopped = await project.run(["stop"]);
  assert.match(stopped.stdout, /^Stopped task "web"\nStopped session "shop"/);
});
