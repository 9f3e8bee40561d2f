/**
 * Tasks that fork without end.
 *
 * @module
 */

import assert from "node:assert/strict";
import { PROGRAMS } from "../../support/keeper.ts";
import { HAS_PROC, pidsWithRunId, procFiles } from "../../support/processes.ts";
import type { TestProject } from "../../support/project.ts";
import {
  AS_SECOND_USER,
  CAN_CHANGE_USER,
  giveToSecondUser,
} from "../../support/second_user.ts";
import { testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const BOMB = `${PROGRAMS}/fork_bomb.py`;

/** Longest time for an answer while the bomb has both processors of a small machine. */
const ANSWER_MS = 10_000;

/** Longest time until nothing of a bomb lives: two signals are waited for, then SIGKILL goes round until a scan finds nothing. */
const END_MS = 60_000;

/** The user's threads that lived when the bomb was started and have ended since, such as the CLI's, are its room too. */
const MOST_PROCESSES = 200 + 64;

/** Processes after which a storm rages. */
const STORM_PIDS = 600;

/** The pid that the machine gave last. */
function newestPid(): number {
  const text = procFiles().text("/proc/loadavg") ?? "";
  return Number(text.trim().split(" ").at(-1));
}

/** What a process of the machine may have when nobody limits it further. */
async function ownLimit(): Promise<number> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", "grep processes /proc/self/limits"],
  }).output();
  return Number(new TextDecoder().decode(stdout).split(/\s+/)[2]);
}

async function timed<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const begun = performance.now();
  const result = await work;
  const ms = performance.now() - begun;
  assert(ms < limitMs, `it took ${Math.round(ms)} ms`);
  return result;
}

async function runIdOf(project: TestProject, task: string): Promise<string> {
  return await until(async () => {
    const line = (await project.log(task)).find((text) => /^run /.test(text));
    return line?.slice("run ".length);
  });
}

if (!CAN_CHANGE_USER) {
  console.warn("NOT TESTED: pids_limit, because it is nothing to root");
}

Deno.test({
  name: "a fork bomb has pids_limit processes, harms nobody and ends",
  ignore: !CAN_CHANGE_USER,
  fn: async () => {
    await using taskmux = await testTaskmux({ launcher: AS_SECOND_USER });
    const project = await taskmux.project(`
name = "bomb"
[tasks.web]
command = "grep processes /proc/self/limits; touch in; exec tail -n +1 -f in"
pids_limit = 0
[tasks.bomb]
command = "exec python3 ${BOMB} bomb"
pids_limit = 200
stop_grace_period = 1
`);
    const env = await giveToSecondUser(taskmux.home);
    await project.ok(["start"], { env });
    const [limits = ""] = await until(async () => {
      const lines = await project.log("web");
      return lines.length > 0 && lines;
    });
    assert.equal(Number(limits.split(/\s+/)[2]), await ownLimit());
    const runId = await runIdOf(project, "bomb");
    const bombSize = () => pidsWithRunId(runId).length;
    await until(() => bombSize() > 100, { what: "the bomb has gone off" });
    for (let n = 0; n < 20; n++) {
      await timed(project.status(), ANSWER_MS);
      const size = bombSize();
      assert(size <= MOST_PROCESSES, `${size} processes`);
    }
    // Others, the daemon's own children too, still get processes.
    await timed(project.ok(["restart", "web"]), ANSWER_MS);
    await project.file("in", "a line\n");
    await until(async () => (await project.log("web")).includes("a line"));
    await timed(project.ok(["stop", "bomb"]), END_MS);
    assert.deepEqual(pidsWithRunId(runId), []);
    assert.equal((await project.task("web")).running, true);
  },
});

// The kernel does not bound root, so the bomb does: it keeps sixty alive, each of which is replaced at once.
for (const action of ["stop", "kill"] as const) {
  Deno.test({
    name: `${action} wins against sixty processes that fork and die`,
    ignore: !HAS_PROC,
    fn: async () => {
      await using taskmux = await testTaskmux();
      const project = await taskmux.project(`
name = "storm"
[tasks.storm]
command = "exec python3 ${BOMB} chain 60"
stop_grace_period = 0
`);
      await project.ok(["start"]);
      const runId = await runIdOf(project, "storm");
      const newest = newestPid();
      await until(() => newestPid() > newest + STORM_PIDS);
      await timed(project.ok([action, "storm"]), END_MS);
      assert.deepEqual(pidsWithRunId(runId), []);
    },
  });
}
