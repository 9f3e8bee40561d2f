/**
 * A state folder on a disk that is full. Needs the right to mount a small one.
 *
 * @module
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { logFile } from "../../../src/config/paths.ts";
import { killDaemon } from "../../support/crashes.ts";
import { keeperPid } from "../../support/cycles.ts";
import { isRunning } from "../../support/process_state.ts";
import { memoryOf } from "../../support/processes.ts";
import { diskTest } from "../../support/small_disk.ts";
import type { Taskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const MIB = 1024 * 1024;

/** More than any batch or buffer of ours, far less than a flood of some seconds. */
const MEMORY_SLACK_BYTES = 64 * MIB;

/** Length of a stamp in a log. */
const STAMP = 24;

interface DiskEvent {
  readonly event: string;
  readonly seq: number;
  readonly reason?: string;
  readonly path?: string;
  readonly lost?: number;
}

/** The daemon's own events about its disk. */
async function diskEvents(taskmux: Taskmux): Promise<DiskEvent[]> {
  const { events } = await taskmux.call("event.list", {
    types: ["disk_error", "disk_recovered"],
    limit: 0,
  });
  return events as unknown as DiskEvent[];
}

/** Nothing in the state folder ends in the middle. The daemon has ended. */
async function checkNothingTorn(taskmux: Taskmux): Promise<void> {
  const { home, paths } = taskmux.home;
  JSON.parse(await Deno.readTextFile(paths.registry));
  const mirror = (await Deno.readTextFile(paths.eventsMirror)).split("\n");
  assert.equal(mirror.pop(), "", "events.jsonl ends with a newline");
  const seqs = mirror.filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line).seq);
  assert.deepEqual(seqs, seqs.toSorted((a, b) => a - b));
  using database = new DatabaseSync(paths.database, { readOnly: true });
  const check = database.prepare("pragma integrity_check").get();
  assert.deepEqual({ ...check }, { integrity_check: "ok" });
  for await (const { name } of Deno.readDir(home)) {
    assert(!name.includes(".tmp"), `${name} is left`);
  }
}

// A stop of that moment never returned, a start left what it had started behind, and a daemon that crashed did not come
// back. Events were told as stored and were not.
diskTest(
  "on a full disk every action works, and what it changed is stored as soon as there is room",
  { megabytes: 4 },
  async (taskmux, disk) => {
    const project = await taskmux.project(`
name = "full"
[tasks.web]
command = "exec sleep 1000"
[tasks.talk]
command = "touch in; exec tail -n +1 -f in"
[tasks.later]
command = "exec sleep 1000"
auto_start = false
`);
    await project.ok(["start"]);
    const talk = await project.pid("talk");
    await disk.fill();
    await project.file("in", "lost\n");
    const trouble = await project.whenEvent("log_error", "talk");
    assert.match(String(trouble["reason"]), /No space left/);

    await project.ok(["start", "later"]);
    await project.ok(["restart", "web"]);
    await project.ok(["stop", "later"]);
    const { warnings } = await project.status();
    const { home } = taskmux.home;
    const told = (text: RegExp) => warnings.some((line) => text.test(line));
    assert(told(new RegExp(`^Cannot write to ${home}: .*Free space`)));
    assert(told(/^log of full\/talk: cannot write \S+talk\.log: No space/));
    const later = ["task_started", "task_exited", "task_stopped"];
    assert.deepEqual(await project.history("later"), later);

    const daemon = await taskmux.daemonPid();
    assert(daemon !== null);
    Deno.kill(daemon, "SIGKILL");
    await until(async () => !await isRunning(daemon));
    await taskmux.ok(["daemon", "start"]);
    assert.equal(await project.pid("talk"), talk);
    const again = await project.status();
    assert(again.warnings.some((line) => /^log of full\/talk/.test(line)));
    await project.ok(["stop", "web"]);

    await disk.empty();
    // What was lost with the daemon that was killed stays told.
    await until(async () => {
      const told = (await project.status()).warnings;
      return !told.some((line) => /^Cannot write|^log of/.test(line));
    });
    await project.file("in", "lost\nkept\n");
    await until(async () => (await project.log("talk")).includes("kept"));
    await taskmux.ok(["daemon", "restart"]);
    const web = await project.task("web");
    assert.equal(web.state, "stopped");
    assert.equal(web.manual, true, "what was asked for is known");
    assert.equal(await project.pid("talk"), talk);
    await taskmux.ok(["daemon", "stop"]);
    await checkNothingTorn(taskmux);
  },
);

// The keeper was told at once that an end was recorded, when only the daemon's memory had it. With the daemon went the
// exit code, the event and the restart.
for (const way of ["kill -9", "daemon restart"] as const) {
  diskTest(
    `an end on a full disk outlives a ${way} of the daemon`,
    { megabytes: 4 },
    async (taskmux, disk) => {
      const project = await taskmux.project(`
name = "ends"
[tasks.job]
command = "until [ -e go ]; do sleep 0.02; done; exit 3"
restart_policy = "no"
[tasks.again]
command = "until [ -e go ]; do sleep 0.02; done; if [ -e twice ]; then sleep 1000; fi; touch twice; exit 4"
`);
      await project.ok(["start"]);
      await disk.fill();
      await project.file("go", "");
      await until(async () => (await project.task("job")).state === "failed");
      await project.whenEvent("auto_restart", "again");
      if (way === "kill -9") await killDaemon(taskmux);
      else await taskmux.ok(["daemon", "restart"]);
      await disk.empty();
      await taskmux.ok(["daemon", "start"]);
      const job = await project.task("job");
      assert.deepEqual([job.state, job.exit_code], ["failed", 3]);
      await until(async () => (await project.task("again")).running);
      for (const [task, code] of [["job", 3], ["again", 4]] as const) {
        const ends = await project.events(task, "task_exited");
        assert.deepEqual(ends.map((end) => end["exit_code"]), [code], task);
      }
    },
  );
}

// Numbers without end, as fast as a shell can; from the moment on that there is a file `calm`, ten in a second.
const COUNTING =
  `n=0; while :; do n=$((n+1)); echo $n; if [ -e calm ]; then sleep 0.1; fi; done`;

/** Every byte that numbers up to the last one in the log took, was written or told as dropped. */
function checkCounted(text: string): void {
  const lines = text.split("\n");
  assert.equal(lines.pop(), "", "the log ends with a whole line");
  const isMark = (line: string) => line.startsWith("[taskmux] ", STAMP);
  const marks = lines.filter(isMark);
  const written = lines.filter((line) => !isMark(line));
  const dropped = marks.reduce(
    (sum, line) => sum + Number(/\] (\d+) bytes/.exec(line)?.[1]),
    0,
  );
  const last = Number(written.at(-1)?.slice(STAMP));
  let said = 0;
  for (let n = 1; n <= last; n++) said += STAMP + String(n).length + 1;
  const present = written.reduce((sum, line) => sum + line.length + 1, 0);
  assert(dropped > 0, "something was dropped");
  // A line that was cut short was given an end, so that there is one byte too many for each mark at most.
  const surplus = present + dropped - said;
  assert(
    surplus >= 0 && surplus <= marks.length,
    JSON.stringify({ said, present, dropped, marks: marks.length }),
  );
}

diskTest(
  "a flood that fills the disk costs counted output, one event when it begins and one when it ends",
  { megabytes: 12 },
  async (taskmux, disk) => {
    const project = await taskmux.project(`
name = "flood"
[tasks.flood]
command = "${COUNTING}"
log_max_size = "64MB"
[tasks.web]
command = "exec sleep 1000"
`);
    await disk.take(6);
    await project.ok(["start", "web"]);
    const web = await project.pid("web");
    await project.ok(["start", "flood"]);
    const flood = await project.pid("flood");
    await project.whenEvent("log_error", "flood");
    // What is left between the pages of the log.
    await disk.fill();
    await project.ok(["restart", "web"]);
    await until(async () => (await diskEvents(taskmux)).length > 0);
    const daemon = await taskmux.daemonPid();
    assert(daemon !== null);
    const keeper = await keeperPid(taskmux);
    const before = { daemon: memoryOf(daemon), keeper: memoryOf(keeper) };
    for (
      const args of [["stop", "web"], ["start", "web"], ["restart", "web"]]
    ) {
      await project.ok(args);
      await project.ok(["status"]);
      await project.ok(["logs", "flood", "-n", "5"]);
    }
    assert.notEqual(await project.pid("web"), web);
    assert.equal(await project.pid("flood"), flood);
    assert(memoryOf(daemon) < before.daemon + MEMORY_SLACK_BYTES);
    assert(memoryOf(keeper) < before.keeper + MEMORY_SLACK_BYTES);

    await project.file("calm", "");
    await disk.empty();
    await until(async () => (await diskEvents(taskmux)).length === 2);
    await until(async () =>
      (await project.events("flood", "log_error")).length === 2
    );
    assert.deepEqual((await project.status()).warnings, []);
    const [began, ended] = await diskEvents(taskmux);
    assert.equal(began?.event, "disk_error");
    assert.match(began?.reason ?? "", /full|No space/);
    assert.equal(began?.path, taskmux.home.home);
    assert.equal(ended?.event, "disk_recovered");
    assert.equal(ended?.lost, 0);
    assert.equal(await project.pid("flood"), flood);
    await project.ok(["stop"]);
    const history = (await project.events("web")).map(({ event, seq }) => ({
      event,
      seq,
    }));
    await taskmux.ok(["daemon", "stop"]);
    const log = logFile(taskmux.home.paths, "flood", "flood");
    checkCounted(await Deno.readTextFile(log));
    await checkNothingTorn(taskmux);
    // Events of the time of need are on disk with the numbers that were told.
    const stored = await project.ok<{ events: typeof history }>(
      ["events", "--task", "web", "-n", "1000"],
    );
    assert.deepEqual(
      stored.events.map(({ event, seq }) => ({ event, seq })),
      history,
    );
  },
);
