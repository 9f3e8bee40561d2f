/**
 * The daemon as its user sees it: started, stopped, replaced, killed.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { isRunning } from "../support/process_state.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { Store } from "../../src/store/store.ts";
import { type Action, seqOf, type Status } from "../support/project.ts";
import { type Json, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

type DaemonStatus = Result<"daemon.status">;
type ProjectList = Result<"project.list">;

const WEB = `name = "web"
[tasks.db]
command = "exec sleep 1000"
[tasks.web]
command = "exec sleep 1000"
depends_on = ["db"]
health_check = "true"
`;

Deno.test("daemon commands tell and do what they say", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(WEB);
  const started = await taskmux.ok<Json>(["daemon", "start"]);
  assert.equal(started["action"], "started");
  const again = await taskmux.ok<Json>(["daemon", "start"]);
  assert.equal(again["action"], "already_running");
  assert.equal(again["pid"], started["pid"]);
  const pid = await taskmux.ok<Json>(["daemon", "pid"]);
  assert.equal(pid["pid"], started["pid"]);

  const registered = await project.ok<Result<"project.register">>([
    "daemon",
    "register",
  ]);
  assert.equal(registered.entry.session, "web");
  await project.ok(["start"]);
  const list = await taskmux.ok<ProjectList>(["daemon", "list"]);
  assert.deepEqual(
    list.projects.map(({ session, state, running_count, config_path }) => ({
      session,
      state,
      running_count,
      config_path,
    })),
    [{
      session: "web",
      state: "ok",
      running_count: 2,
      config_path: project.config,
    }],
  );
  const status = await taskmux.ok<DaemonStatus>(["daemon", "status"]);
  assert.equal(status.pid, started["pid"]);
  assert.equal(status.running_tasks, 2);
  assert.equal(status.registered_projects, 1);
  assert.deepEqual(status.warnings, []);
  assert.equal(status.is_root, Deno.uid() === 0);

  // Tasks of a project that was unregistered ran on in the original (defect 14).
  const pids = [await project.pid("db"), await project.pid("web")];
  const gone = await taskmux.ok<Result<"project.unregister">>([
    "daemon",
    "unregister",
    "web",
  ]);
  assert.deepEqual(gone.stopped.toSorted(), ["db", "web"]);
  for (const each of pids) assert(!await isRunning(each));
  await taskmux.fails("E303", ["daemon", "unregister", "web"]);
  assert.deepEqual(
    (await taskmux.ok<ProjectList>(["daemon", "list"])).projects,
    [],
  );

  const stopped = await taskmux.ok<Json>(["daemon", "stop"]);
  assert.equal(stopped["pid"], started["pid"]);
  await taskmux.fails("E600", ["daemon", "stop"]);
  await taskmux.fails("E600", ["daemon", "pid"]);
  const down = await taskmux.ok<DaemonStatus>(["daemon", "status"]);
  assert.equal(down.running, false);
  assert.equal(await taskmux.daemonPid(), null);
});

Deno.test("daemon restart keeps tasks, their logs and their history", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`${WEB}
[tasks.talk]
command = "touch in; exec tail -n +1 -f in"
`);
  await project.ok(["start"]);
  await project.ok(["stop", "db"]);
  const before = await project.status();
  const restarted = await taskmux.ok<Json>(["daemon", "restart"]);
  assert.notEqual(restarted["pid"], restarted["old_pid"]);
  const after = await project.status();
  assert.deepEqual(
    after.tasks.map(({ pid }) => pid),
    before.tasks.map(({ pid }) => pid),
  );
  await project.file("in", "said\n");
  await until(async () => (await project.log("talk")).includes("said"));
  await project.when("web", "healthy");
  const db = await project.task("db");
  assert.equal(db.state, "stopped", "what was stopped by hand stays down");
  assert.equal(db.manual, true);

  // Supervision goes on as well.
  const pid = await project.pid("web");
  Deno.kill(pid, "SIGKILL");
  await project.when("web", (task) => task.healthy && task.pid !== pid);
  assert.equal((await project.task("web")).restart_count, 1);
  await taskmux.ok(["daemon", "restart"]);
  assert.equal((await project.task("web")).restart_count, 1, "counts stay");
});

// The line of a ready_log was asked for once more after a restart of the daemon, and a task was restarted for lacking it.
Deno.test("what a task has printed once stays known, however much it prints after it", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "talkative"
[tasks.web]
command = '''
echo Ready; until [ -e go ]; do sleep 0.02; done
seq 1 100000; echo over; exec sleep 1000'''
ready_log = "^Ready"
boot_grace = 0
health_interval = 0.1
health_retries = 1
[tasks.at_once]
command = "echo Ready; seq 1 100000; exec sleep 1000"
ready_log = "^Ready"
[tasks.other]
command = "exec sleep 1000"
health_check = "echo probe >> probes"
health_interval = 0.1
`);
  await project.ok(["start", "--wait"]);
  // Its line was out of sight before anybody looked; who missed it gave up after 40 s and began anew.
  assert.equal((await project.task("at_once")).restart_count, 0);
  const pid = await project.pid("web");
  await project.file("go", "");
  await project.ok(["wait", "web", "--for", "log:/^over$/"]);
  await project.ok(["wait", "web", "--for", "log:/^ready/i"]);
  await taskmux.ok(["daemon", "restart"]);
  const web = await project.when("web", "healthy");
  assert.equal(web.pid, pid);
  const probes = (await project.lines("probes")).length;
  await until(async () => (await project.lines("probes")).length > probes + 4);
  assert.equal((await project.task("web")).pid, pid);
  assert.equal((await project.task("web")).state, "healthy");
});

// After a crash the survivors ran beside second copies in the original (defect 4).
Deno.test("a daemon that is killed leaves its tasks alone, and the next one takes them over", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`${WEB}
[tasks.crashed]
command = "echo run >> crashes; exec sleep 1000"
[tasks.finished]
command = "until [ -e go ]; do sleep 0.02; done; echo over; exit 0"
`);
  await project.ok(["start"]);
  await project.ok(["stop", "db"]);
  const status = await project.status();
  const crashed = await project.pid("crashed");
  await project.linesOf("crashes", 1);
  const finished = await project.pid("finished");
  Deno.kill(status.daemon_pid!, "SIGKILL");
  await until(async () => !await isRunning(status.daemon_pid!));
  Deno.kill(crashed, "SIGKILL");
  await project.file("go", "");
  await until(async () =>
    !await isRunning(crashed) && !await isRunning(finished)
  );

  const offline = await project.ok<Status>(["status"]);
  assert.equal(offline.daemon_pid, null, "looking starts no daemon");
  await taskmux.ok(["daemon", "start"]);
  await project.when("crashed", "running");
  assert.deepEqual(await project.linesOf("crashes", 2), ["run", "run"]);
  assert.equal((await project.task("finished")).state, "completed");
  assert.deepEqual(await project.log("finished"), ["over"]);
  const web = await project.when("web", "healthy");
  assert.equal(web.pid, status.tasks[1]?.pid);
  assert.equal((await project.task("db")).state, "stopped");
  const exits = await project.events("crashed", "task_exited");
  assert.deepEqual(exits.map((event) => event["exit_code"]), [-9]);
  await until(async () => {
    const sleeping = (await taskmux.processes()).filter(({ command }) =>
      command.startsWith("sleep 1000")
    );
    assert(sleeping.length <= 2, "web and crashed, once each");
    return sleeping.length === 2;
  });
});

Deno.test("a keeper that is killed takes its tasks along, and policy brings them back", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "keeper"
[tasks.web]
command = "echo run >> runs; trap '' HUP; while :; do sleep 0.05; done"
[tasks.never]
command = "exec sleep 1000"
restart_policy = "no"
`);
  await project.ok(["start"]);
  const [web, never] = [await project.pid("web"), await project.pid("never")];
  await project.linesOf("runs", 1);
  const { keeper } = await taskmux.ok<DaemonStatus>(["daemon", "status"]);
  Deno.kill(keeper.pid!, "SIGKILL");
  await project.when("web", (task) => task.running && task.pid !== web);
  await project.when("never", "failed");
  assert(!await isRunning(web), "what outlived its keeper is ended");
  assert(!await isRunning(never));
  assert.deepEqual(await project.linesOf("runs", 2), ["run", "run"]);
  await project.ok(["start", "never"]);
});

// A shutdown was cut short and left tasks behind, and manual stops were forgotten (defects 12 and 13).
Deno.test("daemon stop takes everything down in order, and the next daemon remembers what was wanted", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "orderly"
[tasks.db]
command = '''
trap 'echo db >> order; exit 0' INT; echo up; while :; do sleep 0.05; done'''
ready_log = "up"
[tasks.web]
command = '''
trap 'sleep 0.5; echo web >> order; exit 0' INT; echo up; while :; do sleep 0.05; done'''
ready_log = "up"
depends_on = ["db"]
[tasks.deaf]
command = '''
trap '' INT TERM; echo up; while :; do sleep 0.05; done'''
ready_log = "up"
stop_grace_period = 0.2
[tasks.by_hand]
command = "exec sleep 1000"
`);
  await project.ok(["start"]);
  await project.ok(["stop", "by_hand"]);
  const { tasks, daemon_pid: first } = await project.status();
  const stopped = await taskmux.ok<{ readonly stopped: string[] }>([
    "daemon",
    "stop",
  ]);
  assert.deepEqual(stopped.stopped.toSorted(), [
    "orderly/db",
    "orderly/deaf",
    "orderly/web",
  ]);
  assert.deepEqual(await project.lines("order"), ["web", "db"]);
  for (const { pid } of tasks) {
    if (pid !== null) assert(!await isRunning(pid));
  }
  assert.deepEqual(await taskmux.processes(), []);

  await taskmux.ok(["daemon", "start"]);
  const after = await project.status();
  assert.notEqual(after.daemon_pid, first);
  assert.equal(after.active_tasks, 0, "a daemon restart is no boot");
  assert.equal((await project.task("by_hand")).manual, true);
  assert.equal((await project.task("web")).manual, false);

  const started = await project.ok<Action>(["start"]);
  assert.equal(started.tasks?.length, 4);
  await project.ok(["kill", "deaf"]);
  // SIGTERM, as a service manager sends it, does the same.
  const { daemon_pid: second } = await project.status();
  Deno.kill(second!, "SIGTERM");
  await until(async () => (await taskmux.processes()).length === 0);
  assert.deepEqual(await project.lines("order"), ["web", "db", "web", "db"]);
});

// A boot started everything at once, whatever it depended on and whatever had been stopped (defects 1 and 13).
Deno.test("after a boot of the machine what was up comes back in dependency order", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "boot"
[tasks.web]
command = "exec sleep 1000"
restart_policy = "no"
depends_on = ["db"]
[tasks.db]
command = "sleep 0.1; echo up; exec sleep 1000"
ready_log = "up"
[tasks.stopped]
command = "exec sleep 1000"
restart_policy = "always"
[tasks.never]
command = "exec sleep 1000"
auto_start = false
`);
  await project.ok(["start"]);
  await project.ok(["stop", "stopped"]);
  const before = (await project.events()).length;
  await taskmux.ok(["daemon", "stop"]);
  {
    using store = Store.open(taskmux.home.paths, { clock: systemClock });
    assert.notEqual(store.meta.get("boot_id"), null);
    store.meta.set("boot_id", "another boot");
  }
  await project.ok(["status"]);
  assert.equal(await taskmux.daemonPid(), null, "a look brings nothing back");
  await taskmux.ok(["daemon", "start"]);
  await project.when("web", "running");
  const up = seqOf((await project.events()).slice(before), "task_started");
  const healthy = seqOf((await project.events()).slice(before), "task_healthy");
  assert.deepEqual(Object.keys(up), ["db", "web"]);
  assert(healthy["db"]! < up["web"]!);
  assert.equal((await project.task("stopped")).manual, true);
  assert.equal((await project.task("never")).state, "stopped");

  // Who asks for what is coming back anyway gets it, and no reproach.
  const started = await project.ok<Action>(["start"]);
  assert(started.tasks?.includes("stopped"));
  await project.fails("E301", ["start"]);
});

Deno.test("a start that meets the end of the daemon is refused, and nothing is left", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "ending"
[tasks.slow]
command = '''
trap 'until [ -e go ]; do sleep 0.02; done; exit 0' INT
echo up; while :; do sleep 0.05; done'''
ready_log = "up"
stop_grace_period = 60
[tasks.other]
command = "exec sleep 1000"
auto_start = false
[tasks.crashing]
command = "sleep 0.1; exit 1"
max_restarts = 0
restart_backoff = 1
`);
  await project.run(["start"]);
  const stop = taskmux.ok<Json>(["daemon", "stop"]);
  await project.when("slow", "stopping");
  const refused = await project.fails("E600", ["start", "other"]);
  assert.match(refused.error, /the daemon is ending/);
  await project.ok(["status"]);
  await project.file("go", "");
  await stop;
  assert.deepEqual(await taskmux.processes(), []);
});

// Any web page could run commands through the open port of the original (defect 21).
Deno.test("the open port answers no page of a browser and takes no command", async () => {
  await using taskmux = await testTaskmux();
  await taskmux.ok(["daemon", "start"]);
  const { api_port: port } = await taskmux.ok<DaemonStatus>([
    "daemon",
    "status",
  ]);
  const info = JSON.parse(
    await Deno.readTextFile(taskmux.home.paths.daemonInfo),
  );
  assert.equal(info.api_port, port, "what is in run/daemon.json");
  const url = `http://127.0.0.1:${port}/`;
  const page = await fetch(url, {
    headers: { origin: "https://evil.example" },
  });
  assert.equal(page.status, 403);
  await page.body?.cancel();
  const command = await fetch(url, {
    method: "POST",
    body: JSON.stringify({ command: "stop_all" }),
    headers: { origin: "null" },
  });
  assert.equal(command.status, 403);
  await command.body?.cancel();
  for (const path of ["/", "/ws", "/api"]) {
    const upgrade = await Deno.connect({ hostname: "127.0.0.1", port: port! });
    const request = [
      `GET ${path} HTTP/1.1`,
      "Host: evil.example",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "\r\n",
    ].join("\r\n");
    await upgrade.write(new TextEncoder().encode(request));
    const buffer = new Uint8Array(64);
    const length = await upgrade.read(buffer);
    const answer = new TextDecoder().decode(buffer.subarray(0, length ?? 0));
    assert.match(answer, /^HTTP\/1\.1 403/, path);
    upgrade.close();
  }
  const modes = await Promise.all(
    [taskmux.home.home, taskmux.home.paths.daemonSocket].map(async (path) =>
      (await Deno.stat(path)).mode! & 0o777
    ),
  );
  assert.deepEqual(modes, [0o700, 0o600]);
});
