/**
 * The keeper lives and does not answer, as if it were stopped or the disk below it hung.
 *
 * @module
 */

import assert from "node:assert/strict";
import { keeperPid } from "../../support/crashes.ts";
import { lives } from "../../support/processes.ts";
import { sideBySide } from "../../support/side_by_side.ts";
import { type Json, testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

/** Bound of every command while the keeper hangs, far above its own. */
const HUNG_TIMEOUT_MS = 40_000;

/** Every command has its answer in a bounded time. */
async function boundedAnswers(): Promise<void> {
  await using taskmux = await testTaskmux({ expectedErrors: /keeper: / });
  const project = await taskmux.project(`
name = "still"
[tasks.web]
command = "exec sleep 1000"
[tasks.late]
command = "echo run >> runs; exec sleep 1000"
`);
  await project.ok(["start"]);
  await project.ok(["stop", "late"]);
  const web = await project.pid("web");
  const keeper = await keeperPid(taskmux);
  Deno.kill(keeper, "SIGSTOP");
  try {
    const began = performance.now();
    const answers = await Promise.all([
      project.fails("E600", ["start", "late"]),
      project.fails("E600", ["stop", "web"]),
      project.fails("E600", ["inspect", "web"]),
    ]);
    for (const { error, hint } of answers) {
      assert.match(error, new RegExp(`keeper.* ${keeper} does not answer`));
      assert.match(String(hint), /kill -CONT/);
    }
    assert(performance.now() - began < HUNG_TIMEOUT_MS);
    // Known by now: nobody waits for it again.
    await project.fails("E600", ["restart", "late"]);
    // The daemon that knows it stays: the next one could not begin.
    const daemon = await taskmux.daemonPid();
    await project.fails("E600", ["daemon", "restart"]);
    assert.equal(await taskmux.daemonPid(), daemon);
    const { warnings } = await project.status();
    assert(warnings.some((text) => text.startsWith("keeper: ")));
    assert(lives(web));
  } finally {
    Deno.kill(keeper, "SIGCONT");
  }
  // What was asked of it before is done now: the stop, and not the start that was told to have failed.
  await project.when("web", "stopped");
  await until(async () => (await project.status()).warnings.length === 0);
  await until(async () => (await taskmux.processes()).length === 2, {
    what: "daemon and keeper are alone",
  });
  await project.ok(["start"]);
  await project.ok(["stop"]);
}

/** The stop of the daemon, and the next one. */
async function stopOfDaemon(): Promise<void> {
  await using taskmux = await testTaskmux({
    expectedErrors: /keeper: |daemon.stop: /,
  });
  const project = await taskmux.project(`
name = "one"
[tasks.web]
command = "exec sleep 1000"
`);
  await project.ok(["start"]);
  const pid = await project.pid("web");
  const keeper = await keeperPid(taskmux);
  Deno.kill(keeper, "SIGSTOP");
  try {
    const { details } = await taskmux.fails<Json>("E900", ["daemon", "stop"]);
    const [left] = details?.["left"] as { task: string; reason: string }[];
    assert.equal(left?.task, "one/web");
    assert.match(left?.reason ?? "", /does not answer/);
    assert.equal(await taskmux.daemonPid(), null);
    assert(lives(pid));
  } finally {
    Deno.kill(keeper, "SIGCONT");
  }
  await taskmux.ok(["daemon", "start"]);
  const task = await project.when("web", "stopped");
  assert.equal(task.manual, false);
  assert(!lives(pid));
}

// Both wait for most of their time.
Deno.test("a keeper that stands still", async () => {
  await sideBySide({
    "it costs every command a bounded time and an honest answer":
      boundedAnswers,
    "a daemon stop that cannot end a task says so, and the next daemon ends it":
      stopOfDaemon,
  });
});
