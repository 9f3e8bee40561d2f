/**
 * Programs that write `taskmux.toml` in place, piece by piece. What is there between two pieces may be a valid file.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isRunning } from "../../support/process_state.ts";
import { killIfThere, testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const HALF = `name = "halves"
[tasks.a]
command = "exec sleep 1000"
`;
const WHOLE = `${HALF}
[tasks.b]
command = "exec sleep 1000"
`;

/** Truncates and fills the file again and again, with a pause after each half that is longer than any debounce. */
const WRITER = `
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
  cat half > taskmux.toml; sleep 0.2
  cat whole > taskmux.toml; sleep 0.1
done`;

// The file counted as saved after 30 ms without a change, and the tasks of the other half were ended.
Deno.test("a file that is written in pieces ends no task; one that rests does", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(WHOLE);
  await project.file("half", HALF);
  await project.file("whole", WHOLE);
  await project.ok(["start"]);
  const pids = [await project.pid("a"), await project.pid("b")];
  const writer = new Deno.Command("sh", {
    args: ["-c", WRITER],
    cwd: project.folder,
  }).spawn();
  let isWriting = true;
  const written = writer.status.finally(() => isWriting = false);
  while (isWriting) {
    const { tasks } = await project.status();
    assert.deepEqual(tasks.map(({ pid }) => pid), pids);
  }
  assert.equal((await written).success, true);
  assert.equal((await project.events("b", "task_exited")).length, 0);

  await project.write(HALF);
  await until(async () => !await isRunning(pids[1]!));
  assert.equal(await project.pid("a"), pids[0]);
  await project.whenEvent("task_stopped", "b");
});

Deno.test("a daemon that starts while the file is being written ends nothing", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(WHOLE);
  await project.file("half", HALF);
  await project.file("whole", WHOLE);
  await project.ok(["start"]);
  const pids = [await project.pid("a"), await project.pid("b")];
  const daemon = await taskmux.daemonPid();
  assert(daemon !== null);
  killIfThere(daemon);
  await until(async () => !await isRunning(daemon));
  const writer = new Deno.Command("sh", {
    args: ["-c", WRITER],
    cwd: project.folder,
  }).spawn();
  await taskmux.ok(["daemon", "start"]);
  assert.equal((await writer.status).success, true);
  const tasks = await until(async () => {
    const { tasks } = await project.status();
    return tasks.length === 2 ? tasks : null;
  });
  assert.deepEqual(tasks.map(({ pid }) => pid), pids);
});
