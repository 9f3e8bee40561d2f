/**
 * Waiting for one of several tasks, for events, with evidence, and through the end of daemons.
 *
 * @module
 */

import assert from "node:assert/strict";
import { connect } from "../../src/client/client.ts";
import type { Result } from "../../src/contract/mod.ts";
import { killDaemon } from "../support/crashes.ts";
import { openTerminal } from "../support/terminal.ts";
import type { TestProject } from "../support/project.ts";
import {
  type ErrorAnswer,
  type Json,
  type Taskmux,
  testTaskmux,
} from "../support/taskmux.ts";
import { until } from "../support/until.ts";

type Waited = Result<"task.wait">;

/** A task that says what it does, and goes on when its file is there. */
function gated(name: string, then: string, more = ""): string {
  return `[tasks.${name}]
command = "echo ${name} begins; until [ -e ${name}.go ]; do sleep 0.02; done; ${then}"
${more}
`;
}

/** The answer of a command line that was spawned. */
async function answerOf<T>(child: Deno.ChildProcess): Promise<T & Json> {
  const { stdout } = await child.output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Waits until a command line has a connection to its daemon. */
async function untilConnected(child: Deno.ChildProcess): Promise<void> {
  const [program = "", ...args] = Deno.build.os === "linux"
    ? ["ls", "-l", `/proc/${child.pid}/fd`]
    : ["lsof", "-U", "-p", `${child.pid}`];
  await until(async () => {
    const { stdout } = await new Deno.Command(program, {
      args,
      stderr: "null",
    }).output();
    return /socket:|unix/.test(new TextDecoder().decode(stdout));
  }, { what: "a connected wait" });
}

Deno.test("wait --any returns with the first, and fails when none can come any more", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "any"
${gated("a", "exit 3", 'restart_policy = "no"')}
${gated("b", "echo b is done")}
${gated("c", "echo 'Error: no disk'; exit 1", 'restart_policy = "no"')}
`);
  await project.ok(["start"]);
  const any = ["--any", "--for", "completed"];
  const first = project.ok<Waited>(["wait", "a", "b", ...any]);
  const none = project.fails<{ details: { tasks: Json[] } }>(
    "E403",
    ["wait", "a", "c", ...any],
  );
  await project.file("a.go", "");
  await project.when("a", "failed");
  await project.file("b.go", "");
  const { met, tasks } = await first;
  assert.deepEqual(met, ["b"]);
  assert.deepEqual(
    tasks.map(({ task, met, state }) => [task, met, state]),
    [["a", false, "failed"], ["b", true, "completed"]],
  );
  await project.file("c.go", "");
  const { details } = await none;
  assert.deepEqual(
    details.tasks.map(({ task, output_tail }) => [task, output_tail]),
    [["a", "a begins"], ["c", "c begins\nError: no disk"]],
  );
  // What is so already is told at once.
  const already = await project.ok<Waited>(["wait", "c", "b", ...any]);
  assert.deepEqual(already.met, ["b"]);
  assert.deepEqual(
    (await project.ok<Waited>(["wait", "b", "--for", "started"])).met,
    ["b"],
  );
  await project.fails("E403", ["wait", "a", "--for", "started"]);
});

/** Starts a one-shot again and again, so that its events come after whatever point the waits begin at. */
async function repeatUntil(
  project: TestProject,
  task: string,
  over: Promise<unknown>,
): Promise<void> {
  let isOver = false;
  const watching = over.finally(() => isOver = true);
  while (!isOver) await project.run(["start", task, "--json"]);
  await watching;
}

Deno.test("wait tells the line or the event that it waited for", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "what"
${gated("a", "echo Job 17 done; exec sleep 1000")}
[tasks.b]
command = "true"
`);
  await project.ok(["start"]);
  await project.file("a.go", "");
  const waits = Promise.all([
    ["a", "--for", "log:/job \\d+/i"],
    ["b", "--for", "event:task_completed"],
    ["--for", "event:task_completed"],
    ["a", "b", "--any", "--for", "event:task_exited"],
  ].map((args) => project.ok<Waited>(["wait", ...args])));
  await repeatUntil(project, "b", waits);
  const [line, own, anybody, exited] = await waits;
  assert.equal(line?.tasks[0]?.line, "Job 17 done");
  assert.equal(own?.tasks[0]?.event?.["event"], "task_completed");
  assert.equal(anybody?.event?.["task"], "b");
  assert.deepEqual(anybody?.tasks, []);
  assert.deepEqual(exited?.met, ["b"]);

  // What happened before is no news.
  const late = await project.fails("E602", [
    "wait",
    "b",
    "--for",
    "event:task_completed",
    "--timeout",
    "0.3",
  ]);
  assert.match(late.error, /^No event:task_completed after 0\.3 s/);
  const typo = await project.fails("E500", [
    "wait",
    "--for",
    "event:task_exit",
  ]);
  assert.equal(typo.hint, 'did you mean "event:task_exited"?');
  await project.fails("E500", ["wait", "--for", "healthy"]);
  // The keeper would not take it, either.
  const long = await project.fails("E500", [
    "wait",
    "a",
    "--for",
    `log:/${"x".repeat(5_000)}/`,
  ]);
  assert.ok(long.error.length < 200, long.error);
  for (const timeout of ["0", "1000000000", "1e9"]) {
    await project.fails("E500", ["wait", "a", "--timeout", timeout]);
    await project.fails("E500", [
      "start",
      "a",
      "--timeout",
      timeout === "0" ? "-1" : timeout,
    ]);
  }
});

Deno.test("wait fails with what was printed last, also when time is over", async () => {
  await using taskmux = await testTaskmux();
  const noise = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo tick $i; done";
  const project = await taskmux.project(`
name = "evidence"
[tasks.slow]
command = "echo 'Error: connect ECONNREFUSED'; ${noise}; exec sleep 1000"
health_check = "echo no schema; exit 1"
${gated("b", "exit 0")}
`);
  await project.ok(["start"]);
  await until(async () => (await project.log("slow")).length === 13);
  await until(async () => (await project.log("b")).length === 1);
  await project.when("slow", (task) => task.reason !== null);
  const run = await project.run(["wait", "slow", "--timeout", "0.5"]);
  assert.equal(run.code, 124);
  assert.match(
    run.stderr,
    /Not healthy after 0\.5 s: slow is starting \(exit 1: no schema\)/,
  );
  assert.match(
    run.stderr,
    /\| Error: connect ECONNREFUSED\n {2}\| …\n {2}\| tick 3\n[^]*\| tick 12\nhint: taskmux why slow\n/,
  );

  const two = await project.fails("E602", [
    ...["wait", "slow", "b", "--for", "completed", "--timeout", "0.3"],
  ]);
  assert.equal(
    two.details?.["output_tail"],
    "slow: tick 10\nslow: tick 11\nslow: tick 12\nb: b begins",
  );
  assert.deepEqual(two.details?.["error_lines"], [
    "slow: Error: connect ECONNREFUSED",
  ]);
  const start = await project.fails("E602", [
    "start",
    "b",
    "--wait",
    "--timeout",
    "0.3",
    "--if-stopped",
  ]).catch(() => null);
  assert.equal(start, null, "b runs, and is healthy for that");
});

Deno.test("a task that leaves the file cannot be waited for any more", async () => {
  await using taskmux = await testTaskmux();
  const stubborn = gated("a", "exit 0", "stop_grace_period = 30");
  const rest = gated("b", "exit 0");
  const project = await taskmux.project(
    `name = "removed"\n${
      stubborn.replace("echo", "trap : INT TERM; echo")
    }${rest}`,
  );
  await project.ok(["start"]);
  const waits = ["completed", "log:/nothing/", "event:task_unhealthy"]
    .map((condition) =>
      project.fails("E200", ["wait", "a", "--for", condition])
    );
  const any = project.ok<Waited>([
    "wait",
    "a",
    "b",
    "--any",
    "--for",
    "completed",
  ]);
  await until(async () => (await project.log("a")).length > 0);
  await project.replace(`name = "removed"\n${rest}`);
  const [first] = await Promise.all(waits);
  assert.match(first!.error, /was removed from the configuration while/);
  assert.equal(
    (await project.task("a")).state,
    "stopping",
    "it was told at once",
  );
  await project.file("b.go", "");
  assert.deepEqual((await any).met, ["b"]);
  await project.file("a.go", "");
});

/** Waits that hang when their daemon ends, and what they say in the end. */
async function waitThrough(
  taskmux: Taskmux,
  project: TestProject,
  end: () => Promise<unknown>,
): Promise<void> {
  const children = [
    ["a", "--for", "completed"],
    ["a", "--for", "log:/a is done/"],
    ["b", "--for", "stopped", "--timeout", "2"],
  ].map((args) => project.spawn(["wait", ...args, "--json"]));
  for (const child of children) await untilConnected(child);
  const before = await taskmux.daemonPid();
  await end();
  await project.file("a.go", "");
  const [completed, line, late] = await Promise.all(
    children.map((child) => answerOf<Waited & ErrorAnswer>(child)),
  );
  assert.equal(
    completed?.tasks?.[0]?.state,
    "completed",
    JSON.stringify(completed),
  );
  assert.equal(line?.tasks?.[0]?.line, "a is done", JSON.stringify(line));
  assert.equal(late?.error_code, "E602", JSON.stringify(late));
  assert.match(late?.error ?? "", /after 2 s/);
  assert.notEqual(await taskmux.daemonPid(), before);
}

const THROUGH = `
name = "through"
${gated("a", "echo a is done")}
[tasks.b]
command = "exec sleep 1000"
`;

Deno.test("wait goes on through a restart of the daemon", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(THROUGH);
  await project.ok(["start"]);
  await waitThrough(taskmux, project, () => taskmux.ok(["daemon", "restart"]));
});

Deno.test("wait goes on when the daemon is killed, and starts another one for the tasks that live on", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(THROUGH);
  await project.ok(["start"]);
  const scope = { config: project.config };
  const { events } = await taskmux.call("event.list", { limit: 1 });
  await waitThrough(taskmux, project, () => killDaemon(taskmux));
  // What happened while no daemon looked is an event after the cursor as well.
  const { tasks } = await taskmux.call("task.wait", {
    scope,
    tasks: ["a"],
    for: "event:task_exited",
    after: events[0]!.seq,
    timeout: 5,
  });
  assert.equal(tasks[0]?.event?.["event"], "task_exited");
});

Deno.test("wait ends with a daemon that is stopped, and brings none back", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(THROUGH);
  await project.ok(["start"]);
  const child = project.spawn([
    "wait",
    "a",
    "--for",
    "event:task_unhealthy",
    "--json",
  ]);
  await untilConnected(child);
  // A daemon that ends before it was asked anything is none to the waiter, which starts one. By the time that another
  // command has been through, it has asked.
  await project.status();
  await project.ok(["status"]);
  await taskmux.ok(["daemon", "stop"]);
  const answer = await answerOf<ErrorAnswer>(child);
  assert.equal(answer.error_code, "E600", JSON.stringify(answer));
  assert.match(answer.error, /the daemon was stopped/);
  assert.equal(await taskmux.daemonPid(), null);
});

Deno.test("wait ends in time although the daemon does not", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(THROUGH);
  await project.ok(["start"]);
  const args = ["wait", "a", "--for", "completed", "--timeout", "0.5"];
  const child = project.spawn([...args, "--json"]);
  await untilConnected(child);
  const pid = (await taskmux.daemonPid())!;
  Deno.kill(pid, "SIGSTOP");
  try {
    const answer = await answerOf<ErrorAnswer>(child);
    assert.equal(answer.error_code, "E602", JSON.stringify(answer));
  } finally {
    Deno.kill(pid, "SIGCONT");
  }
});

Deno.test("a hundred wait at once", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(
    `name = "many"\n${gated("a", "echo a is done; exec sleep 1000")}`,
  );
  await project.ok(["start"]);
  const scope = { config: project.config };
  const clients = await Promise.all(Array.from(
    { length: 100 },
    () => connect(taskmux.home.paths.daemonSocket),
  ));
  const conditions = [
    "log:/a is done/",
    "event:task_stopped",
    "stopped",
    "completed",
  ];
  const waits = clients.map((client, at) =>
    client!.call("task.wait", { scope, tasks: ["a"], for: conditions[at % 4] })
      .then(() => "met", (error) => String(error.code))
  );
  await project.file("a.go", "");
  await project.ok(["wait", "a", "--for", "log:/a is done/"]);
  await project.ok(["stop", "a"]);
  const ends = await Promise.all(waits);
  await Promise.all(clients.map((client) => client?.close()));
  assert.deepEqual(
    ends.slice(0, 4).map((end, at) => `${conditions[at]} ${end}`),
    [
      "log:/a is done/ met",
      "event:task_stopped met",
      "stopped met",
      "completed E202",
    ],
  );
  ends.forEach((end, at) => assert.equal(end, ends[at % 4]));
});

Deno.test("a terminal shows what tasks print while they are waited for", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "shown"
[tasks.a]
command = "for i in 1 2 3; do until [ -e $i.go ]; do sleep 0.02; done; echo step $i; done; exec sleep 1000"
ready_log = "step 3"
[tasks.other]
command = "while sleep 0.02; do echo noise; done"
`);
  await project.ok(["start", "--json"]);
  const args = ["wait", "a"];
  await using terminal = openTerminal(taskmux.home, args, project.folder);
  await using quiet = openTerminal(
    taskmux.home,
    [...args, "--quiet"],
    project.folder,
  );
  await terminal.shows("Waiting for healthy");
  await project.file("1.go", "");
  await terminal.shows(/\[a\].* step 1\r?\n/);
  await project.file("2.go", "");
  await terminal.shows(/\[a\].* step 2\r?\n/);
  // The block at the bottom is drawn again below what was printed.
  await terminal.shows(/step 2\r?\n[^]*Waiting for healthy/);
  // What happens to a task that is not waited for is not shown, let alone as done.
  await project.ok(["restart", "other", "--json"]);
  await terminal.shows("Waiting for healthy", terminal.mark());
  await project.file("3.go", "");
  assert.equal(await terminal.ended(), 0);
  assert.match(terminal.text, /Task "a" is healthy/);
  assert.doesNotMatch(terminal.text, /noise|other/);
  assert.equal(await quiet.ended(), 0);
  assert.doesNotMatch(quiet.text, /step|Waiting/);
});
