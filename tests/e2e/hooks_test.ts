/**
 * Commands around a start and a stop.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Action } from "../support/project.ts";
import { freePort } from "../support/free_port.ts";
import { startStranger } from "../support/stranger.ts";
import { testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

/** The four hooks, each of which writes its name. */
function hooks(who: string): string {
  return ["before_start", "after_start", "before_stop", "after_stop"].map(
    (hook) => `${hook} = "echo ${who}.${hook} >> trace"`,
  ).join("\n");
}

const TRACED = `
name = "traced"
[hooks]
${hooks("G")}
[tasks.t]
command = "trap 'exit 0' INT; echo run >> trace; echo up; while :; do sleep 0.05; done"
ready_log = "up"
[tasks.t.hooks]
${hooks("T")}
`;

Deno.test("hooks run in order around start, stop and restart, and not around a kill", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TRACED);
  const traced = async (...args: string[]): Promise<string[]> => {
    await project.file("trace", "");
    await project.ok(args);
    const lines = await project.lines("trace");
    // After the spawn the task and the hooks write side by side.
    const run = lines.indexOf("run");
    if (run === -1) return lines;
    assert(lines.indexOf("T.before_start") < run, lines.join(" "));
    return lines.toSpliced(run, 1);
  };
  const up = [
    "G.before_start",
    "T.before_start",
    "T.after_start",
    "G.after_start",
  ];
  const down = [
    "G.before_stop",
    "T.before_stop",
    "T.after_stop",
    "G.after_stop",
  ];
  assert.deepEqual(await traced("start"), up);
  assert.deepEqual(await traced("stop"), down);
  assert.deepEqual(await traced("start", "t"), up);
  const restart = await traced("restart", "t");
  assert.deepEqual(
    restart.filter((line) => line.startsWith("T")),
    [
      "T.before_stop",
      "T.after_stop",
      "T.before_start",
      "T.after_start",
    ],
  );
  assert.deepEqual(
    restart.filter((line) => line.startsWith("G")).sort(),
    [...down, ...up].filter((line) => line.startsWith("G")).sort(),
  );
  assert.deepEqual(await traced("stop", "t"), down);
  await project.ok(["start"]);
  assert.deepEqual(await traced("kill", "t"), []);
});

Deno.test("an automatic restart runs the task's hooks, too", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TRACED);
  await project.ok(["start"]);
  await project.file("trace", "");
  const pid = await project.pid("t");
  Deno.kill(pid, "SIGKILL");
  await project.when("t", (task) => task.healthy && task.pid !== pid);
  // The hook after the start may be the last of them.
  await until(async () => (await project.lines("trace")).length >= 3);
  assert.deepEqual((await project.lines("trace")).toSorted(), [
    "T.after_start",
    "T.before_start",
    "run",
  ]);
});

// Failures of before_ hooks were ignored in most places of the original.
Deno.test("a before_start hook that fails prevents the start and shows its output", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "forbidden"
[tasks.t]
command = "echo run >> runs; exec sleep 1000"
[tasks.t.hooks]
before_start = "echo checking; echo no database >&2; exit 4"
[tasks.dependent]
command = "exec sleep 1000"
depends_on = ["t"]
[tasks.free]
command = "exec sleep 1000"
`);
  const one = await project.fails("E400", ["start", "t"]);
  assert.equal(one.details?.["hook"], "before_start");
  assert.equal(one.details?.["task"], "t");
  assert.equal(one.details?.["exit_code"], 4);
  assert.equal(one.details?.["output_tail"], "checking\nno database");
  assert.match(one.error, /exited with code 4/);

  const all = await project.fails<Action>("E400", ["start"]);
  assert.deepEqual(all.tasks, ["free"]);
  const codes = all.results?.map(({ task, error_code }) => [task, error_code]);
  assert.deepEqual(
    codes?.find(([task]) => task === "dependent")?.[1],
    "E402",
  );
  assert.deepEqual(await project.lines("runs"), []);
  assert.equal((await project.task("t")).state, "failed");
  assert.match((await project.task("t")).reason ?? "", /before_start/);
  const [event] = await project.events("t", "hook_failed");
  assert.equal(event?.["hook"], "before_start");
});

Deno.test("the project's before_start hook prevents everything, its before_stop hook keeps everything", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "gate"
[hooks]
before_start = "test -e open"
before_stop = "test -e closing"
[tasks]
a = "exec sleep 1000"
b = "exec sleep 1000"
`);
  for (const args of [["start"], ["start", "a"], ["restart"]]) {
    const refused = await project.fails("E400", args);
    assert.equal(refused.details?.["task"], null);
  }
  assert.equal((await project.status()).active_tasks, 0);
  await project.file("open", "");
  await project.ok(["start"]);
  for (const args of [["stop"], ["stop", "a"], ["restart"], ["restart", "a"]]) {
    const refused = await project.fails("E400", args);
    assert.equal(refused.details?.["hook"], "before_stop", args.join(" "));
  }
  assert.equal((await project.status()).active_tasks, 2);
  await project.ok(["kill", "b"]);
  await project.file("closing", "");
  await project.ok(["stop"]);
});

Deno.test("a before_stop hook that fails leaves the task as it was", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "kept"
[tasks.t]
command = "exec sleep 1000"
[tasks.t.hooks]
before_stop = "test -e allowed"
[tasks.dependent]
command = "exec sleep 1000"
depends_on = ["t"]
`);
  await project.ok(["start"]);
  const pid = await project.pid("t");
  await project.fails("E400", ["stop", "t"]);
  await project.fails("E400", ["restart", "t"]);
  assert.equal(await project.pid("t"), pid);
  const all = await project.fails<Action>("E400", ["stop"]);
  assert.deepEqual(all.tasks, ["dependent"]);
  const task = await project.task("t");
  assert.equal(task.state, "running");
  assert.equal(task.manual, false);

  // It is still wanted, so a crash is still recovered from.
  Deno.kill(pid, "SIGKILL");
  await project.when("t", (task) => task.running && task.pid !== pid);

  // The refusal is no reason for a kill to come back before it is done.
  await project.fails("E400", ["stop", "t"]);
  const killed = await project.ok<Action>(["kill", "t"]);
  assert.equal(killed.state, "stopped");
});

Deno.test("after_ hooks that fail are warnings, and every hook gets folder and environment", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "surroundings"
env = { SHARED = "all" }
[hooks]
before_start = 'echo "$PWD $TASKMUX_PROJECT \${TASKMUX_TASK-none} $CALLER" > project_hook'
after_start = "exit 5"
after_stop = "exit 6"
[tasks.web]
command = "echo $PORT > port; exec sleep 1000"
host = "web"
cwd = "sub"
env = { OWN = "one" }
[tasks.web.hooks]
after_start = 'echo "$PWD $SHARED $OWN $TASKMUX_TASK $TASKMUX_PROJECT_ID $PORT $CALLER" > hook; exit 1'
before_stop = 'echo "$PORT" > stop_hook'
after_stop = "exit 2"
`);
  await Deno.mkdir(`${project.folder}/sub`);
  const env = { CALLER: "me" };
  const started = await project.ok<Action>(["start"], { env });
  assert.equal(started.tasks?.length, 1);
  assert(
    started.warnings?.some((text) => /after_start of the project/.test(text)),
  );
  assert(
    started.warnings?.some((text) => /after_start of task "web"/.test(text)),
    `the task's own hook is told: ${started.warnings}`,
  );
  const [port] = await project.linesOf("sub/port", 1);
  assert.equal(
    await project.read("sub/hook"),
    `${project.folder}/sub all one web surroundings ${port} me\n`,
  );
  assert.equal(
    await project.read("project_hook"),
    `${project.folder} surroundings none me\n`,
  );
  assert.equal((await project.task("web")).running, true);
  const stopped = await project.ok<Action>(["stop"]);
  assert.equal(await project.read("sub/stop_hook"), `${port}\n`);
  assert(
    stopped.warnings?.some((text) => /after_stop of the project/.test(text)),
  );
  assert(
    stopped.warnings?.some((text) => /after_stop of task "web"/.test(text)),
  );
  assert.equal((await project.task("web")).state, "stopped");
});

// A start hung for ever when the surroundings of its hook could not be made.
Deno.test("what a hook needs and lacks is told like what a run lacks", async () => {
  await using taskmux = await testTaskmux();
  const port = freePort();
  const project = await taskmux.project(`
name = "lacking"
[tasks.file]
command = "exec sleep 1000"
env_file = "missing.env"
hooks = { before_start = "touch ran" }
[tasks.folder]
command = "exec sleep 1000"
cwd = "missing"
hooks = { before_start = "touch ran" }
[tasks.port]
command = "exec sleep 1000"
port = ${port}
hooks = { before_start = "echo $PORT >> ports" }
[tasks.any]
command = "echo $PORT >> ports; exec sleep 1000"
host = "any"
hooks = { before_start = "echo $PORT >> ports" }
`);
  {
    await using _stranger = await startStranger("hold_port.ts", String(port));
    await Promise.all([
      project.fails("E104", ["start", "file"]),
      project.fails("E213", ["start", "folder"]),
      project.fails("E214", ["start", "port"]),
    ]);
  }
  assert.equal(await project.read("ran"), null);
  assert.deepEqual(await project.events(undefined, "hook_failed"), []);
  await project.ok(["start", "port"]);
  const any = await project.ok<Action>(["start", "any"]);
  await until(async () => (await project.lines("ports")).length === 3);
  assert.deepEqual(
    (await project.lines("ports")).map(Number),
    [port, any.port, any.port],
  );
});

// The database was taken from under a task that its hook had kept running.
Deno.test("what a task that did not stop depends on is not stopped either", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "kept"
[tasks.db]
command = "exec sleep 1000"
[tasks.web]
command = "exec sleep 1000"
depends_on = ["db"]
[tasks.web.hooks]
before_stop = "test -e closing"
[tasks.other]
command = "exec sleep 1000"
`);
  await project.ok(["start"]);
  const answer = await project.fails<{
    results: { task: string; error_code?: string; hint?: string }[];
  }>("E400", ["stop"]);
  const results = answer.results ?? [];
  assert.deepEqual(
    results.filter(({ error_code }) => error_code !== undefined)
      .map(({ task, error_code }) => [task, error_code]),
    [["web", "E400"], ["db", "E402"]],
  );
  for (const name of ["db", "web"]) assert((await project.task(name)).running);
  assert.equal((await project.task("other")).running, false);
  await project.file("closing", "");
  await project.ok(["stop"]);
});
