/**
 * The keeper is killed. Whatever lives on of its tasks is found by proof and ended, the tasks are started again by their
 * policy, and one event says why.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  DESCENDANT_KINDS,
  descendantsCommand,
  descendantsIn,
  isAlive,
} from "../../support/descendants.ts";
import {
  keeperPid,
  killDaemon,
  killKeeper,
  loseKeeper,
} from "../../support/crashes.ts";
import { HAS_PROC, lives } from "../../support/processes.ts";
import { program, type Task, type TestProject } from "../../support/project.ts";
import { sideBySide } from "../../support/side_by_side.ts";
import { type Json, killIfThere, testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

/** How often a keeper is killed in a row. */
const ROW = 5;

/** One task of every kind: what is wanted of it decides what becomes of it. */
const EVERY_POLICY = `
[tasks.always]
command = '''${descendantsCommand({ stubborn: true })}'''
ready_log = "up"
restart_policy = "always"
stop_grace_period = 0.1
[tasks.failing]
command = "exec sleep 1000"
[tasks.never]
command = "exec sleep 1000"
restart_policy = "no"
[tasks.halted]
command = "exec sleep 1000"
restart_policy = "always"
[tasks.done]
command = "exit 0"
[tasks.port]
command = '''setsid ${program("http_server.ts").slice("exec ".length)} &
echo "on $PORT"; wait; exec sleep 1000'''
restart_policy = "always"
`;

/** A process that is none of ours, yet looks like a part of the run in everything that can be copied. */
function lookAlike(project: TestProject, runId: string): Deno.ChildProcess {
  return new Deno.Command("sleep", {
    args: ["100001"],
    cwd: project.folder,
    env: { TASKMUX_RUN_ID: runId, TASKMUX_TASK: "always" },
  }).spawn();
}

async function runId(project: TestProject, task: string): Promise<string> {
  const { run_id } = await project.ok<{ run_id: string }>(["inspect", task]);
  return run_id;
}

function isAgain(pid: number): (task: Task) => boolean {
  return (task) => task.healthy && task.pid !== pid;
}

/** Which of our processes die, and how. Each returns the pid of the keeper. */
const DEATHS: Readonly<Record<string, typeof killKeeper>> = {
  "the keeper": killKeeper,
  "the keeper and the daemon at the same moment": async (taskmux) => {
    const [keeper, daemon] = [
      await keeperPid(taskmux),
      await taskmux.daemonPid(),
    ];
    assert(daemon !== null);
    killIfThere(keeper);
    killIfThere(daemon);
    await until(() => !lives(daemon) && !lives(keeper));
    await taskmux.ok(["daemon", "start"]);
    return keeper;
  },
  "the keeper while the daemon is dead": async (taskmux) => {
    const keeper = await keeperPid(taskmux);
    await killDaemon(taskmux);
    killIfThere(keeper);
    await until(() => !lives(keeper));
    await taskmux.ok(["daemon", "start"]);
    return keeper;
  },
};

/** All that ran is gone, and what is to run again does. */
async function diesAndReturns(
  name: string,
  before: typeof killKeeper,
): Promise<void> {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(
    `name = "${name}"\n${EVERY_POLICY}`,
  );
  await project.ok(["start"]);
  await project.ok(["stop", "halted"]);
  await project.when("done", "completed");
  const { port } = await project.when("port", "healthy");
  const always = await project.pid("always");
  const failing = await project.pid("failing");
  const survivors = await until(() => {
    const found = descendantsIn(project.folder);
    return found.length === DESCENDANT_KINDS.length ? found : null;
  });
  const copies = [
    lookAlike(project, await runId(project, "always")),
    lookAlike(project, "0123456789ab"),
  ];
  try {
    const pid = await before(taskmux);
    await project.when("always", isAgain(always));
    await project.when("failing", isAgain(failing));
    await project.when("never", "failed");
    assert.equal((await project.when("port", "healthy")).port, port);
    assert.deepEqual(survivors.filter(isAlive), []);
    for (const copy of copies) assert(lives(copy.pid), "a stranger");
    assert.equal((await project.task("halted")).state, "stopped");
    assert.equal((await project.task("halted")).manual, true);
    assert.equal((await project.task("done")).state, "completed");
    assert.deepEqual(await lossesOf(project), [{
      pid,
      tasks: ["always", "failing", "never", "port"]
        .map((task) => `${name}/${task}`),
    }]);
    await checkReaped(project, survivors.map((one) => one.pid));
    assert.equal(
      (await project.events("never", "task_exited")).length,
      1,
    );
  } finally {
    for (const copy of copies) {
      copy.kill("SIGKILL");
      await copy.status;
    }
  }
}

Deno.test({
  name:
    "the death of the keeper leaves nothing, and policy decides what returns",
  ignore: !HAS_PROC,
  fn: async () => {
    // They wait for most of their time.
    await sideBySide(Object.fromEntries(
      Object.entries(DEATHS).map(([what, before], index) => [
        `the death of ${what} leaves nothing`,
        // A name of its own each: the port of a task follows from it.
        () => diesAndReturns(`policies-${index}`, before),
      ]),
    ));
  },
});

async function lossesOf(project: TestProject): Promise<Json[]> {
  const { events } = await project.ok<{ events: Json[] }>(
    ["events", "--all", "-n", "0"],
  );
  return events.filter(({ event }) => event === "keeper_lost")
    .map(({ pid, tasks }) => ({
      pid,
      tasks: (tasks as string[]).toSorted(),
    }));
}

async function checkReaped(
  project: TestProject,
  pids: readonly number[],
): Promise<void> {
  const [reaped] = await project.events("always", "orphan_reaped");
  const told = new Set(reaped?.["pids"] as number[]);
  for (const pid of pids) assert(told.has(pid), `${pid} is told`);
}

const ONE = `
name = "one"
[tasks.web]
command = "exec sleep 1000"
`;

Deno.test("while there is no keeper nothing is said to run, and every command says why it does nothing", async () => {
  await using taskmux = await testTaskmux({ expectedErrors: /keeper: / });
  const project = await taskmux.project(ONE);
  await project.ok(["start"]);
  const pid = await project.pid("web");
  const obstacle = await loseKeeper(taskmux, project);
  const gap = await project.task("web");
  assert.equal(gap.state, "stopping");
  assert.equal(gap.running, false);
  assert.equal(gap.healthy, false);
  assert.equal(gap.pid, null);
  assert.match(String(gap.reason), /keeper/);
  const status = await taskmux.ok<{ keeper: Json }>(["daemon", "status"]);
  assert.equal(status.keeper["pid"], null);
  const inspected = await project.ok<{ pids: number[] }>(["inspect", "web"]);
  assert.deepEqual(inspected.pids, []);
  for (const action of ["start", "restart", "stop"]) {
    const { error } = await project.fails("E600", [action, "web"]);
    assert.match(error, /keeper/, action);
  }
  await Deno.remove(obstacle, { recursive: true });
  // The last word was a stop.
  const after = await project.when("web", "stopped");
  assert.equal(after.manual, true);
  assert(!lives(pid));
  assert.deepEqual((await project.status()).warnings, []);
  await project.ok(["start", "web"]);
});

/** Ends only when there is a file `go`. */
const SLOW = `
name = "slow"
[tasks.web]
command = '''
trap 'until [ -e go ]; do sleep 0.02; done; exit 0' INT
echo up; while :; do sleep 0.05; done'''
ready_log = "up"
stop_grace_period = 60
`;

Deno.test("a start that the death of the keeper cuts short is done by the next one", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(ONE);
  await project.ok(["start"]);
  await project.ok(["stop"]);
  const keeper = await keeperPid(taskmux);
  // It cannot answer, so that the start is under way for certain.
  Deno.kill(keeper, "SIGSTOP");
  const starting = project.ok(["start", "web"]);
  await project.when("web", "starting");
  killIfThere(keeper);
  await starting;
  const task = await project.task("web");
  assert.equal(task.running, true);
  assert.equal(task.restart_count, 0);
  assert.equal((await project.events("web", "task_started")).length, 2);
});

for (const action of ["stop", "restart"]) {
  Deno.test(`a ${action} that the death of the keeper cuts short is done all the same`, async () => {
    await using taskmux = await testTaskmux();
    const project = await taskmux.project(SLOW);
    await project.ok(["start"]);
    const pid = await project.pid("web");
    const acting = project.ok([action, "web"]);
    await project.when("web", "stopping");
    await killKeeper(taskmux);
    await acting;
    await project.file("go", "");
    assert(!lives(pid));
    const task = await project.task("web");
    assert.equal(task.running, action === "restart");
    assert.equal(task.manual, action === "stop");
    assert.equal((await project.events("web", "task_exited")).length, 1);
  });
}

const FLOOD_KILLS = 3;

/** Numbered lines, as fast as a shell can. */
const FLOOD = `
name = "flood"
[tasks.web]
command = "yes | cat -n | sed 's/y/whole line/'"
restart_policy = "always"
restart_backoff = 1
max_restarts = 0
log_max_size = "1GB"
`;

Deno.test("a log goes on with whole lines after the death of the keeper in a flood", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(FLOOD);
  await project.ok(["start"]);
  const { log_file: path } = await project.ok<{ log_file: string }>(
    ["inspect", "web"],
  );
  for (let kill = 0; kill < FLOOD_KILLS; kill++) {
    const { pid } = await project.when("web", (task) => task.running);
    const { size } = await Deno.stat(path);
    await until(async () => (await Deno.stat(path)).size > size + 1_000_000);
    await killKeeper(taskmux);
    await project.when("web", (task) => task.running && task.pid !== pid);
  }
  await project.ok(["stop"]);
  const text = await Deno.readTextFile(path);
  assert(text.endsWith("\n"));
  const cut = text.split("\n").slice(0, -1).filter((line) =>
    !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} +\d+\twhole line$/.test(line)
  );
  // The kernel may cut a write short for SIGKILL. Then that line ends there, and nothing is appended to it.
  assert(cut.length <= FLOOD_KILLS, `${cut.length} lines are cut`);
  for (const line of cut) {
    assert.match(line, /^[\dT:.-]{0,23}( +\d*(\t[a-z ]*)?)?$/);
  }
});

Deno.test("a keeper that is killed again and again takes nothing along but the patience of the policy", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "row"
[tasks.web]
command = '''${descendantsCommand({ stubborn: true })}'''
ready_log = "up"
stop_grace_period = 0.1
[tasks.quiet]
command = "exec sleep 1000"
restart_policy = "no"
`);
  await project.ok(["start"]);
  const pids: number[] = [];
  for (let kill = 0; kill < ROW; kill++) pids.push(await killKeeper(taskmux));
  assert.equal(new Set(pids).size, ROW);
  await project.when("quiet", "failed");
  const { restart_count: count } = await project.when(
    "web",
    (task) => task.healthy || task.state === "backoff",
  );
  assert(count <= ROW);
  assert.deepEqual(
    (await lossesOf(project)).map(({ pid }) => pid),
    pids,
    "one event for each",
  );
  await project.ok(["restart", "web"]);
  await project.when("web", (task) => task.healthy);
  await project.ok(["stop"]);
  assert.deepEqual(descendantsIn(project.folder), []);
});

/** Writes down in which environment it was started. */
const SHELL = `
name = "shell"
[tasks.web]
command = 'echo "$FLAVOUR" >> flavours; exec sleep 1000'
[tasks.other]
command = "exec sleep 1000"
[tasks.resting]
command = 'echo "resting $FLAVOUR" >> flavours; [ -e crash ] || exec sleep 1000; exit 1'
restart_policy = "no"
`;

Deno.test("a task keeps the environment of its shell over the death of any one of our processes", async () => {
  await using taskmux = await testTaskmux({ env: { FLAVOUR: "daemon" } });
  const project = await taskmux.project(SHELL);
  await taskmux.ok(["daemon", "start"]);
  const env = { FLAVOUR: "vanilla" };
  await project.file("crash", "");
  await project.ok(["start", "web"], { env });
  await project.run(["start", "resting"], { env });
  await project.when("resting", "failed");
  await project.linesOf("flavours", 2);
  for (let round = 0; round < 2; round++) {
    const pid = await project.pid("web");
    await killKeeper(taskmux);
    await project.when("web", (task) => task.running && task.pid !== pid);
    await project.linesOf("flavours", 3 + round);
    await killDaemon(taskmux);
    await taskmux.ok(["daemon", "start"]);
    await project.when("web", (task) => task.running);
  }
  // It rested all the time, and whoever starts it now has no shell.
  await Deno.remove(`${project.folder}/crash`);
  await taskmux.call("task.start", {
    scope: { config: project.config },
    tasks: ["resting"],
  });
  assert.deepEqual((await project.linesOf("flavours", 5)).toSorted(), [
    "resting vanilla",
    "resting vanilla",
    "vanilla",
    "vanilla",
    "vanilla",
  ]);
  assert.deepEqual((await project.status()).warnings, []);
});

Deno.test("a task whose shell is forgotten says so", async () => {
  await using taskmux = await testTaskmux({ env: { FLAVOUR: "daemon" } });
  const project = await taskmux.project(SHELL);
  const env = { FLAVOUR: "vanilla" };
  await project.ok(["start", "web"], { env });
  await project.linesOf("flavours", 1);
  const [keeper, daemon] = [
    await keeperPid(taskmux),
    await taskmux.daemonPid(),
  ];
  assert(daemon !== null);
  for (const pid of [keeper, daemon]) killIfThere(pid);
  await until(() => !lives(daemon) && !lives(keeper));
  await taskmux.ok(["daemon", "start"]);
  await project.when("web", (task) => task.running);
  assert.deepEqual(await project.linesOf("flavours", 2), ["vanilla", "daemon"]);
  await project.whenEvent("environment_lost", "web");
  const [warning] = (await project.status()).warnings;
  assert.match(warning ?? "", /taskmux restart web/);
  await project.ok(["restart", "web"], { env });
  assert.deepEqual((await project.status()).warnings, []);
  assert.deepEqual((await project.linesOf("flavours", 3)).slice(2), [
    "vanilla",
  ]);
});

// All of them counted as running until the last process of the last one was gone, seven seconds if need be.
Deno.test("after the death of the keeper no task waits for what another leaves behind", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "lost"
[tasks.stubborn]
command = "trap '' HUP INT TERM; echo up; while :; do sleep 0.05; done"
ready_log = "up"
[tasks.plain]
command = "exec sleep 1000"
restart_policy = "no"
`);
  await project.ok(["start"]);
  const stubborn = await project.pid("stubborn");
  const plain = await project.pid("plain");
  await killKeeper(taskmux);
  await project.when("plain", "failed");
  assert(!lives(plain));
  assert(lives(stubborn), "it takes SIGKILL");
  await project.when(
    "stubborn",
    (task) => task.healthy && task.pid !== stubborn,
  );
  assert(!lives(stubborn));
  assert.equal((await project.events("plain", "task_exited")).length, 1);
  assert.equal((await project.events("stubborn", "task_exited")).length, 1);
  // Not stopped with all its patience.
  await project.ok(["kill", "stubborn"]);
});

// After one failure nobody ever tried again: the daemon could do nothing any more, not even end.
Deno.test("a keeper that could not be started is started as soon as it can be", async () => {
  await using taskmux = await testTaskmux({ expectedErrors: /keeper: / });
  const project = await taskmux.project(ONE);
  await project.ok(["start"]);
  const pid = await project.pid("web");
  const obstacle = await loseKeeper(taskmux, project);
  await Deno.remove(obstacle, { recursive: true });
  await project.when("web", (task) => task.running && task.pid !== pid);
  assert.deepEqual((await project.status()).warnings, []);
  assert(!lives(pid));
});

Deno.test("a daemon without a keeper ends all the same", async () => {
  await using taskmux = await testTaskmux({
    expectedErrors: /keeper: |daemon.stop: /,
  });
  const project = await taskmux.project(ONE);
  await project.ok(["start"]);
  const pid = await project.pid("web");
  await loseKeeper(taskmux, project);
  const { error } = await project.fails<Json>("E600", ["stop"]);
  assert.match(String(error), /keeper/);
  // It ends, and does not say that it has stopped what it cannot see.
  const stop = await taskmux.fails<Json>("E900", ["daemon", "stop"]);
  assert.match(stop.error, /one\/web .*keeper/s);
  assert.equal(await taskmux.daemonPid(), null);
  await until(() => !lives(pid));
});

// What was started again while the keeper still ended the others was hung up with it, and started a second time.
Deno.test("a keeper that is told to end starts nothing any more, the next one does", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "told"
[tasks.stubborn]
command = "trap '' HUP INT TERM; echo up; while :; do sleep 0.05; done"
ready_log = "up"
stop_grace_period = 0.1
[tasks.plain]
command = "echo run >> runs; exec sleep 1000"
`);
  await project.ok(["start"]);
  await project.linesOf("runs", 1);
  const stubborn = await project.pid("stubborn");
  Deno.kill(await keeperPid(taskmux), "SIGTERM");
  await project.when(
    "stubborn",
    (task) => task.healthy && task.pid !== stubborn,
  );
  const plain = await project.when("plain", "running");
  assert.equal(plain.restart_count, 1);
  assert.deepEqual(await project.linesOf("runs", 2), ["run", "run"]);
  assert.deepEqual(await project.events("plain", "auto_restart_failed"), []);
});
