/**
 * Regular expressions of users that take for ever. All tasks share the processes that run them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const HOSTILE = "a".repeat(64) + "!";

// One such search, or one such ready_log, and neither daemon nor keeper ever answered again.
Deno.test("an expression that never ends is refused, and nobody else waits for it", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "hostile"
[tasks.web]
command = "echo ${HOSTILE}; exec sleep 1000"
[tasks.ready]
command = "sleep 0.1; echo ${HOSTILE}; exec sleep 1000"
ready_log = '(a+)+\\1$'
boot_grace = 0.1
health_interval = 0.1
restart_policy = "no"
`);
  await project.ok(["start"]);
  await until(async () => (await project.log("web")).length === 1);
  for (const pattern of ["(a+)+$", "(a+)+\\1$"]) {
    const found = await project.fails("E500", ["logs", "web", "-g", pattern]);
    assert.match(found.error, /takes too long/);
    const waited = await project.fails("E500", [
      "wait",
      "web",
      "--for",
      `log:/${pattern}/`,
    ]);
    assert.match(waited.error, /takes too long/);
  }
  const task = await project.when("ready", "unhealthy");
  assert.match(String(task.reason), /takes too long/);
  await project.ok(["restart", "web"]);
});
