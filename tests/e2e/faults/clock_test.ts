/**
 * A wall clock that jumps by a day, forth and back, and processes that are not run for a while.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isRunning } from "../../support/process_state.ts";
import { FakeClock, HAS_FAKE_CLOCK } from "../../support/fake_clock.ts";
import type { TestProject } from "../../support/project.ts";
import { type Taskmux, testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

/** Lines of the ticking task in two seconds of true time: enough for a timer that was to fire at once. */
const TICKS_OF_A_MOMENT = 20;

const DAY_MS = 24 * 60 * 60 * 1000;

const PROJECT = `
name = "clock"
[tasks.tick]
command = "n=0; while :; do n=$((n+1)); echo $n; sleep 0.1; done"
[tasks.probed]
command = "exec sleep 1000"
health_check = "true"
health_interval = 0.2
[tasks.grace]
command = "exec sleep 1000"
health_check = "test -e ready"
health_interval = 0.2
boot_grace = 600
[tasks.backoff]
command = "exit 1"
restart_backoff = 60
[tasks.quick]
command = "test -e come || exit 1; exec sleep 1000"
restart_backoff = 1
max_restarts = 0
[tasks.stubborn]
command = "trap 'while ! test -e go; do sleep 0.1; done; exit 0' INT; while :; do sleep 0.1; done"
stop_grace_period = 600
`;

/** Numbers that the ticking task has said, read page by page behind a cursor. */
class Ticks {
  readonly numbers: number[] = [];
  readonly #taskmux: Taskmux;
  readonly #project: TestProject;
  #cursor: string | null = null;

  constructor(taskmux: Taskmux, project: TestProject) {
    this.#taskmux = taskmux;
    this.#project = project;
  }

  async read(): Promise<void> {
    const { lines, cursor } = await this.#taskmux.call("log.read", {
      scope: { config: this.#project.config },
      tasks: ["tick"],
      lines: null,
      cursor: this.#cursor,
    });
    this.#cursor = cursor;
    for (const line of lines) this.numbers.push(numberOf(line as string));
  }

  /** Waits for a moment of true time, as the task tells it. */
  async moment(): Promise<void> {
    const begun = this.numbers.length;
    await until(async () => {
      await this.read();
      return this.numbers.length >= begun + TICKS_OF_A_MOMENT;
    });
  }
}

function numberOf(line: string): number {
  return Number(line.split(" ")[1]);
}

/** Every number is there, once and in order. */
function checkRising(numbers: readonly number[], first: number): void {
  const wrong = numbers.findIndex((number, index) => number !== first + index);
  assert.equal(wrong, -1, `${numbers[wrong]} after ${numbers[wrong - 1]}`);
}

/** The state of things that no jump may change. */
async function checkUnmoved(project: TestProject): Promise<void> {
  const states = Object.fromEntries(
    (await project.status()).tasks.map(({ name, state }) => [name, state]),
  );
  assert.equal(states["probed"], "healthy");
  assert.notEqual(states["grace"], "unhealthy");
  assert.equal(states["backoff"], "backoff");
  assert.equal(states["stubborn"], "stopping");
  const { restart_in: left } = await project.task("backoff");
  assert(left !== null && left > 0 && left <= 60, `restart in ${left}`);
  for (const task of ["probed", "grace"]) {
    assert.deepEqual(await project.events(task, "task_unhealthy"), [], task);
    assert.deepEqual(await project.events(task, "auto_restart"), [], task);
  }
}

if (!HAS_FAKE_CLOCK) {
  console.warn("NOT TESTED: a wall clock that jumps; apt-get install faketime");
}

Deno.test({
  name:
    "a wall clock that jumps by a day moves no timer, no order and no cursor",
  ignore: !HAS_FAKE_CLOCK,
  fn: async () => {
    await using taskmux = await testTaskmux();
    await Deno.mkdir(taskmux.home.paths.runDir, { mode: 0o700 });
    await using clock = await FakeClock.start(taskmux);
    const project = await taskmux.project(PROJECT);
    await project.run(["start"]);
    const ticks = new Ticks(taskmux, project);
    await ticks.moment();
    await project.when("probed", "healthy");
    await project.when("backoff", "backoff");
    const over: string[] = [];
    const waits = async (...args: string[]): Promise<void> => {
      const run = await project.run(args);
      over.push(`${args}: ${run.stdout}${run.stderr}`);
    };
    const stopping = waits("stop", "stubborn");
    await project.when("stubborn", "stopping");
    const waiting = waits(
      "wait",
      "grace",
      "--for",
      "healthy",
      "--timeout",
      "600",
    );
    for (
      const [offset, days] of [["+1d", 1], ["+0", 0], ["-1d", -1]] as const
    ) {
      await clock.set(offset);
      await ticks.moment();
      await checkUnmoved(project);
      // The last line is new by any clock that whoever asks has in common with who wrote it.
      const known = ticks.numbers.length;
      const recent = await project.ok<{ lines: string[] }>(
        ["logs", "tick", "--since", "5s"],
        { env: clock.env },
      );
      const last = recent.lines.at(-1) ?? "";
      assert(numberOf(last) >= known, `${last} after ${known} by ${offset}`);
      const ahead = Date.parse(`${last.split(" ")[0]}Z`) - Date.now();
      assert(Math.abs(ahead / DAY_MS - days) < 0.1, "the clock has jumped");
      const shown = await project.run(["status"]);
      assert.doesNotMatch(shown.stdout, /-\d+ ?(s|m|h|d)\b/);
    }

    assert.deepEqual(over, [], "nothing that waits has given up");
    const [, daemon] = clock.pids;
    Deno.kill(daemon, "SIGKILL");
    await until(async () => !await isRunning(daemon));
    await clock.set("+1d");
    await clock.startDaemon();
    await ticks.moment();
    // Its grace is that of a run of some seconds.
    assert.deepEqual(await project.events("grace", "task_unhealthy"), []);
    assert.equal((await project.task("probed")).state, "healthy");

    await project.file("ready", "");
    await project.file("come", "");
    await project.file("go", "");
    await project.when("grace", "healthy");
    await project.when("quick", (task) => task.running);
    await ticks.read();
    checkRising(ticks.numbers, 1);
    const [first, ...more] = (await project.events()).map(({ seq }) => seq);
    assert(more.every((seq, index) => seq > (more[index - 1] ?? first ?? 0)));
    // Their daemon was killed.
    await Promise.all([stopping, waiting]);
    await taskmux.ok(["daemon", "stop"]);
  },
});

Deno.test("daemon and keeper that were stopped for a while find nothing unhealthy", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "gap"
[tasks.a]
command = "exec sleep 1000"
health_check = "true"
health_interval = 0.2
health_timeout = 1
boot_grace = 0
[tasks.b]
command = "exec deno eval --no-config 'Deno.serve({hostname: \\"127.0.0.1\\", port: Number(Deno.env.get(\\"PORT\\"))}, () => new Response())'"
host = "b"
health_url = "http://localhost:$PORT"
health_interval = 0.2
health_timeout = 1
`);
  await project.ok(["start", "--wait"]);
  const ours = (await taskmux.processes()).filter(({ command }) =>
    /src\/(daemon|keeper)\/main\.ts/.test(command)
  );
  assert.equal(ours.length, 2);
  const begun = performance.now();
  for (const { pid } of ours) Deno.kill(pid, "SIGSTOP");
  await until(() => performance.now() - begun > 5_000);
  for (const { pid } of ours) Deno.kill(pid, "SIGCONT");
  const tried = async (task: string) =>
    (await project.task(task)).last_health?.at ?? 0;
  for (const task of ["a", "b"]) {
    const at = await tried(task);
    await until(async () => await tried(task) > at + 0.5);
    assert.equal((await project.task(task)).state, "healthy");
    const types = (await project.history(task)).filter((type) =>
      /unhealthy|failed|restart|exited/.test(type)
    );
    assert.deepEqual(types, [], task);
  }
});
