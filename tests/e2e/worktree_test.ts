/**
 * One project in several checkouts.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Action, Status } from "../support/project.ts";
import { testTaskmux } from "../support/taskmux.ts";

async function git(cwd: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("git", {
    args: ["-c", "user.name=T", "-c", "user.email=t@example.com", ...args],
    cwd,
    env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
}

// The id of a worktree changed when another one appeared, and its tasks were lost (defect 16).
Deno.test("worktrees of one project run side by side, each under an id that stays", async () => {
  await using taskmux = await testTaskmux();
  const main = await taskmux.project(
    `name = "shop"\n[tasks]\nweb = "exec sleep 1000 # $PORT"\n`,
    "main",
  );
  await git(main.folder, "init", "-q", "-b", "main");
  await git(main.folder, "add", ".");
  await git(main.folder, "commit", "-q", "-m", "first");
  await git(main.folder, "worktree", "add", "-q", "-b", "a/feature", "../one");
  const one = { cwd: `${taskmux.home.work}/one` };

  const first = await main.ok<Action>(["start"]);
  assert.equal(first.session, "shop");
  const started = await taskmux.ok<Action>(["start"], one);
  assert.equal(started.session, "shop-feature");

  // The same last segment: the newcomer gives way, not the one that is there.
  await git(main.folder, "worktree", "add", "-q", "-b", "b/feature", "../two");
  const two = { cwd: `${taskmux.home.work}/two` };
  const second = await taskmux.ok<Action>(["start"], two);
  assert.match(second.session ?? "", /^shop-feature-./);

  const ports = new Set<number | null | undefined>();
  for (
    const [options, session] of [
      [{ cwd: main.folder }, "shop"],
      [one, "shop-feature"],
      [two, second.session],
    ] as const
  ) {
    await taskmux.ok(["daemon", "restart"]);
    const status = await taskmux.ok<Status>(["status"], options);
    assert.equal(status.session, session);
    assert.equal(status.active_tasks, 1);
    ports.add(status.tasks[0]?.port);
    await taskmux.fails("E301", ["start"], options);
  }
  assert.equal(ports.size, 3);
});
