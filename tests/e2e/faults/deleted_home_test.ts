/**
 * `rm -rf ~/.taskmux` while everything runs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { keeperPid } from "../../support/cycles.ts";
import { isRunning } from "../../support/process_state.ts";
import { testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

Deno.test("a state folder that is deleted under its daemon takes along no task, and daemon and keeper are found again", async () => {
  await using taskmux = await testTaskmux();
  const { home } = taskmux.home;
  const project = await taskmux.project(`
name = "deleted"
[tasks.web]
command = "touch in; exec tail -n +1 -f in"
`);
  await project.ok(["start"]);
  const web = await project.pid("web");
  const daemon = await taskmux.daemonPid();
  const keeper = await keeperPid(taskmux);
  await Deno.remove(home, { recursive: true });
  // Through the socket in its old place.
  await until(async () => await taskmux.daemonPid() === daemon);
  assert.equal(await project.pid("web"), web);
  // Who starts something now starts it there, and not in a second daemon.
  await project.ok(["restart", "web"]);
  assert.equal(await taskmux.daemonPid(), daemon);
  // The keeper is found as well: the next daemon takes its tasks over.
  const second = await project.pid("web");
  assert(daemon !== null);
  Deno.kill(daemon, "SIGKILL");
  await until(async () => !await isRunning(daemon));
  await taskmux.ok(["daemon", "start"]);
  assert.equal(await keeperPid(taskmux), keeper);
  assert.equal(await project.pid("web"), second);
  await taskmux.ok(["daemon", "stop"]);
  assert.equal(await isRunning(second), false);
});

Deno.test("who starts something in the moment after the folder was deleted gets no second daemon", async () => {
  await using taskmux = await testTaskmux();
  const { home, runDir } = taskmux.home.paths;
  const project = await taskmux.project(`
name = "deleted"
[tasks.web]
command = "exec sleep 1000"
`);
  await project.ok(["start"]);
  const web = await project.pid("web");
  const daemon = await taskmux.daemonPid();
  for (const folder of [runDir, home]) {
    await Deno.remove(folder, { recursive: true });
    const answers = await Promise.all([
      project.fails("E301", ["start"]),
      project.fails("E301", ["start"]),
    ]);
    for (const { error } of answers) assert.match(error, /already running/);
    assert.equal(await taskmux.daemonPid(), daemon);
    assert.equal(await project.pid("web"), web);
    // Daemon and keeper, and no other ones.
    await until(async () => (await taskmux.processes()).length === 3);
  }
});
