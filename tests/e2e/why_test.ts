/**
 * `taskmux why`: one question tells why a task is as it is.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { keeperPid, killDaemon } from "../support/crashes.ts";
import { freePort } from "../support/free_port.ts";
import { program, type TestProject } from "../support/project.ts";
import { startStranger } from "../support/stranger.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

type Why = Result<"task.why">;

/** A typical answer costs an agent no more; a token is four bytes. */
const MAX_TOKENS = 300;

/** Asks over the socket, as the CLI does. */
async function ask(
  taskmux: Taskmux,
  project: TestProject,
  task: string,
): Promise<Why> {
  const why = await taskmux.call("task.why", {
    scope: { config: project.config },
    task,
  });
  const tokens = JSON.stringify(why).length / 4;
  assert(
    tokens <= MAX_TOKENS,
    `${task} costs ${tokens}: ${JSON.stringify(why)}`,
  );
  assert(why.summary.startsWith(`Task "${task}" is `), why.summary);
  return why;
}

/** The kinds of the chain, in order. */
function kinds({ chain }: Why): string[] {
  return chain.map(({ kind }) => kind);
}

const STATES = {
  crash: "backoff",
  gone: "failed",
  hooked: "failed",
  job: "completed",
  killed: "failed",
} as const;

const DOWN = `
name = "down"
[tasks.never]
command = "exec sleep 1000"
auto_start = false
[tasks.stopped]
command = "exec sleep 1000"
[tasks.crash]
command = "echo starting; echo 'TypeError: x is not a function'; echo '    at main (server.js:3:4)'; exit 3"
restart_backoff = 30
[tasks.gone]
command = "nosuchcommand --serve"
max_restarts = 1
[tasks.hooked]
command = "exec sleep 1000"
hooks.before_start = "echo migrating; echo cannot reach db; exit 4"
[tasks.job]
command = "echo done"
[tasks.killed]
command = "kill -9 $$"
restart_policy = "no"
`;

const SICK = `
name = "sick"
[tasks.http]
command = "${program("http_server.ts")}"
health_url = "http://127.0.0.1:$PORT/"
restart_policy = "no"
boot_grace = 0
health_interval = 0.05
health_retries = 2
[tasks.check]
command = "echo 'Error: connect ECONNREFUSED'; exec sleep 1000"
health_check = "echo db is down; exit 7"
[tasks.waits]
command = "exec sleep 1000"
depends_on = ["check"]
[tasks.waits_too]
command = "exec sleep 1000"
depends_on = { waits = "started" }
[tasks.well]
command = "exec sleep 1000"
`;

/** The answer for people. */
async function checkText(project: TestProject): Promise<void> {
  const text = await project.run(["why", "crash"]);
  assert.equal(text.code, 0);
  assert.match(
    text.stdout,
    /^Task "crash" is in backoff\n {2}exit .*\n +\| TypeError/,
  );
  assert.match(
    text.stdout,
    /\n {2}next +taskmux: starts it again in .*\n +you: taskmux logs crash\n$/,
  );
}

/** The same without a daemon. */
async function checkOffline(
  taskmux: Taskmux,
  project: TestProject,
): Promise<void> {
  await project.ok(["stop", "crash"]);
  await taskmux.ok(["daemon", "stop"]);
  for (
    const [name, state] of Object.entries({
      ...STATES,
      crash: "stopped",
      never: "stopped",
    })
  ) {
    const offline = await project.ok<Why>(["why", name]);
    assert.equal(offline.state, state);
    assert.equal(offline.chain[0]?.kind, "daemon");
    assert(JSON.stringify(offline).length / 4 <= MAX_TOKENS);
  }
  const offline = await project.ok<Why>(["why", "hooked"]);
  assert.equal(offline.chain[1]?.["output"], "migrating\ncannot reach db");
  assert.equal(await taskmux.daemonPid(), null, "a question starts nothing");
}

Deno.test("why explains what is down, has crashed or has done its work", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(DOWN);
  await project.run(["start", "--json"]);
  for (const [name, state] of Object.entries(STATES)) {
    await project.when(name, state);
  }
  await project.ok(["stop", "stopped"]);

  const never = await ask(taskmux, project, "never");
  assert.match(
    never.summary,
    /is stopped: it was never started, and has auto_start = false/,
  );
  assert.equal(never.next.you, "taskmux start never");

  const stopped = await ask(taskmux, project, "stopped");
  assert.match(stopped.summary, /stopped by hand \("taskmux stop"\) \S+ ago$/);
  assert.match(stopped.next.taskmux, /stays down/);

  const crash = await ask(taskmux, project, "crash");
  assert.deepEqual(kinds(crash).slice(0, 2), ["exit", "backoff"]);
  assert.match(
    crash.summary,
    /^Task "crash" is in backoff: exited with code 3 after .*; automatic restart 2 of at most 5 follows in /,
  );
  assert.deepEqual(crash.chain[0]?.["lines"], [
    "TypeError: x is not a function",
    "    at main (server.js:3:4)",
  ]);
  const left = Number(crash.chain[1]?.["restart_in_s"]);
  assert(left > 0 && left <= 30, `${left}`);

  const gone = await ask(taskmux, project, "gone");
  assert.match(gone.summary, /exited with code 127 \(command not found\)/);
  assert.match(
    JSON.stringify(gone.chain[0]?.["lines"]),
    /nosuchcommand.*not found/,
  );
  assert.match(
    String(gone.chain[1]?.text),
    /gave up after 1 automatic restart/,
  );
  assert.equal(gone.next.you, "taskmux logs gone");

  const hooked = await ask(taskmux, project, "hooked");
  assert.equal(hooked.chain[0]?.kind, "hook");
  assert.equal(hooked.chain[0]?.["output"], "migrating\ncannot reach db");

  const job = await ask(taskmux, project, "job");
  assert.match(job.summary, /is completed: exited with code 0 after /);

  const killed = await ask(taskmux, project, "killed");
  assert.match(killed.summary, /ended by SIGKILL \(not by taskmux/);
  await project.fails("E200", ["why", "jobs"]);

  await checkText(project);
  await checkOffline(taskmux, project);
});

Deno.test("why follows what is waited for, and shows what probes got to see", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(SICK);
  await project.file("status", "500");
  await project.file("body", "no connection to the database");
  await project.run(["start", "--timeout", "1", "--json"]);
  await project.when(
    "http",
    ({ state, reason }) => state === "unhealthy" && /500/.test(reason ?? ""),
  );
  await project.when("check", (task) => task.last_health !== null);

  const http = await ask(taskmux, project, "http");
  assert.match(
    http.summary,
    /is unhealthy: http probe failed \S+ ago: status 500 != 200/,
  );
  assert.equal(http.chain[0]?.["output"], "no connection to the database");
  assert.match(http.next.taskmux, /restart_policy = "no"/);

  const check = await ask(taskmux, project, "check");
  assert.match(
    check.summary,
    /is starting: shell probe failed \S+ ago: exit 7: db is down/,
  );
  assert.equal(check.chain[0]?.["output"], "db is down");
  assert.deepEqual(check.chain.find(({ kind }) => kind === "run")?.["lines"], [
    "Error: connect ECONNREFUSED",
  ]);

  const waits = await ask(taskmux, project, "waits");
  assert.match(
    waits.summary,
    /is waiting: it waits for check \(healthy\), which is starting: exit 7: db is down/,
  );
  const chained = await ask(taskmux, project, "waits_too");
  assert.deepEqual(
    chained.chain.filter(({ kind }) => kind === "dependency")
      .map(({ task, condition, state }) => `${task} ${condition} ${state}`),
    ["waits started waiting", "check healthy starting"],
  );
  assert.equal(chained.next.you, "taskmux why check");

  const well = await ask(taskmux, project, "well");
  assert.equal(well.next.you, null);

  // A daemon that died: what runs is told, and who takes it over.
  await killDaemon(taskmux);
  const offline = await project.ok<Why>(["why", "well"]);
  assert.equal(offline.state, "running");
  assert.match(
    String(offline.chain[0]?.text),
    /no daemon runs, only its keeper.* runs on as pid \d+/,
  );
  assert.equal(offline.next.you, "taskmux daemon start");
  assert.equal(await taskmux.daemonPid(), null);
});

Deno.test("why names who holds the port of a task", async () => {
  await using taskmux = await testTaskmux();
  const port = freePort();
  const other = freePort();
  const project = await taskmux.project(`
name = "taken"
[tasks.web]
command = "exec sleep 1000"
port = ${port}
[tasks.stubborn]
command = "${program("hold_port.ts")} ${other}"
host = "stubborn"
`);
  {
    await using stranger = await startStranger("hold_port.ts", String(port));
    await project.fails("E214", ["start", "web"]);
    const why = await ask(taskmux, project, "web");
    assert.deepEqual(kinds(why).slice(0, 2), ["error", "port"]);
    assert.equal(why.chain[1]?.["pid"], stranger.pid);
    assert.match(
      String(why.chain[1]?.text),
      /is held by ".*" \(pid \d+, no task of taskmux\)/,
    );
    assert.equal(why.next.you, `taskmux who ${port}`);
  }
  const after = await ask(taskmux, project, "web");
  assert.equal(after.chain[1]?.text, `port ${port} is free now`);

  // The usual mistake with names: a port of the program's own.
  await project.ok(["start", "stubborn"]);
  const stubborn = await until(async () => {
    const why = await ask(taskmux, project, "stubborn");
    return why.chain.find((link) => link["elsewhere"] !== undefined);
  });
  assert.deepEqual(stubborn["elsewhere"], [other]);
  assert.match(stubborn.text, new RegExp(`or set port = ${other}$`));
});

Deno.test("why says that the keeper does not answer, and that the file is not in force", async () => {
  await using taskmux = await testTaskmux();
  const toml = `
name = "alone"
[tasks.web]
command = "exec sleep 1000"
host = "web"
`;
  const project = await taskmux.project(toml);
  await project.ok(["start"]);
  const pid = await keeperPid(taskmux);
  Deno.kill(pid, "SIGSTOP");
  try {
    const why = await ask(taskmux, project, "web");
    assert.deepEqual(kinds(why).slice(0, 2), ["keeper", "probe"]);
    assert.match(String(why.chain[0]?.text), /keeper does not answer/);
  } finally {
    Deno.kill(pid, "SIGCONT");
  }
  await project.replace(`${toml}[tasks.`);
  const broken = await ask(taskmux, project, "web");
  const config = broken.chain.find(({ kind }) => kind === "config");
  assert.equal(config?.["error_code"], "E101");
  await project.replace(toml.replace("1000", "2000"));
  const changed = await ask(taskmux, project, "web");
  assert.match(JSON.stringify(changed.chain), /"config_changed":true/);
});
