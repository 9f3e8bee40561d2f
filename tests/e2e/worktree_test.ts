/**
 * One project in several checkouts.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import type { Action, Status, TestProject } from "../support/project.ts";
import { PROXY_CONFIG, testTaskmux } from "../support/taskmux.ts";
import { git, testRepository } from "../support/worktrees.ts";

type List = Result<"worktree.list">;

const SHOP = `name = "shop"
[tasks.web]
command = "echo I am $TASKMUX_PROJECT_ID; exec sleep 1000 # $PORT"
host = "web"
`;

// The id of a worktree changed when another one appeared, and its tasks were lost (defect 16).
Deno.test("worktrees of one project run side by side, each under an id that stays", async () => {
  await using taskmux = await testTaskmux({ hostConfig: PROXY_CONFIG });
  const repository = await testRepository(taskmux, SHOP);
  const { main } = repository;
  const one = await repository.add("one", "a/feature");
  const first = await main.ok<Action>(["start"]);
  assert.equal(first.session, "shop");
  const started = await one.ok<Action>(["start"]);
  assert.equal(started.session, "shop-feature");
  // The same last segment: the newcomer gives way, not the one that is there.
  const two = await repository.add("two", "b/feature");
  const second = await two.ok<Action>(["start"]);
  assert.match(second.session ?? "", /^shop-feature-[0-9a-f]{6}$/);
  await git(two.folder, "switch", "-q", "-c", "c/renamed");

  const ports = new Set<number | null | undefined>();
  const sessions = ["shop", "shop-feature", second.session!];
  await taskmux.ok(["daemon", "restart"]);
  for (const [index, project] of [main, one, two].entries()) {
    const status = await project.ok<Status>(["status"]);
    assert.equal(status.session, sessions[index]);
    assert.equal(status.active_tasks, 1);
    ports.add(status.tasks[0]?.port);
    await project.fails("E301", ["start"]);
    const { lines } = await project.ok<{ lines: string[] }>(["logs", "web"]);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, new RegExp(`I am ${sessions[index]}$`));
  }
  assert.equal(ports.size, 3);
  await checkCommands(main, two, sessions);
});

async function checkCommands(
  main: TestProject,
  two: TestProject,
  sessions: readonly string[],
): Promise<void> {
  await git(main.folder, "worktree", "add", "-q", "--detach", "../idle");
  await git(main.folder, "worktree", "lock", "../idle");
  const { worktrees, count } = await two.ok<List>(["worktree", "list"]);
  assert.equal(count, 4);
  const known = worktrees.filter(({ session }) => session !== null);
  assert.deepEqual(
    known.map(({ session, running }) => [session, running]).toSorted(),
    sessions.map((session) => [session, 1]).toSorted(),
  );
  assert.deepEqual(known.find(({ primary }) => primary), {
    session: "shop",
    project: "shop",
    worktree: null,
    branch: "main",
    path: main.folder,
    config_path: main.config,
    primary: true,
    registered: true,
    locked: false,
    prunable: false,
    running: 1,
    url: known.find(({ primary }) => primary)?.url,
  });
  const idle = worktrees.find(({ session }) => session === null);
  assert.equal(idle?.locked, true);
  assert.equal(idle.branch, null);
  assert.equal(idle.path, `${two.folder.replace(/two$/, "idle")}`);

  const status = await two.ok<Result<"worktree.status">>([
    "worktree",
    "status",
  ]);
  assert.equal(status.project_id, sessions[2]);
  assert.equal(status.branch, "c/renamed");
  assert.equal(status.is_linked, true);
  assert.equal(status.worktree_path, two.folder);
  assert.equal(status.primary_worktree_path, main.folder);
  const { urls } = await two.ok<Result<"worktree.urls">>(["worktree", "urls"]);
  assert.deepEqual(urls.map(({ task, host }) => [task, host]), [
    ["web", "web"],
  ]);
  assert.match(
    urls[0]!.url,
    new RegExp(`^https://web\\.${sessions[2]}\\.localhost(:\\d+)?$`),
  );
}

Deno.test("worktrees are listed without a daemon, and nothing outside of a repository", async () => {
  await using taskmux = await testTaskmux();
  const repository = await testRepository(taskmux, SHOP);
  const one = await repository.add("one");
  await taskmux.project(`name = "stranger"\n[tasks]\n`, "stranger");
  const { worktrees } = await one.ok<List>(["worktree", "list"]);
  assert.deepEqual(
    worktrees.map(({ path, registered, running }) => [
      path,
      registered,
      running,
    ]),
    [[repository.main.folder, false, null], [one.folder, false, null]],
  );
  const status = await one.ok<Result<"worktree.status">>([
    "worktree",
    "status",
  ]);
  assert.equal(status.project_id, "shop-one");
  assert.equal(status.registered, false);
  const cwd = `${taskmux.home.work}/stranger`;
  await taskmux.fails("E730", ["worktree", "list"], { cwd });
  const none = await taskmux.ok<Result<"worktree.status">>(
    ["worktree", "status"],
    { cwd },
  );
  assert.equal(none.worktree_path, null);
  assert.equal(await taskmux.daemonPid(), null);
});

Deno.test("two checkouts never share an id", async () => {
  await using taskmux = await testTaskmux();
  const repository = await testRepository(taskmux, SHOP);
  const feature = await repository.add("feature");
  await feature.ok(["start"]);
  await repository.main.ok(["start"]);

  // Another repository with a project of the same name.
  const other = await testRepository(taskmux, SHOP, "other");
  await other.main.fails("E305", ["start"]);
  const { folder } = other.main;
  await git(folder, "worktree", "add", "-q", "-b", "feature", "../b/feature");
  const twin = await other.at("b/feature").ok<Action>(["start"]);
  assert.match(twin.session ?? "", /^shop-feature-[0-9a-f]{6}$/);

  // Its name is what the worktree is called.
  const named = await taskmux.project(
    SHOP.replace('"shop"', '"shop-feature"'),
    "named",
  );
  const { error } = await named.fails("E305", ["start"]);
  assert.ok(error.includes(feature.config), error);

  // A worktree within a worktree, a submodule's folder, a subfolder: the nearest file counts.
  await git(feature.folder, "worktree", "add", "-q", "-b", "deep", "deep");
  await Deno.mkdir(`${feature.folder}/deep/src/lib`, { recursive: true });
  await Deno.mkdir(`${feature.folder}/src/lib`, { recursive: true });
  for (
    const [cwd, session] of [
      [`${feature.folder}/deep/src/lib`, "shop-deep"],
      [`${feature.folder}/src/lib`, "shop-feature"],
    ] as const
  ) {
    const status = await taskmux.ok<Status>(["status"], { cwd });
    assert.equal(status.session, session);
  }
});
