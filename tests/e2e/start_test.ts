/**
 * Bringing a project up.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Action, seqOf, type Status } from "../support/project.ts";
import { testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

/** A task that is ready only when the other one is up as well. */
function meeting(own: string, other: string): string {
  return `command = '''
touch ${own}.up; until [ -e ${other}.up ]; do sleep 0.02; done
echo ready; exec sleep 1000'''
ready_log = "^ready$"
depends_on = ["db"]`;
}

const STACK = `
name = "stack"
[tasks.web]
command = "exec sleep 1000"
depends_on = ["api", "worker"]
[tasks.api]
${meeting("api", "worker")}
[tasks.worker]
${meeting("worker", "api")}
[tasks.db]
command = "echo db up; exec sleep 1000"
ready_log = "db up"
[tasks.by_hand]
command = "exec sleep 1000"
auto_start = false
depends_on = ["db"]
`;

// The original answered a first start with E301, because its boot had started everything, in any order (defect 1).
Deno.test("start on a cold machine starts dependencies first and independent tasks side by side", async () => {
  await using taskmux = await testTaskmux({ hostConfig: null });
  const project = await taskmux.project(STACK);

  const offline = await project.ok<Status>(["status"]);
  assert.equal(offline.running, false);
  assert.equal(await taskmux.daemonPid(), null, "status starts no daemon");

  const started = await project.ok<Action>(["start"]);
  assert.equal(started.session, "stack");
  assert.equal(started.action, "started");
  assert.deepEqual([...started.tasks ?? []].sort(), [
    "api",
    "db",
    "web",
    "worker",
  ]);
  assert.equal(started.tasks?.[0], "db");
  assert.equal(started.tasks?.[3], "web");

  const events = await project.events();
  const up = seqOf(events, "task_started");
  const healthy = seqOf(events, "task_healthy");
  assert(healthy["db"]! < up["api"]! && healthy["db"]! < up["worker"]!);
  assert(healthy["api"]! < up["web"]! && healthy["worker"]! < up["web"]!);
  assert(up["worker"]! < healthy["api"]! && up["api"]! < healthy["worker"]!);

  const { tasks, running, active_tasks } = await project.ok<Status>(["status"]);
  assert.equal(running, true);
  assert.equal(active_tasks, 4);
  assert.deepEqual(tasks.map(({ name, state }) => `${name} ${state}`), [
    "web running",
    "api healthy",
    "worker healthy",
    "db healthy",
    "by_hand stopped",
  ]);
  assert.equal(tasks[0]?.last_health?.method, "proc");
});

Deno.test("stop takes dependents down first, and nothing is left", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(STACK);
  await project.ok(["start"]);
  await project.ok(["start", "by_hand"]);

  const stopped = await project.ok<Action>(["stop"]);
  assert.equal(stopped.action, "stopped");
  assert.equal(stopped.tasks?.length, 5);
  assert.equal(stopped.tasks?.at(-1), "db");

  const events = await project.events();
  const down = seqOf(events, "task_stopped");
  const exited = seqOf(events, "task_exited");
  assert(down["web"]! < exited["api"]! && down["web"]! < exited["worker"]!);
  for (const name of ["api", "worker", "by_hand"]) {
    assert(down[name]! < exited["db"]!, name);
  }
  assert.equal(events.at(-1)?.event, "session_stopped");
  const left = (await taskmux.processes()).filter(({ command }) =>
    command.includes("sleep 1000")
  );
  assert.deepEqual(left, []);

  const again = await project.fails("E300", ["stop"]);
  assert.equal(again.hint, "taskmux start");
});

Deno.test("restart takes everything down and up again in order, and starts what was down", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(STACK);
  await project.ok(["start"]);
  await project.ok(["start", "by_hand"]);
  await project.ok(["stop", "web"]);
  const before = await project.status();
  const last = (await project.events()).at(-1)?.seq ?? 0;
  // Both wait for each other's file, so that one of an earlier run must not count.
  await Deno.remove(`${project.folder}/api.up`);
  await Deno.remove(`${project.folder}/worker.up`);

  const restarted = await project.ok<Action>(["restart"]);
  assert.equal(restarted.action, "restarted");
  assert.equal(restarted.tasks?.length, 5);
  const events = (await project.events()).filter(({ seq }) => seq > last);
  const down = seqOf(events, "task_stopped");
  const up = seqOf(events, "task_started");
  assert(down["api"]! < down["db"]! && down["db"]! < up["db"]!);
  assert(up["db"]! < up["api"]! && up["api"]! < up["web"]!);
  const after = await project.status();
  assert.equal(after.active_tasks, 5);
  for (const [index, { pid }] of after.tasks.entries()) {
    assert.notEqual(pid, before.tasks[index]?.pid);
  }
});

Deno.test("restart leaves alone what neither runs nor starts by itself", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "alone"
[tasks.web]
command = "exec sleep 1000"
[tasks.seed]
command = "true"
auto_start = false
[tasks.broken]
command = "exit 3"
auto_start = false
restart_policy = "no"
`);
  await project.ok(["start"]);
  await project.ok(["start", "seed", "--wait"]);
  await project.run(["start", "broken"]);
  await project.when("broken", "failed");
  const web = await project.pid("web");
  await project.ok(["restart"]);
  assert.notEqual(await project.pid("web"), web);
  assert.equal((await project.task("seed")).state, "completed");
  assert.equal((await project.task("broken")).state, "failed");
});

Deno.test("a command is the text of a shell, whatever it holds", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "text"
[tasks.comment]
command = "echo hi # not a word"
[tasks.here]
command = """
cat <<X
one
  two
X
"""
[tasks.other]
command = "echo \${BASH_VERSION:+bash}; exec sleep 1000"
shell = "bash"
[tasks."dotted.name"]
command = "echo 'h\\u00e9llo'; exec sleep 1000"
[tasks.unknown]
command = "no_such_program --flag"
restart_policy = "no"
[tasks.shell]
command = "true"
shell = "/no/such/shell"
[tasks.background]
command = "sleep 1000 & echo left"
`);
  const started = await project.fails<Action>("E403", ["start"]);
  const failed = started.results?.filter(({ ok }) => !ok) ?? [];
  const names = failed.map(({ task }) => task);
  assert(names.includes("shell"));
  // A shell that has not got so far within 100 ms has been started, and fails a little later.
  assert.deepEqual(names.filter((n) => n !== "shell" && n !== "unknown"), []);
  await project.when("unknown", "failed");
  assert.match((await project.log("unknown")).join(), /not found/);
  const printed: [task: string, lines: string[]][] = [
    ["comment", ["hi"]],
    ["here", ["one", "  two"]],
    ["other", ["bash"]],
    ["dotted.name", ["h\u00e9llo"]],
  ];
  for (const [task, lines] of printed) {
    await until(async () => (await project.log(task)).length >= lines.length);
    assert.deepEqual(await project.log(task), lines);
  }
  await project.when("background", "completed");
  const left = (await taskmux.processes()).filter(({ command }) =>
    command.startsWith("sleep 1000")
  );
  assert.equal(left.length, 2, "what a finished command leaves is ended");
});

Deno.test("start of a task starts what it depends on, and of several each once", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(STACK);

  const one = await project.ok<Action>(["start", "by_hand"]);
  assert.equal(one.task, "by_hand");
  assert.equal(one.action, "started");
  assert.equal(one.state, "running");
  assert.equal(typeof one["pid"], "number");
  assert.deepEqual(one.results?.map((each) => each.task), ["db", "by_hand"]);

  const running = await project.fails("E201", ["start", "by_hand"]);
  assert.equal(running.hint, "taskmux restart by_hand");
  assert.equal(running.details?.["pid"], one["pid"]);
  const noop = await project.ok<Action>(["start", "by_hand", "--if-stopped"]);
  assert.equal(noop.action, "noop");
  assert.equal(noop["pid"], one["pid"]);

  const several = await project.ok<Action>(["start", "web", "api"]);
  assert.deepEqual(
    several.results?.map(({ task, action }) => `${task} ${action}`).sort(),
    ["api started", "web started", "worker started"],
  );

  const all = await project.fails("E301", ["start"]);
  assert.match(all.hint ?? "", /restart/);
  const none = await project.ok<Action>(["start", "--if-stopped"]);
  assert.equal(none.action, "noop");
  assert.deepEqual(none.tasks, []);

  const mixed = await project.fails<Action>("E201", ["start", "web", "db"]);
  assert.deepEqual(mixed.results?.map(({ ok }) => ok), [false, false]);
});

Deno.test("start --no-deps starts only what was named, and says what it ignored", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(STACK);
  const started = await project.ok<Action>(["start", "by_hand", "--no-deps"]);
  assert.deepEqual(started.warnings, [
    "Dependency 'db' of 'by_hand' is not running",
  ]);
  const { tasks } = await project.status();
  assert.deepEqual(tasks.filter((task) => task.running).map((t) => t.name), [
    "by_hand",
  ]);
  const rest = await project.ok<Action>(["start"]);
  assert.equal(rest.tasks?.length, 4);
});

Deno.test("start leaves alone what has auto_start = false", async () => {
  await using taskmux = await testTaskmux();
  const quiet = await taskmux.project(
    `
name = "quiet"
auto_start = false
[tasks]
a = "exec sleep 1000"
`,
    "quiet",
  );
  const nothing = await quiet.ok<Action>(["start"]);
  assert.deepEqual(nothing.tasks, []);
  assert.equal(nothing.action, "noop");
  assert.match(nothing.warnings?.join() ?? "", /auto_start = false/);
  await quiet.ok(["start", "a"]);

  const manual = await taskmux.project(
    `
name = "manual"
[tasks.a]
command = "exec sleep 1000"
auto_start = false
[tasks.b]
command = "exec sleep 1000"
depends_on = ["needed"]
[tasks.needed]
command = "exec sleep 1000"
auto_start = false
`,
    "manual",
  );
  const started = await manual.ok<Action>(["start"]);
  assert.deepEqual(started.tasks, ["needed", "b"]);
  assert.equal((await manual.task("a")).state, "stopped");
  assert.equal((await quiet.task("a")).state, "running");
});

Deno.test("start --wait returns when every task is healthy or completed, --timeout at the latest then", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "patient"
[tasks.slow]
command = "exec sleep 1000"
health_check = "test -e ready"
[tasks.once]
command = "sleep 0.2; exit 0"
[tasks.late]
command = "exec sleep 1000"
depends_on = ["slow"]
`);
  const begun = performance.now();
  const late = await project.fails<Action>("E602", [
    "start",
    "--wait",
    "--timeout",
    "0.5",
  ]);
  assert(performance.now() - begun < 5_000);
  const byTask = Object.fromEntries(
    late.results?.map((each) => [each.task, each]) ?? [],
  );
  assert.equal(byTask["once"]?.ok, true);
  assert.equal(byTask["slow"]?.error_code, "E602");
  assert.match(byTask["late"]?.error ?? "", /waits for slow \(healthy\)/);
  const waiting = await project.task("late");
  assert.equal(waiting.state, "waiting");
  assert.deepEqual(waiting.waiting_for, [
    { task: "slow", condition: "healthy", state: "starting" },
  ]);

  // It goes on after the time, so a second start joins it.
  const joined = project.ok<Action>([
    "start",
    "late",
    "--wait",
    "--if-stopped",
  ]);
  await project.file("ready", "");
  assert.equal((await joined).state, "running");
  assert.equal((await project.task("slow")).state, "healthy");
});

Deno.test("a task that does not stay up is E403 with how it ended", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "broken"
[tasks.bad]
command = "echo the reason; exit 3"
restart_policy = "no"
[tasks.good]
command = "exec sleep 1000"
[tasks.lost]
command = "exec sleep 1000"
cwd = "nowhere"
auto_start = false
`);
  const all = await project.fails<Action>("E403", ["start"]);
  assert.deepEqual(all.tasks, ["good"]);
  const bad = await project.fails("E403", ["start", "bad"]);
  assert.match(bad.error, /exited with code 3/);
  assert.equal(bad.hint, "taskmux logs bad");
  assert.equal(bad.details?.["exit_code"], 3);
  assert.equal(bad.details?.["output_tail"], "the reason");
  const task = await project.task("bad");
  assert.equal(task.state, "failed");
  assert.equal(task.exit_code, 3);
  assert.equal(task.running, false);

  const lost = await project.fails("E213", ["start", "lost"]);
  assert.match(lost.hint ?? "", /^mkdir -p /);
  // A restart that cannot come up again leaves the running process alone.
  await Deno.mkdir(`${project.folder}/nowhere`);
  await project.ok(["start", "lost"]);
  const pid = await project.pid("lost");
  await Deno.rename(`${project.folder}/nowhere`, `${project.folder}/else`);
  await project.fails("E213", ["restart", "lost"]);
  await project.fails("E213", ["restart"]);
  assert.equal(await project.pid("lost"), pid);
});

Deno.test("an unknown task is E200 with a suggestion for every command", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(STACK);
  await project.ok(["start", "db"]);
  const commands = [
    ["start", "workr"],
    ["stop", "workr"],
    ["restart", "workr"],
    ["kill", "workr"],
    ["inspect", "workr"],
    ["health", "workr"],
    ["logs", "workr"],
    ["logs-clean", "workr"],
    ["wait", "workr"],
    ["start", "web", "workr"],
    ["stop", "db", "workr"],
  ];
  await Promise.all(commands.map(async (args) => {
    const answer = await project.fails("E200", args);
    assert.match(answer.hint ?? "", /did you mean "worker"/, args.join(" "));
  }));
  const { tasks } = await project.status();
  assert.deepEqual(
    tasks.filter((task) => task.running).map((task) => task.name),
    ["db"],
    "nothing was done before the unknown name was found",
  );
});

// The second one silently worked on the tasks of the first one in the original (defect 15).
Deno.test("a second checkout with the same name is E305 and touches nothing of the first", async () => {
  await using taskmux = await testTaskmux();
  const toml = `name = "twin"\n[tasks]\na = "exec sleep 1000"\n`;
  const first = await taskmux.project(toml, "first");
  const second = await taskmux.project(toml, "second");
  await first.ok(["start"]);
  const pid = await first.pid("a");

  for (const args of [["start"], ["restart", "a"], ["daemon", "register"]]) {
    const refused = await second.fails("E305", args);
    assert.match(refused.error, /twin/, args.join(" "));
    assert.notEqual(refused.hint, undefined);
  }
  const seen = await second.ok<Status>(["status"]);
  assert.equal(seen.running, false);
  assert.equal(seen.warnings.length, 1);
  assert.match(seen.warnings[0]!, /registered for .*first/);
  await second.fails("E300", ["stop"]);
  await second.fails("E202", ["kill", "a"]);
  assert.equal(await first.pid("a"), pid);

  // Only when asked to take the name does it get it; what ran under it is ended first.
  await second.ok(["daemon", "register", "--force"]);
  await until(async () => {
    const running = await taskmux.processes();
    return !running.some((process) => process.pid === pid);
  }, { what: "the task of the first checkout is gone" });
  await second.ok(["start"]);
  assert.notEqual(await second.pid("a"), pid);
});
