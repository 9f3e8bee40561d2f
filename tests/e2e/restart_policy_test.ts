/**
 * What happens after a task has ended by itself.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Action, Event } from "../support/project.ts";
import { isRunning } from "../support/process_state.ts";
import { type Json, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

function millisBetween(from: Event | undefined, to: Event | undefined): number {
  return Date.parse(to?.ts ?? "") - Date.parse(from?.ts ?? "");
}

/** One task for each row of the policies. */
const POLICIES = `
name = "policies"
[tasks.clean]
command = "sleep 0.2; exit 0"
[tasks.crash]
command = "if [ -e crashed ]; then exec sleep 1000; fi; touch crashed; sleep 0.2; exit 1"
[tasks.killed]
command = "exec sleep 1000"
[tasks.always]
command = "if [ -e twice ]; then exec sleep 1000; fi; touch twice; sleep 0.2; exit 0"
restart_policy = "always"
[tasks.no]
command = "sleep 0.2; exit 9"
restart_policy = "no"
[tasks.no_signal]
command = "exec sleep 1000"
restart_policy = "no"
[tasks.listed]
command = "sleep 0.2; exit 3"
success_exit_codes = [0, 3]
[tasks.unlisted]
command = "if [ -e unlisted ]; then exec sleep 1000; fi; touch unlisted; sleep 0.2; exit 0"
success_exit_codes = [3]
`;

// The original restarted clean exits too, and "always" was no different from "on-failure" (defect 8).
Deno.test("each restart policy restarts what it says and nothing else", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(POLICIES);
  await project.ok(["start"]);
  Deno.kill(await project.pid("killed"), "SIGKILL");
  Deno.kill(await project.pid("no_signal"), "SIGTERM");

  const restarted: [name: string, exitCode: number][] = [
    ["crash", 1],
    ["killed", -9],
    ["always", 0],
    ["unlisted", 0],
  ];
  for (const [name, exitCode] of restarted) {
    const task = await project.when(
      name,
      (task) => task.state === "running" && task.restart_count === 1,
    );
    assert.equal(task.exit_code, null, `${name} runs`);
    const events = await project.events(name);
    const types = events.map(({ event }) => event);
    assert.deepEqual(
      types,
      ["task_started", "task_exited", "auto_restart", "task_restarted"],
      name,
    );
    assert.equal(events[1]?.["exit_code"], exitCode, name);
    assert.equal(events[2]?.["reason"], "process_exited");
    assert(millisBetween(events[1], events[3]) < 2_000, "restarted at once");
  }

  const resting: [name: string, state: string, exitCode: number][] = [
    ["clean", "completed", 0],
    ["no", "failed", 9],
    ["no_signal", "failed", -15],
    ["listed", "completed", 3],
  ];
  for (const [name, state, exitCode] of resting) {
    const task = await project.when(name, (task) => task.state === state);
    assert.equal(task.exit_code, exitCode, name);
    assert.equal(task.running, false);
    assert.equal(task.restart_count, 0);
    assert.deepEqual(await project.events(name, "auto_restart"), [], name);
  }

  const inspected = await project.ok<{ readonly runs: readonly Json[] } & Json>(
    ["inspect", "killed"],
  );
  assert.equal(inspected.runs.length, 2);
  assert.deepEqual(inspected.runs.map((run) => run["exit_code"]).toSorted(), [
    -9,
    null,
  ]);
});

Deno.test("a task that keeps crashing is given up, and a start by hand begins a new series", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "hopeless"
[tasks.web]
command = "echo run >> runs; exit 1"
max_restarts = 2
restart_backoff = 1.2
`);
  const first = await project.fails<Action>("E403", ["start", "web"]);
  assert.match(first.error, /exited with code 1/);
  const gaveUp = await project.when("web", "failed");
  assert.equal(gaveUp.restart_count, 2);
  assert.match(
    gaveUp.reason ?? "",
    /exited with code 1; gave up after 2 restarts \(max_restarts = 2\)/,
  );
  assert.deepEqual(await project.lines("runs"), ["run", "run", "run"]);
  const restarts = await project.events("web", "auto_restart");
  assert.deepEqual(restarts.map((event) => event["delay"]), [0, 1.2]);
  const exits = await project.events("web", "task_exited");
  const starts = await project.events("web", "task_restarted");
  assert(millisBetween(exits[1], starts[1]) >= 1_100, "the second waits");
  assert.equal((await project.events("web", "max_restarts_reached")).length, 1);

  // A cap that was reached was never lifted by hand in the original (defect 11).
  await project.fails("E403", ["restart", "web"]);
  await project.when("web", "failed");
  assert.equal((await project.lines("runs")).length, 6);
  assert.equal((await project.events("web", "max_restarts_reached")).length, 2);
});

// After stop and start every task ran without crash recovery in the original (defect 6).
Deno.test("crash recovery works after stop and start, and not for what was stopped", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "recovery"
[tasks.a]
command = "exec sleep 1000"
[tasks.b]
command = "exec sleep 1000"
restart_policy = "always"
`);
  await project.ok(["start"]);
  await project.ok(["stop"]);
  await project.ok(["start"]);
  for (const name of ["a", "b"]) {
    const pid = await project.pid(name);
    Deno.kill(pid, "SIGKILL");
    await project.when(name, (task) => task.running && task.pid !== pid);
  }
  await project.ok(["stop", "b"]);
  await project.ok(["kill", "a"]);
  for (const name of ["a", "b"]) {
    const task = await project.task(name);
    assert.equal(task.state, "stopped");
    assert.equal(task.manual, true);
  }
  const last = (await project.events("b")).at(-1);
  assert.equal(last?.event, "task_stopped");
  assert.equal((await project.events("a")).at(-1)?.event, "task_killed");
});

// Both ran side by side in the original (defect 5).
Deno.test("what a dead leader leaves behind is ended before the next run", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "leftover"
[tasks.web]
command = '''
(trap '' HUP INT TERM; while :; do sleep 0.05; done) &
echo $! >> children
setsid sh -c 'trap "" HUP INT TERM; echo $$ >> children; while :; do sleep 0.05; done' &
until [ "$(wc -l < children)" -ge 2 ]; do sleep 0.02; done
echo up; wait'''
ready_log = "up"
[tasks.one_shot]
command = '''
(trap '' HUP INT TERM; while :; do sleep 0.05; done) &
echo $! > background; exit 0'''
`);
  await project.ok(["start"]);
  const [child, daemonized] = (await project.lines("children")).map(Number);
  assert(await isRunning(child!) && await isRunning(daemonized!));
  const pid = await project.pid("web");
  await Deno.rename(
    `${project.folder}/children`,
    `${project.folder}/old_children`,
  );
  Deno.kill(pid, "SIGKILL");
  await project.when("web", (task) => task.running && task.pid !== pid);
  assert(!await isRunning(child!), "the child of the dead leader");
  assert(!await isRunning(daemonized!), "the one with a session of its own");
  await project.ok(["kill", "web"]);
  await project.when("one_shot", "completed");
  const background = Number(await project.read("background"));
  await until(async () => !await isRunning(background));
});

// SIGTERM ended only the leader in the original, and the reply was ok (defect 3).
Deno.test("stop ends descendants that ignore every signal, with a session of their own or not", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "deaf"
[tasks.web]
command = '''
sh -c 'trap "" HUP INT TERM; echo $$ >> pids; while :; do sleep 0.05; done' &
setsid sh -c 'trap "" HUP INT TERM; echo $$ >> pids; while :; do sleep 0.05; done' &
until [ "$(wc -l < pids)" -ge 2 ]; do sleep 0.02; done
echo up; wait'''
ready_log = "up"
stop_grace_period = 0.1
`);
  await project.ok(["start"]);
  const pids = (await project.lines("pids")).map(Number);
  const stopped = await project.ok<Action>(["stop", "web"]);
  assert.equal(stopped.state, "stopped");
  for (const pid of pids) {
    assert(!await isRunning(pid), `${pid} is gone with the reply`);
  }
});
