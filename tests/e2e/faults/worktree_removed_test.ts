/**
 * A git worktree goes away while its tasks run. They may neither run on in a folder that is gone, nor be taken for gone
 * when it only lost a file.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isRunning } from "../../support/process_state.ts";
import type { Action, TestProject } from "../../support/project.ts";
import { type Json, type Taskmux, testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";
import { git, testRepository } from "../../support/worktrees.ts";

const SHOP = `name = "shop"
[tasks.db]
command = "pwd; exec sleep 1000"
[tasks.web]
command = """
case $PWD in */removed|*/deleted) trap '' INT TERM;; esac
while :; do sleep 1; done # $PORT
"""
depends_on = { db = "started" }
[tasks.writer]
command = "while :; do mkdir -p out; date > out/now; sleep 0.05; done"
`;

/** The promise: nothing runs any more this long after the folder is gone. */
const GONE_MS = 5_000;

async function sessions(taskmux: Taskmux): Promise<Map<string, Json>> {
  const { projects } = await taskmux.call("project.list", {});
  return new Map(projects.map((each) => [each.session, each]));
}

async function pidsOf(project: TestProject): Promise<number[]> {
  const names = ["db", "web", "writer"];
  return await Promise.all(names.map((name) => project.pid(name)));
}

async function areGone(pids: readonly number[]): Promise<boolean> {
  return !(await Promise.all(pids.map(isRunning))).includes(true);
}

async function eventsOf(taskmux: Taskmux, session: string, type: string) {
  const { events } = await taskmux.call("event.list", {
    scope: { session },
    types: [type],
    limit: 0,
  });
  return events;
}

Deno.test("tasks end with their worktree, and only with it", async () => {
  await using taskmux = await testTaskmux();
  const repository = await testRepository(taskmux, SHOP);
  const { main } = repository;
  const names = ["removed", "deleted", "locked", "switched", "moved"] as const;
  const trees = new Map<string, TestProject>();
  for (const name of names) trees.set(name, await repository.add(name));
  const all = [main, ...trees.values()];
  await Promise.all(all.map((each) => each.ok(["start"])));
  const pids = new Map<TestProject, number[]>();
  for (const each of all) pids.set(each, await pidsOf(each));
  const tree = (name: typeof names[number]): TestProject => trees.get(name)!;
  const isGone = async (project: TestProject): Promise<void> => {
    await until(() => areGone(pids.get(project)!), {
      what: `tasks of ${project.folder} are gone`,
    });
  };

  await git(main.folder, "worktree", "lock", tree("locked").folder);
  await git(tree("switched").folder, "rm", "-q", "taskmux.toml");
  const elsewhere = repository.at("elsewhere");
  const { folder } = tree("moved");
  await git(main.folder, "worktree", "move", folder, elsewhere.folder);
  await Promise.all([
    deleteFolder(tree("locked").folder),
    endsInTime(() => deleteFolder(tree("deleted").folder), async () => {
      await isGone(tree("deleted"));
    }),
    // What its tasks write meanwhile may leave something of the folder.
    endsInTime(
      () => tryGit(main, "worktree", "remove", "-f", tree("removed").folder),
      () => isGone(tree("removed")),
    ),
  ]);

  for (const name of ["removed", "deleted"] as const) {
    const session = `shop-${name}`;
    await until(async () => !(await sessions(taskmux)).has(session));
    const [event] = await eventsOf(taskmux, session, "worktree_removed");
    assert.equal(event?.["worktree_path"], tree(name).folder);
    assert.deepEqual(event["tasks"], ["db", "web", "writer"]);
  }
  const { report } = await taskmux.call("project.prune", { apply: false });
  assert.deepEqual(report.stale_leases, []);
  assert.deepEqual(report.leaked_processes, []);
  // Their logs are kept.
  const logs = ["shop-deleted", "shop-removed"];
  assert.deepEqual(report.orphan_log_dirs, logs);

  for (const name of ["locked", "switched"] as const) {
    await isGone(tree(name));
    const known = (await sessions(taskmux)).get(`shop-${name}`);
    assert.equal(known?.["state"], "config_missing");
  }
  await git(tree("switched").folder, "checkout", "-q", "HEAD", "--", ".");
  await tree("switched").when("db", "running");

  await isGone(tree("moved"));
  await elsewhere.when("db", "running");
  assert.equal((await elsewhere.status()).session, "shop-moved");
  const { lines } = await elsewhere.ok<{ lines: string[] }>(["logs", "db"]);
  assert.match(lines.at(-1) ?? "", /\/elsewhere$/);
  assert.equal(await areGone(pids.get(main)!), false);
  assert.equal((await main.status()).active_tasks, 3);

  const pruned = await taskmux.call("project.prune", { apply: true });
  assert.deepEqual(pruned.actions?.["removed_log_dirs"], logs);
  const left = await Array.fromAsync(Deno.readDir(taskmux.home.paths.projects));
  assert(!left.some(({ name }) => logs.includes(name)));
});

Deno.test("a worktree that goes while no daemon looks is forgotten by the next one", async () => {
  await using taskmux = await testTaskmux();
  const repository = await testRepository(taskmux, SHOP);
  const [gone, moved] = [
    await repository.add("gone"),
    await repository.add("moved", "topic"),
  ];
  for (const each of [gone, moved]) await each.ok(["start", "db"]);
  await taskmux.ok(["daemon", "stop"]);
  await git(repository.main.folder, "worktree", "remove", "-f", gone.folder);
  const there = repository.at("there");
  await git(
    repository.main.folder,
    "worktree",
    "move",
    moved.folder,
    there.folder,
  );
  await git(there.folder, "switch", "-q", "-c", "another");
  // Neither its folder nor its branch is what it was.
  const { session } = await there.ok<Action>(["start"]);
  assert.equal(session, "shop-topic");
  await until(async () => !(await sessions(taskmux)).has("shop-gone"));
  // The name is free for the next one.
  const again = await repository.add("again", "next/gone");
  assert.equal((await again.ok<Action>(["start"])).session, "shop-gone");
});

/** Fails unless what begins with the loss of a folder is over in time. */
async function endsInTime(
  lose: () => Promise<void>,
  end: () => Promise<void>,
): Promise<void> {
  await lose();
  const began = performance.now();
  await end();
  const tookMs = performance.now() - began;
  assert(tookMs < GONE_MS, `it took ${tookMs} ms`);
}

async function tryGit(
  { folder }: TestProject,
  ...args: string[]
): Promise<void> {
  await new Deno.Command("git", { args, cwd: folder }).output();
}

async function deleteFolder(path: string): Promise<void> {
  await new Deno.Command("rm", { args: ["-rf", path] }).output();
}
