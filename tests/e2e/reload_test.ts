/**
 * What a change of `taskmux.toml` does to a project that is managed.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { isRunning } from "../support/process_state.ts";
import type { Action, Status, TestProject } from "../support/project.ts";
import { testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

function tasks(...lines: string[]): string {
  return `name = "edited"\n[tasks]\n${lines.join("\n")}\n`;
}

const A = 'a = "exec sleep 1000"';
const B = 'b = "exec sleep 1000"';

async function reloads(project: TestProject): Promise<number> {
  return (await project.events(undefined, "config_reloaded")).length;
}

Deno.test("a broken file changes nothing but what status tells, until it is mended", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(tasks(A, B));
  await project.ok(["start"]);
  const pids = [await project.pid("a"), await project.pid("b")];

  await project.write(tasks(A, "b = [1,"));
  await project.whenEvent("config_error");
  const broken = await project.ok<Status>(["status"]);
  assert.equal(broken.config_error?.error_code, "E101");
  assert.equal(typeof broken.config_error?.line, "number");
  assert.equal(typeof broken.config_error?.column, "number");
  assert.deepEqual(broken.tasks.map(({ pid }) => pid), pids);

  await project.write(tasks(A, B, "[tasks.c]", 'comand = "x"'));
  await until(async () =>
    (await project.status()).config_error?.error_code === "E103"
  );
  const unknown = (await project.status()).config_error;
  assert.equal(unknown?.line, 6);
  assert.match(unknown?.error ?? "", /comand/);

  // Nothing is started from a file that cannot be understood; what runs can be looked at and taken down.
  await project.fails("E103", ["start"]);
  await project.fails("E103", ["restart", "a"]);
  await project.ok(["logs"]);
  await project.ok(["stop", "a"]);

  await project.replace(tasks(A, B));
  await until(async () => (await project.status()).config_error === null);
  assert.equal((await project.task("b")).pid, pids[1]);
  await project.ok(["start", "a"]);
});

// The error shows the place in the file, and with it what stands there.
Deno.test("what a broken file holds gets into no file of ours", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(tasks(A));
  await project.ok(["start"]);
  await project.write(
    tasks(A, "[tasks.b]", 'env = { KEY = "canary-7f3a" }', "command = = 1"),
  );
  await project.whenEvent("config_error");
  assert.match((await project.status()).config_error?.error ?? "", /canary/);
  await project.replace(tasks(A));
  await until(async () => (await project.status()).config_error === null);
  await taskmux.ok(["daemon", "stop"]);
  const { success, stdout } = await new Deno.Command("grep", {
    args: ["-rl", "canary-7f3a", taskmux.home.home],
  }).output();
  assert.equal(success, false, new TextDecoder().decode(stdout));
});

// Every save of an editor killed all tasks in early versions of the original.
Deno.test("saving the file, in whatever way, touches no task that did not change", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(tasks(A, B));
  await project.ok(["start"]);
  const [a, b] = [await project.pid("a"), await project.pid("b")];

  // An editor that keeps a backup: the file is away for a moment.
  await Deno.rename(project.config, `${project.config}~`);
  await project.replace(tasks(A, B, "# a comment"));
  await until(async () => await reloads(project) === 1);
  // The same again is no change.
  await project.write(tasks(A, B, "# a comment"));
  await project.replace(tasks(A, B, "# a comment"));
  await project.ok(["status"]);
  await project.replace(tasks(A, 'b = "exec sleep 2000"'));
  const changed = await project.when("b", (task) => task.config_changed);
  assert.equal(changed.pid, b, "the old run goes on");
  assert.equal(changed.command, "exec sleep 2000");
  const [, event] = await project.events(undefined, "config_reloaded");
  assert.deepEqual(event?.["changed"], ["b"]);
  assert.equal((await project.task("a")).config_changed, false);

  // An automatic restart takes the new command, too.
  Deno.kill(b, "SIGKILL");
  const again = await project.when(
    "b",
    (task) => task.running && task.pid !== b,
  );
  assert.equal(again.config_changed, false);
  const running = await taskmux.processes();
  assert(
    running.find(({ pid }) => pid === again.pid)?.command.includes("2000"),
  );
  assert.equal(await project.pid("a"), a);

  // Saved and taken back before anything was started: nothing is different any more.
  await project.write(tasks('a = "exec sleep 3000"', B));
  await project.when("a", (task) => task.config_changed);
  await project.write(tasks(A, 'b = "exec sleep 2000"'));
  await project.when("a", (task) => !task.config_changed);
  assert.equal(await project.pid("a"), a);
  assert.equal(await reloads(project), 4);
});

// In the original a task that left the file, or whose file was deleted, ran on for ever (defect 14).
Deno.test("a task that leaves the file is stopped, a new one is started if the project is up", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(
    tasks(A, B, `[tasks.c]\ncommand = "exec sleep 1000"\ndepends_on = ["b"]`),
  );
  await project.ok(["start"]);
  const [a, b, c] = [
    await project.pid("a"),
    await project.pid("b"),
    await project.pid("c"),
  ];

  await project.write(
    tasks(
      A,
      'late = "exec sleep 1000"',
      "[tasks.by_hand]",
      'command = "exec sleep 1000"',
      "auto_start = false",
    ),
  );
  await project.when("late", "running");
  await until(async () => !await isRunning(b) && !await isRunning(c));
  const names = (await project.status()).tasks.map(({ name }) => name);
  await until(async () => (await project.status()).tasks.length === 3, {
    what: `only what the file names, not ${names}`,
  });
  assert.equal(await project.pid("a"), a);
  assert.equal((await project.task("by_hand")).state, "stopped");
  const [event] = await project.events(undefined, "config_reloaded");
  assert.deepEqual(event?.["added"], ["late", "by_hand"]);
  assert.deepEqual(event?.["removed"], ["b", "c"]);
  await project.fails("E200", ["start", "b"]);

  // A project that is down stays down.
  await project.ok(["stop"]);
  await project.write(tasks(A, B));
  await until(async () => await reloads(project) === 2);
  assert.equal((await project.status()).active_tasks, 0);
});

Deno.test("a task that leaves the file for a moment is there again after it", async () => {
  await using taskmux = await testTaskmux();
  const slow = `[tasks.slow]
command = '''
trap 'until [ -e go ]; do sleep 0.02; done; exit 0' INT
echo run >> runs; echo up; while :; do sleep 0.05; done'''
ready_log = "up"
stop_grace_period = 60`;
  const project = await taskmux.project(tasks(A, slow));
  await project.ok(["start"]);
  await project.write(tasks(A));
  await project.when("slow", "stopping");
  await project.write(tasks(A, slow));
  await until(async () => await reloads(project) === 2);
  await project.file("go", "");
  await until(async () => (await project.lines("runs")).length === 2);
  assert.equal((await project.when("slow", "healthy")).manual, false);
});

Deno.test("no hook keeps a task that has left the file", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "kept"
hooks = { before_stop = "exit 1" }
[tasks.a]
command = "exec sleep 1000"
[tasks.b]
command = "exec sleep 1000"
[tasks.c]
command = "exec sleep 1000"
hooks = { before_stop = "exit 1" }
`);
  await project.ok(["start"]);
  const gone = [await project.pid("b"), await project.pid("c")];
  await project.write(`
name = "kept"
hooks = { before_stop = "exit 1" }
[tasks.a]
command = "exec sleep 1000"
`);
  await until(async () => (await project.status()).tasks.length === 1);
  for (const pid of gone) assert(!await isRunning(pid));
  assert.equal((await project.task("a")).state, "running");
});

Deno.test("a file that is deleted takes its tasks down, one that comes back is read", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(tasks(A));
  await project.ok(["start"]);
  const pid = await project.pid("a");
  await Deno.remove(project.config);
  await until(async () => !await isRunning(pid));
  await until(async () => {
    const { projects } = await taskmux.call("project.list", {});
    return projects[0]?.running_count === 0;
  });
  const { projects } = await taskmux.ok<Result<"project.list">>([
    "daemon",
    "list",
  ]);
  assert.equal(projects[0]?.state, "config_missing");
  await project.fails("E100", ["status"]);

  await project.write(tasks(A, B));
  const started = await project.ok<Action>(["start"]);
  assert.deepEqual(started.tasks?.toSorted(), ["a", "b"]);
});

Deno.test("a command right after an edit goes by the edit", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(tasks(A));
  await project.ok(["start"]);
  for (const round of ["one", "two", "three"]) {
    await project.write(
      tasks(A, `b = "echo ${round} >> rounds; exec sleep 1000"`),
    );
    await project.ok(["restart", "b"]);
    await until(async () => (await project.lines("rounds")).at(-1) === round);
  }
  // The new task may have been started by the reload already.
  const rounds = new Set(await project.lines("rounds"));
  assert.deepEqual([...rounds], ["one", "two", "three"]);
  await project.write(tasks(A, 'c = "exec sleep 1000"'));
  const status = await project.ok<Status>(["status"]);
  assert(status.tasks.some(({ name }) => name === "c"));
  await project.write(tasks(A, "b = 3"));
  await project.fails("E102", ["start", "b"]);
});

Deno.test("a change of a watched file restarts the task, others do not", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "watched"
[tasks.web]
command = "exec sleep 1000"
watch = ["src/**/*.ts"]
watch_ignore = ["**/*.gen.ts"]
[tasks.crashing]
command = "test -e fixed.txt && exec sleep 1000"
watch = ["fixed.txt"]
max_restarts = 1
`);
  await Deno.mkdir(`${project.folder}/src/deep`, { recursive: true });
  await project.run(["start"]);
  const pid = await project.pid("web");
  await project.when("crashing", "failed");

  await project.file("src/other.md", "x");
  await project.file("src/deep/made.gen.ts", "x");
  await project.file("src/deep/code.ts", "x");
  const again = await project.when(
    "web",
    (task) => task.running && task.pid !== pid,
  );
  const restarts = await project.events("web", "auto_restart");
  assert.equal(restarts.length, 1);
  assert.equal(restarts[0]?.["reason"], "file_changed");
  assert.deepEqual(restarts[0]?.["files"], ["src/deep/code.ts"]);
  assert.equal(again.restart_count, 0);

  // What was given up gets another chance when its file changes; what was stopped by hand does not.
  await project.file("fixed.txt", "x");
  await project.when("crashing", "running");
  await project.ok(["stop", "web"]);
  await project.file("src/deep/code.ts", "y");
  await project.ok(["restart", "crashing"]);
  assert.equal((await project.task("web")).state, "stopped");
});
