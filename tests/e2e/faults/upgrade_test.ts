/**
 * Another version of taskmux takes over from this one, and back. Tasks are kept, or it is said why not and nothing is done.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../../src/contract/mod.ts";
import { VERSION } from "../../../src/contract/wire.ts";
import { MIGRATIONS } from "../../../src/store/migrations.ts";
import { otherVersion } from "../../support/other_version.ts";
import { isRunning } from "../../support/process_state.ts";
import type { TestProject } from "../../support/project.ts";
import {
  type Json,
  killIfThere,
  type Taskmux,
  testTaskmux,
} from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

type DaemonStatus = Result<"daemon.status"> & { readonly hint?: string };

/** Each of them says in `order` how it ends. */
const PROJECT = `
name = "shop"
[tasks.db]
command = '''
trap 'echo "db INT" >> order; exit 0' INT
trap 'echo "db TERM" >> order; exit 0' TERM
echo up; while :; do sleep 0.05; done'''
ready_log = "up"
[tasks.web]
command = '''
trap 'echo "web INT" >> order; exit 0' INT
trap 'echo "web TERM" >> order; exit 0' TERM
echo up; while :; do sleep 0.05; done'''
ready_log = "up"
depends_on = ["db"]
[tasks.idle]
command = "exec sleep 1000"
auto_start = false
`;

async function pidsOf(project: TestProject): Promise<(number | null)[]> {
  return (await project.status()).tasks.map(({ pid }) => pid);
}

async function killDaemon(taskmux: Taskmux, pid: unknown): Promise<void> {
  assert(typeof pid === "number");
  killIfThere(pid);
  await until(async () => !await isRunning(pid));
  assert.equal(await isRunning(pid), false, `daemon of ${taskmux.home.root}`);
}

function daemonStatus(
  taskmux: Taskmux,
  options: { readonly entry?: string } = {},
): Promise<DaemonStatus> {
  return taskmux.ok<DaemonStatus>(["daemon", "status"], options);
}

Deno.test("another version of the same protocols works at once, and takes over without a task noticing", async () => {
  await using taskmux = await testTaskmux();
  const other = await otherVersion(taskmux.home, { version: "9.9.9" });
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"]);
  const pids = await pidsOf(project);

  const before = await daemonStatus(taskmux, other);
  assert.equal(before.version, VERSION);
  assert.equal(before["cli_version"], "9.9.9");
  assert.equal(before.hint, "taskmux daemon restart");
  const { stdout } = await taskmux.run(["daemon", "status"], other);
  assert.match(stdout, /This is taskmux 9\.9\.9.*"taskmux daemon restart"/);
  assert.equal((await daemonStatus(taskmux)).hint, undefined);
  await project.ok(["start", "idle"], other);
  await project.ok(["stop", "idle"], other);

  await taskmux.ok(["daemon", "restart"], other);
  const after = await daemonStatus(taskmux, other);
  assert.equal(after.version, "9.9.9");
  assert.equal(after.keeper.version, VERSION, "as long as it holds tasks");
  assert.equal(after.hint, undefined);
  assert.deepEqual(after.warnings, []);
  assert.deepEqual(await pidsOf(project), pids);
  const status = await project.run(["status"], other);
  assert.equal(status.stderr, "");
  const text = (await taskmux.run(["daemon", "status"], other)).stdout;
  assert.match(text, /Keeper: pid \d+, taskmux 0\..*works with this daemon/);

  // And back.
  await taskmux.ok(["daemon", "restart"]);
  assert.equal((await daemonStatus(taskmux)).version, VERSION);
  assert.deepEqual(await pidsOf(project), pids);
  assert.equal((await project.events("web", "task_started")).length, 1);
  assert.deepEqual(await project.events("web", "task_exited"), []);
  // Nothing of the old version is left once nothing needs it.
  await taskmux.ok(["daemon", "stop"], other);
  assert.deepEqual(await taskmux.processes(), []);
});

Deno.test("a version that speaks another protocol to clients is refused by name, and can replace or stop the other", async () => {
  await using taskmux = await testTaskmux();
  const other = await otherVersion(taskmux.home, {
    version: "9.9.9",
    wireProtocol: 99,
  });
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"]);
  const pids = await pidsOf(project);
  const pid = (await taskmux.ok<Json>(["daemon", "pid"]))["pid"];
  for (const args of [["status"], ["start", "idle"], ["daemon", "start"]]) {
    const refused = await project.fails("E601", args, other);
    assert.ok(refused.error.includes(VERSION), refused.error);
    assert.match(refused.error, /protocol 1\b.*9\.9\.9 with protocol 99/);
    assert.equal(refused.hint, "taskmux daemon restart");
  }
  assert.equal((await taskmux.ok<Json>(["daemon", "pid"], other))["pid"], pid);

  // The remedy that is named works, in both directions.
  const restarted = await taskmux.ok<Json>(["daemon", "restart"], other);
  assert.equal(restarted["old_pid"], pid);
  assert.equal((await daemonStatus(taskmux, other)).version, "9.9.9");
  const { hint } = await project.fails("E601", ["status"]);
  assert.equal(hint, "taskmux daemon restart");
  await taskmux.ok(["daemon", "restart"]);
  assert.deepEqual(await pidsOf(project), pids);
  assert.equal(await project.read("order"), null);

  await taskmux.ok(["daemon", "stop"], other);
  for (const each of pids) if (each !== null) assert(!await isRunning(each));
  assert.deepEqual(await project.lines("order"), ["web INT", "db INT"]);
  assert.deepEqual(await taskmux.processes(), []);
});

Deno.test("versions with one protocol of the keeper in common keep tasks", async () => {
  await using taskmux = await testTaskmux();
  const other = await otherVersion(taskmux.home, {
    version: "9.9.9",
    keeperProtocol: 2,
    oldestKeeperProtocol: 1,
  });
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"], other);
  const [, web] = await pidsOf(project);
  await taskmux.ok(["daemon", "restart"]);
  const status = await daemonStatus(taskmux);
  assert.deepEqual(
    [status.version, status.keeper.version, status.keeper.protocol],
    [VERSION, "9.9.9", 2],
  );
  assert.equal(await project.pid("web"), web);
  await project.ok(["restart", "db"]);
  await project.when("db", "healthy");
  await taskmux.ok(["daemon", "restart"], other);
  assert.equal(await project.pid("web"), web);
});

Deno.test("tasks of a keeper that cannot be talked to run on, until somebody says that they may be restarted", async () => {
  await using taskmux = await testTaskmux({
    expectedErrors: /Cannot take over the tasks/,
  });
  const other = await otherVersion(taskmux.home, {
    version: "9.9.9",
    keeperProtocol: 3,
    oldestKeeperProtocol: 2,
  });
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"]);
  const pids = await pidsOf(project);
  const { pid } = await daemonStatus(taskmux);

  // Nothing is begun that could not be brought to its end.
  const refused = await taskmux.fails("E601", ["daemon", "restart"], other);
  assert.match(refused.error, /protocol 1\b.*9\.9\.9 with protocol 2 to 3/);
  assert.match(refused.error, /It holds shop\/db, shop\/web$/);
  assert.match(refused.hint ?? "", /^taskmux daemon restart --force/);
  assert.deepEqual(refused.details?.["tasks"], ["shop/db", "shop/web"]);
  assert.equal((await daemonStatus(taskmux, other)).pid, pid);
  assert.deepEqual(await pidsOf(project), pids);

  // The old daemon knows how its tasks are to be ended.
  const forced = ["daemon", "restart", "--force"];
  const done = await taskmux.ok<Json>(forced, other);
  assert.deepEqual([done["old_pid"], done["kept_tasks"]], [pid, false]);
  const { keeper } = await daemonStatus(taskmux, other);
  assert.deepEqual([keeper.version, keeper.protocol], ["9.9.9", 3]);
  await project.when("web", "healthy");
  assert.deepEqual(await project.lines("order"), ["web INT", "db INT"]);
  assert.equal((await project.task("idle")).state, "stopped");
  const again = await pidsOf(project);
  assert.notDeepEqual(again, pids);

  // Without a daemon only the keeper can end them; what was up comes back.
  await killDaemon(taskmux, done["pid"]);
  for (const args of [["daemon", "start"], ["start", "idle"]]) {
    const { error } = await project.fails("E601", args);
    assert.match(error, /the keeper that holds them \(pid \d+\)/);
  }
  for (const each of again) if (each !== null) assert(await isRunning(each));
  await taskmux.ok(forced);
  await project.when("web", "healthy");
  assert.deepEqual(
    (await project.lines("order")).slice(2).toSorted(),
    ["db TERM", "web TERM"],
  );
  for (const name of ["db", "web"]) {
    const history = await project.history(name);
    const count = (type: string): number =>
      history.filter((event) => event === type).length;
    assert.equal(count("task_started"), 3, `${name}: ${history}`);
    assert.equal(count("task_exited"), 2, `${name}: ${history}`);
  }
  assert.equal((await project.task("idle")).state, "stopped");
});

Deno.test("daemon stop ends the tasks of a keeper that cannot be talked to", async () => {
  await using taskmux = await testTaskmux();
  const other = await otherVersion(taskmux.home, {
    version: "9.9.9",
    keeperProtocol: 3,
    oldestKeeperProtocol: 2,
  });
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"]);
  await killDaemon(taskmux, (await project.status()).daemon_pid);
  await taskmux.ok(["daemon", "stop"], other);
  assert.deepEqual(await taskmux.processes(), []);
  assert.deepEqual(
    (await project.lines("order")).toSorted(),
    ["db TERM", "web TERM"],
  );
  // As after every stop.
  await taskmux.ok(["daemon", "start"]);
  const { tasks } = await project.status();
  assert(tasks.every(({ state }) => state === "stopped"));
});

Deno.test("an older version touches neither the state nor the daemon of a newer one", async () => {
  await using taskmux = await testTaskmux({
    expectedErrors: /a newer taskmux wrote it/,
  });
  const other = await otherVersion(taskmux.home, {
    version: "9.9.9",
    moreMigrations: 1,
  });
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"], other);
  const pids = await pidsOf(project);
  const { pid } = await daemonStatus(taskmux);
  for (
    const args of [["daemon", "restart"], ["daemon", "restart", "--force"]]
  ) {
    const { error } = await taskmux.fails("E601", args);
    const known = MIGRATIONS.length;
    const formats = `(format ${known + 1}, this one knows ${known})`;
    assert(error.endsWith(`a newer taskmux wrote it ${formats}`), error);
  }
  assert.equal((await daemonStatus(taskmux)).pid, pid);

  await killDaemon(taskmux, pid);
  const { database } = taskmux.home.paths;
  const before = await Deno.readFile(database);
  for (const args of [["start"], ["daemon", "start"]]) {
    await project.fails("E601", args);
  }
  assert.deepEqual(await Deno.readFile(database), before);
  for (const each of pids) if (each !== null) assert(await isRunning(each));
  await taskmux.ok(["daemon", "start"], other);
  assert.deepEqual(await pidsOf(project), pids);
  await taskmux.ok(["daemon", "stop"], other);
});

Deno.test("asking beforehand touches nothing, so that what is damaged is still told by the next daemon", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  await project.ok(["start", "db"]);
  await Deno.writeTextFile(taskmux.home.paths.registry, "no registry");
  await taskmux.ok(["daemon", "restart"]);
  const { warnings } = await daemonStatus(taskmux);
  assert(warnings.some((text) => /registry/i.test(text)), `${warnings}`);
});

// The old daemon ended first, and its tasks were left alone with settings that no other one could start with.
Deno.test("settings that no daemon can start with do not end the one that runs", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  await project.ok(["start", "db"]);
  const { pid } = await daemonStatus(taskmux);
  await Deno.writeTextFile(taskmux.home.paths.hostConfig, "api_port = no\n");
  const { error } = await taskmux.fails("E101", ["daemon", "restart"]);
  assert.match(error, /config\.toml/);
  assert.equal((await daemonStatus(taskmux)).pid, pid);
  await Deno.writeTextFile(taskmux.home.paths.hostConfig, "api_port = 0\n");
  await taskmux.ok(["daemon", "restart"]);
});
