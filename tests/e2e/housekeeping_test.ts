/**
 * Taking things away: tasks from the file, and what taskmux has written.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { isRunning } from "../support/process_state.ts";
import { type Json, readIfThere, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

type Cleaned = Result<"project.clean">;
type Pruned = Result<"project.prune">;

const TWO = `name = "two"
# why there are two
[tasks.db]
command = "exec sleep 1000"   # the data

[tasks.web]
command = "exec sleep 1000"
depends_on = ["db"]
`;

// A task was killed before anybody found out that it may not be removed, and comments went (defects 30 and 23).
Deno.test("remove refuses what is needed and stops what it removes, add brings it in", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TWO);
  await project.ok(["start"]);
  const [db, web] = [await project.pid("db"), await project.pid("web")];

  const refused = await project.fails("E210", ["remove", "db"]);
  assert.deepEqual(refused.details?.["dependents"], ["web"]);
  assert.equal(await project.read("taskmux.toml"), TWO);
  assert.equal(await project.pid("db"), db);

  const removed = await project.ok<Json>(["remove", "web"]);
  assert.equal(removed["stopped"], true);
  assert(!await isRunning(web));
  await project.fails("E200", ["remove", "web"]);
  await project.fails("E200", ["start", "web"]);
  const left = await project.read("taskmux.toml");
  assert.match(left ?? "", /# why there are two[^]*# the data/);
  assert.equal(await project.pid("db"), db);

  await project.ok(["add", "api", "exec sleep 1000", "--depends-on", "db"]);
  const api = await project.when("api", "running");
  assert.deepEqual(api.depends_on, ["db"]);
  await project.ok(["add", "later", "exec sleep 1000", "--manual"]);
  await project.ok(["start", "later"]);
  await project.ok(["add", "api", "exec sleep 2000"]);
  await project.when("api", (task) => task.config_changed);
  assert.equal(await project.pid("db"), db);
  await project.fails("E210", ["add", "bad", "true", "--depends-on", "ghost"]);
  await project.ok(["check"]);
});

Deno.test("clean takes nothing from under running tasks unless it is forced to", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TWO);
  await project.ok(["start"]);
  const folder = `${taskmux.home.paths.projects}/two`;
  const { log_file: log } = await project.ok<{ readonly log_file: string }>([
    "inspect",
    "db",
  ]);
  await until(async () => (await Deno.stat(log)).isFile);

  await project.fails("E500", ["clean"]);
  const asked = [["--yes"], ["--all", "--yes"], ["--logs"], ["--events"]];
  for (const args of asked.map((kinds) => ["clean", ...kinds])) {
    const refused = await project.fails("E301", args);
    assert.match(refused.hint ?? "", /--force/);
    assert.deepEqual(refused.details?.["tasks"], ["db", "web"]);
  }
  const dry = await project.ok<Cleaned>(["clean", "--dry-run"]);
  assert.equal(dry.dry_run, true);
  assert(dry.reports["project"]?.deleted.includes(folder));
  assert.deepEqual(dry.reports["project"]?.unregistered, ["two"]);
  assert((await Deno.stat(folder)).isDirectory);
  assert.equal((await project.status()).active_tasks, 2);

  const pids = [await project.pid("db"), await project.pid("web")];
  await project.ok<Cleaned>(["clean", "--yes", "--force"]);
  for (const pid of pids) assert(!await isRunning(pid));
  await assert.rejects(Deno.stat(folder), Deno.errors.NotFound);
  const { projects } = await taskmux.ok<Result<"project.list">>([
    "daemon",
    "list",
  ]);
  assert.deepEqual(projects, []);
  assert.equal(await project.read("taskmux.toml"), TWO);

  // It works as on the first day after that.
  await project.ok(["start"]);
  await project.ok(["stop"]);
  await project.ok(["clean", "--events"]);
  assert.deepEqual(await project.events(), []);
  assert.equal(await readIfThere(taskmux.home.paths.eventsMirror), "");
  await project.ok(["clean", "--all", "--yes"]);
  const left = [...Deno.readDirSync(taskmux.home.home)].map(({ name }) => name);
  assert.deepEqual(left.sort(), ["config.toml", "run"]);
  assert.deepEqual(await taskmux.processes(), []);
  // What only a daemon can answer starts none.
  await project.fails("E600", ["prune"]);
  await project.fails("E600", ["clean", "--dry-run"]);
  assert.deepEqual(await taskmux.processes(), []);
  await project.ok(["start", "db"]);
});

Deno.test("prune finds what is left over, and removes it only when told", async () => {
  await using taskmux = await testTaskmux();
  const kept = await taskmux.project(TWO, "kept");
  const gone = await taskmux.project(
    `name = "gone"\n[tasks]\nweb = "exec sleep 1000 # $PORT"\n`,
    "gone",
  );
  await kept.ok(["start"]);
  await gone.ok(["start"]);
  await gone.ok(["stop"]);
  await Deno.remove(gone.folder, { recursive: true });

  const clean = await kept.ok<Pruned>(["prune"]);
  assert.equal(clean.applied, false);
  assert.deepEqual(clean.report.stale_registry.map(({ session }) => session), [
    "gone",
  ]);
  assert.deepEqual(clean.report.leaked_processes, []);
  const applied = await kept.ok<Pruned>(["prune", "--apply"]);
  assert.equal(applied.applied, true);
  const after = await kept.ok<Pruned>(["prune", "--apply"]);
  assert.deepEqual(after.report.stale_registry, []);
  const last = await kept.ok<Pruned>(["prune"]);
  assert.deepEqual(last.report.stale_leases, []);
  assert.equal((await kept.status()).active_tasks, 2);
});
