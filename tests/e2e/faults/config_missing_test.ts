/**
 * The file of a project goes away. Its tasks may neither run on unmanaged, nor be lost when the file comes back.
 *
 * @module
 */

import assert from "node:assert/strict";
import { killDaemon } from "../../support/crashes.ts";
import { isRunning } from "../../support/process_state.ts";
import { seqOf, type TestProject } from "../../support/project.ts";
import { type Json, type Taskmux, testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const SHOP = `
name = "shop"
[tasks.db]
command = "exec sleep 1000"
[tasks.web]
command = "exec sleep 1000"
depends_on = ["db"]
[tasks.halted]
command = "exec sleep 1000"
[tasks.manual]
command = "exec sleep 1000"
auto_start = false
`;

async function begin(taskmux: Taskmux): Promise<TestProject> {
  const project = await taskmux.project(SHOP);
  await project.ok(["start"]);
  await project.ok(["stop", "halted"]);
  return project;
}

/** State of the only project, as `daemon list` tells it. */
async function listed(taskmux: Taskmux): Promise<Json> {
  const { projects } = await taskmux.ok<{ projects: Json[] }>(
    ["daemon", "list"],
  );
  assert.equal(projects.length, 1);
  return projects[0]!;
}

/** The answer of `status` for who has no file to name the project by. */
async function status(taskmux: Taskmux) {
  return await taskmux.call("task.status", { scope: { session: "shop" } });
}

async function eventsOf(taskmux: Taskmux, ...types: string[]) {
  const { events } = await taskmux.call("event.list", {
    scope: { session: "shop" },
    types,
    limit: 0,
  });
  return events;
}

async function whenGone(pids: readonly number[]): Promise<void> {
  await until(async () => {
    const running = await Promise.all(pids.map(isRunning));
    return !running.includes(true);
  }, { what: `${pids} are gone` });
}

async function whenBack(project: TestProject): Promise<void> {
  await project.write(SHOP);
  for (const task of ["db", "web"]) await project.when(task, "running");
  for (const task of ["halted", "manual"]) {
    assert.equal((await project.task(task)).state, "stopped");
  }
}

Deno.test("tasks go down with their file in reverse order, and come back with it", async () => {
  await using taskmux = await testTaskmux();
  const project = await begin(taskmux);
  const pids = [await project.pid("db"), await project.pid("web")];
  await Deno.remove(project.config);
  await whenGone(pids);
  const [told, ...more] = await until(async () => {
    const events = await eventsOf(taskmux, "config_missing");
    return events.length > 0 ? events : null;
  });
  assert.deepEqual(more, []);
  assert.equal(told?.["config_path"], project.config);
  assert.deepEqual(told?.["tasks"], ["db", "web"]);
  await until(async () => {
    const { tasks } = await status(taskmux);
    return tasks.every(({ state }) => state === "stopped");
  });
  const exits = seqOf(await eventsOf(taskmux), "task_exited");
  assert(told!.seq < exits["web"]!);
  assert(exits["web"]! < exits["db"]!);
  assert.equal((await listed(taskmux))["state"], "config_missing");
  assert.equal((await status(taskmux)).config_error?.error_code, "E100");

  await whenBack(project);
  assert.equal((await listed(taskmux))["state"], "ok");
  assert.equal((await project.status()).config_error, null);
  // Nobody has to know that they are up already.
  assert.equal((await project.ok(["start"]))["ok"], true);
});

Deno.test("a file that is away for a moment stops nothing", async () => {
  await using taskmux = await testTaskmux();
  const project = await begin(taskmux);
  const before = [await project.pid("db"), await project.pid("web")];
  for (let round = 0; round < 3; round++) {
    await Deno.remove(project.config);
    // It has been noticed.
    assert.equal((await status(taskmux)).config_error?.error_code, "E100");
    await project.write(SHOP);
    await until(async () => (await project.status()).config_error === null);
  }
  assert.deepEqual([await project.pid("db"), await project.pid("web")], before);
  assert.deepEqual(await eventsOf(taskmux, "config_missing"), []);
});

Deno.test("a file that goes while no daemon looks takes its tasks down with the next one", async () => {
  await using taskmux = await testTaskmux();
  const project = await begin(taskmux);
  const pids = [await project.pid("db"), await project.pid("web")];
  await killDaemon(taskmux);
  await Deno.remove(project.config);
  await taskmux.ok(["daemon", "start"]);
  await whenGone(pids);
  assert.equal((await listed(taskmux))["state"], "config_missing");
  await until(async () => {
    const { events } = await taskmux.ok<{ events: Json[] }>(
      ["events", "--all", "--type", "config_missing"],
    );
    return events.length === 1;
  });
  await whenBack(project);
});

Deno.test("what went down with its file comes back with another daemon, unless that was stopped", async () => {
  for (const isStopped of [false, true]) {
    await using taskmux = await testTaskmux();
    const project = await begin(taskmux);
    const pids = [await project.pid("db"), await project.pid("web")];
    await Deno.remove(project.config);
    await whenGone(pids);
    if (isStopped) await taskmux.ok(["daemon", "stop"]);
    else await killDaemon(taskmux);
    await taskmux.ok(["daemon", "start"]);
    if (!isStopped) {
      await whenBack(project);
      continue;
    }
    await project.write(SHOP);
    await until(async () => (await listed(taskmux))["state"] === "ok");
    const { tasks } = await project.status();
    for (const { state } of tasks) assert.equal(state, "stopped");
  }
});

Deno.test("a file that is out of reach takes its own tasks down, and keeps no daemon from starting", async () => {
  for (const obstacle of ["a file for its folder", "a ring of links"]) {
    await using taskmux = await testTaskmux();
    const other = await taskmux.project(
      `name = "other"\n[tasks.web]\ncommand = "exec sleep 1000"\n`,
      "other",
    );
    await other.ok(["start"]);
    const web = await other.pid("web");
    const project = await begin(taskmux);
    const pids = [await project.pid("db"), await project.pid("web")];
    if (obstacle === "a ring of links") {
      await Deno.remove(project.config);
      await Deno.symlink("taskmux.toml", project.config);
    } else {
      await Deno.remove(project.folder, { recursive: true });
      await Deno.writeTextFile(project.folder, "");
    }
    await whenGone(pids);
    assert.equal((await status(taskmux)).config_error?.error_code, "E100");
    await killDaemon(taskmux);
    await taskmux.ok(["daemon", "start"]);
    assert.equal(await other.pid("web"), web);
    const { projects } = await taskmux.ok<{ projects: Json[] }>(
      ["daemon", "list"],
    );
    const { state } = projects.find(({ session }) => session === "shop")!;
    assert.equal(state, "config_missing", obstacle);
  }
});

Deno.test("daemon stop ends the tasks of a file that was never readable for this daemon", async () => {
  await using taskmux = await testTaskmux();
  const project = await begin(taskmux);
  const pids = [await project.pid("db"), await project.pid("web")];
  await killDaemon(taskmux);
  await project.write("name = ");
  await taskmux.ok(["daemon", "start"]);
  const { stopped } = await taskmux.ok<{ stopped: string[] }>(
    ["daemon", "stop"],
  );
  assert.deepEqual(stopped.toSorted(), ["shop/db", "shop/web"]);
  for (const pid of pids) assert(!await isRunning(pid));
});
