/**
 * The daemon is replaced while much goes on. Tasks do not notice, and nobody is told a story.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isRunning } from "../../support/process_state.ts";
import {
  allLogTexts,
  assertCounted,
  countingCommand,
} from "../../support/numbered_lines.ts";
import type { TestProject } from "../../support/project.ts";
import {
  type Json,
  killIfThere,
  type Taskmux,
  testTaskmux,
} from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const TASKS = 30;

/** Patient, for a machine that is busy with other things. */
const HEALTH = `health_check = "true"
health_interval = 0.5
health_timeout = 60`;

/** Half of them are asked for their health all the time; one has had its share of restarts. */
const MANY = `
name = "many"
[tasks.flood]
command = '${countingCommand(20_000, "0.1")}'
log_max_size = "1GB"
[tasks.shaky]
command = '''
echo run >> runs
[ $(wc -l < runs) -gt 2 ] || exit 1
exec sleep 1000'''
${HEALTH}
restart_backoff = 1
${
  Array.from({ length: TASKS - 2 }, (_, index) => `
[tasks.t${index}]
command = "exec sleep 1000"
${index % 2 === 0 ? HEALTH : ""}`)
    .join("\n")
}
`;

/** All states that were seen, from now until it is disposed. */
class Watcher implements AsyncDisposable {
  readonly states = new Map<string, Set<string>>();
  #isOver = false;
  readonly #watching: Promise<void>;

  constructor(project: TestProject) {
    this.#watching = this.#watch(project);
  }

  async #watch(project: TestProject): Promise<void> {
    await until(async () => {
      // Without a daemon nobody answers here.
      const status = await project.status().catch(() => null);
      for (const { name, state } of status?.tasks ?? []) {
        const seen = this.states.get(name) ?? new Set();
        this.states.set(name, seen.add(state));
      }
      return this.#isOver;
    }, { timeoutMs: 120_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#watching;
  }
}

// A task that had been healthy was unhealthy until it had been asked again, and then became healthy once more.
Deno.test("thirty tasks keep process, health and counters over restarts of the daemon during a flood", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(MANY);
  await project.ok(["start"]);
  // Also a run that is about to fail answers its check.
  await project.when(
    "shaky",
    (task) => task.healthy && task.restart_count === 2,
  );
  await until(async () =>
    (await project.status()).tasks.every((t) => t.healthy)
  );
  const before = (await project.status()).tasks;
  const seq = (await project.events()).at(-1)?.seq ?? 0;
  const watcher = new Watcher(project);
  {
    await using _ = watcher;
    for (let n = 0; n < 3; n++) {
      await taskmux.ok(["daemon", "restart"]);
      const { tasks } = await project.status();
      assert.deepEqual(
        tasks.map(({ pid, state, healthy, restart_count }) => ({
          ...{ pid, state, healthy, restart_count },
        })),
        before.map(({ pid, state, healthy, restart_count }) => ({
          ...{ pid, state, healthy, restart_count },
        })),
      );
    }
  }
  assert.equal((await project.task("shaky")).restart_count, 2);
  for (const { name, state } of before) {
    assert.deepEqual([...watcher.states.get(name) ?? []], [state], name);
  }
  const news = (await project.events()).filter((event) => event.seq > seq);
  assert.deepEqual(news, [], "nothing has happened to the tasks");
  await project.ok(["stop", "flood"]);
  assertCounted(
    allLogTexts(`${taskmux.home.home}/projects/many/logs/flood.log`),
    1,
    "flood",
  );
});

// The first waited for the lock of the daemon that the second had started, until its time was over.
Deno.test("restarts of the daemon at the same time all succeed", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "twice"
[tasks.web]
command = "exec sleep 1000"
`);
  await project.ok(["start"]);
  const pid = await project.pid("web");
  const restarts = await Promise.all(
    Array.from({ length: 3 }, () => taskmux.ok<Json>(["daemon", "restart"])),
  );
  const daemon = await taskmux.daemonPid();
  assert(restarts.some((restart) => restart["pid"] === daemon));
  assert.equal(await project.pid("web"), pid);
  // One that has let go of its lock may take a moment to be gone.
  await until(async () => {
    const daemons = (await taskmux.processes()).filter(({ command }) =>
      command.includes("/src/daemon/main.ts ")
    );
    return daemons.length === 1 && daemons[0]?.pid === daemon;
  }, { what: `only daemon ${daemon}` });
});

Deno.test("a start under way when the daemon is replaced is told so, and goes on", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "begun"
[tasks.db]
command = "until [ -e go ]; do sleep 0.02; done; echo up; exec sleep 1000"
ready_log = "up"
boot_grace = 60
[tasks.web]
command = "exec sleep 1000"
depends_on = ["db"]
`);
  await taskmux.ok(["daemon", "register", "-c", project.config]);
  const start = project.fails("E600", ["start", "--wait"]);
  await project.when("web", "waiting");
  const db = await project.when("db", (task) => task.pid !== null);
  await taskmux.ok(["daemon", "restart"]);
  const told = await start;
  assert.match(told.error, /^Cannot tell how/);
  assert.equal(told.hint, "taskmux status");
  assert.equal((await project.task("web")).state, "waiting");
  await project.file("go", "");
  const again = await project.when("db", "healthy");
  assert.equal(again.pid, db.pid);
  await project.when("web", "running");
  assert.equal((await project.events("db", "task_started")).length, 1);
});

const SLOW_TO_STOP = `
name = "slow"
[tasks.db]
command = "exec sleep 1000"
[tasks.web]
command = '''
trap 'until [ -e go ]; do sleep 0.02; done; exit 0' INT
echo up; while :; do sleep 0.05; done'''
ready_log = "up"
stop_grace_period = 60
depends_on = ["db"]
`;

async function whenStopping(project: TestProject): Promise<void> {
  await project.when("web", "stopping");
  await until(async () => (await project.task("web")).manual);
}

// It stayed down, stopped by hand, because the daemon had crossed out the restart when it ended.
Deno.test("a restart of tasks that a restart of the daemon cuts short is finished by the next one", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(SLOW_TO_STOP);
  await project.ok(["start"]);
  const pid = await project.pid("web");
  const restart = project.fails("E600", ["restart"]);
  await whenStopping(project);
  // Nor does that wait for what takes long to stop, which the keeper goes on with.
  await taskmux.ok(["daemon", "restart"]);
  await restart;
  assert.equal(await project.pid("web"), pid);
  await project.file("go", "");
  await project.when("web", (task) => task.healthy && task.pid !== pid);
  await project.when("db", "running");
});

// The command said that everything was stopped, and all of it ran on.
Deno.test("daemon stop does not end before everything has, whatever becomes of the daemon", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(SLOW_TO_STOP);
  await project.ok(["start"]);
  const pids = [await project.pid("db"), await project.pid("web")];
  const daemon = await taskmux.daemonPid();
  assert(daemon !== null);
  const stop = taskmux.ok<Json>(["daemon", "stop"]);
  await project.when("web", "stopping");
  await kill(taskmux, daemon);
  await project.file("go", "");
  await stop;
  for (const pid of pids) assert(!await isRunning(pid));
  assert.deepEqual(await taskmux.processes(), []);
});

// A restart by its health ended a task with 0, which counted as completed for whoever came after the crash.
Deno.test("an automatic restart that a crash cuts short is finished by the next daemon", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "auto"
[tasks.web]
command = '''
trap 'until [ -e go ]; do sleep 0.02; done; exit 0' INT
echo up; while :; do sleep 0.05; done'''
stop_grace_period = 60
health_check = "[ ! -e sick ]"
health_interval = 0.1
health_retries = 1
`);
  await project.ok(["start", "--wait"]);
  const pid = await project.pid("web");
  await project.file("sick", "");
  await project.when("web", "stopping");
  const daemon = await taskmux.daemonPid();
  assert(daemon !== null);
  await kill(taskmux, daemon);
  await Deno.remove(`${project.folder}/sick`);
  await project.file("go", "");
  await until(async () => !await isRunning(pid));
  await taskmux.ok(["daemon", "start"]);
  const web = await project.when("web", (task) => task.healthy);
  assert.notEqual(web.pid, pid);
  assert.equal(web.restart_count, 1, "it is the same restart");
  const count = async (type: string): Promise<number> =>
    (await project.events("web", type)).length;
  assert.deepEqual(
    [await count("auto_restart"), await count("task_exited")],
    [1, 1],
  );
});

async function kill(taskmux: Taskmux, pid: number): Promise<void> {
  killIfThere(pid);
  await until(async () => !await isRunning(pid), {
    what: `daemon of ${taskmux.home.root} is gone`,
  });
}
