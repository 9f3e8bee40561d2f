/**
 * The daemon is killed again and again, at moments that nobody chose. The next one knows everything that happened.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Client, connect } from "../../../src/client/client.ts";
import { KeeperClient } from "../../../src/pty/keeper_client.ts";
import { isRunning } from "../../support/process_state.ts";
import { LineReader } from "../../support/line_reader.ts";
import {
  allLogTexts,
  assertCounted,
  countingCommand,
} from "../../support/numbered_lines.ts";
import type { Event, TestProject } from "../../support/project.ts";
import { randomFrom } from "../../support/random.ts";
import {
  killIfThere,
  type Taskmux,
  testTaskmux,
} from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const ROUNDS = 20;

/** Nothing happens to these. */
const UNTOUCHED = ["flood", "slow", "db", "web"] as const;

/** `mortal` dies as the file `die` says; `act` and `extra` are what is acted on. */
const PROJECT = `
name = "crash"
[tasks.flood]
command = '${countingCommand(20_000, "0.2")}'
log_max_size = "1GB"
[tasks.slow]
command = '${countingCommand(1, "0.02")}'
[tasks.db]
command = "echo up; exec sleep 1000"
ready_log = "up"
[tasks.web]
command = "exec sleep 1000"
depends_on = ["db"]
health_check = "true"
health_interval = 0.2
[tasks.mortal]
command = '''
until [ -s die ]; do sleep 0.02; done
read how < die; rm die
[ "$how" = kill ] && kill -KILL $$
exit 7'''
max_restarts = 0
restart_backoff = 1
[tasks.act]
command = '''
trap 'sleep 0.1; exit 0' INT
echo up; while :; do sleep 0.03; done'''
ready_log = "up"
`;

const EXTRA = `
[tasks.extra]
command = "exec sleep 1000"
`;

interface Death {
  readonly code: number;
  readonly from: number;
  readonly to: number;
}

/** One series of crashes. */
class Series implements AsyncDisposable {
  readonly taskmux: Taskmux;
  readonly project: TestProject;
  readonly random: () => number;
  /** How `mortal` was made to die, and between which times. */
  readonly deaths: Death[] = [];
  #hasExtra = false;

  constructor(taskmux: Taskmux, project: TestProject, seed: number) {
    this.taskmux = taskmux;
    this.project = project;
    this.random = randomFrom(seed);
  }

  /** A whole number below `count`. */
  pick(count: number): number {
    return Math.floor(this.random() * count);
  }

  async pidsOf(names: readonly string[]): Promise<(number | null)[]> {
    const { tasks } = await this.project.status();
    return names.map((name) =>
      tasks.find((task) => task.name === name)?.pid ?? null
    );
  }

  /** Begins something that the crash will meet somewhere on its way. Nobody waits for how it ends. */
  async begin(client: Client): Promise<string> {
    const scope = { config: this.project.config };
    const tasks = ["act"];
    const lost = (): void => {};
    switch (this.pick(5)) {
      case 0:
        return "nothing";
      case 1:
        client.call("task.start", { scope, tasks }).then(lost, lost);
        return "start";
      case 2:
        client.call("task.stop", { scope, tasks }).then(lost, lost);
        return "stop";
      case 3:
        client.call("task.restart", { scope, tasks }).then(lost, lost);
        return "restart";
      default:
        this.#hasExtra = !this.#hasExtra;
        await this.project.replace(PROJECT + (this.#hasExtra ? EXTRA : ""));
        return "reload";
    }
  }

  /** Lets time go by, so that the crash comes at a moment of its own. */
  async pause(maxMs: number): Promise<void> {
    const end = performance.now() + this.random() * maxMs;
    await until(() => performance.now() >= end);
  }

  async crash(): Promise<string> {
    await using client = await connect(this.taskmux.home.paths.daemonSocket);
    assert(client !== null);
    const begun = await this.begin(client);
    await this.pause(begun === "reload" ? 400 : 150);
    await kill(client.hello.pid);
    return begun;
  }

  /** What happens while nobody looks. */
  async die(pid: number | null): Promise<void> {
    assert(pid !== null);
    const isKill = this.pick(2) === 0;
    const from = Date.now();
    await this.project.replaceFile("die", isKill ? "kill\n" : "exit\n");
    using keeper = await KeeperClient.observe(
      this.taskmux.home.paths.keeperSocket,
    );
    await until(async () => {
      const { runs } = await keeper.request("list", {});
      return runs.some((run) => run.pid === pid && run.ended !== null);
    }, { what: "mortal dies" });
    this.deaths.push({ code: isKill ? -9 : 7, from, to: Date.now() });
  }

  /** The next daemon; sometimes one that is killed in the middle of its own start, and one after it. */
  async recover(): Promise<void> {
    if (this.pick(4) === 0) {
      const starting = this.taskmux.run(["daemon", "start"]);
      const pid = await until(() => startingDaemon(this.taskmux));
      await this.pause(300);
      await kill(pid);
      await starting;
    }
    if (this.pick(2) === 0) await this.taskmux.ok(["daemon", "start"]);
    else await this.project.ok(["start", "slow", "--if-stopped"]);
  }

  /** Whatever was begun is over, in one of the ways in which it may be. */
  async settled(begun: string, before: number | null): Promise<void> {
    const { project } = this;
    await project.when("mortal", "running");
    await project.when("web", "healthy");
    const act = await project.when(
      "act",
      ({ state }) => state === "healthy" || state === "stopped",
    );
    if (begun === "stop" || begun === "start") {
      assert.equal(act.manual, act.state === "stopped", begun);
    } else if (begun !== "restart" || before !== null) {
      // The crash may come before a restart has arrived, and what was stopped stays so.
      assert.equal(act.pid === null, before === null, begun);
    }
    if (begun !== "restart" && act.pid !== null && before !== null) {
      assert.equal(act.pid, before, `${begun} restarts nothing`);
    }
    await until(async () => {
      const { tasks } = await project.status();
      return tasks.some(({ name, state }) =>
        name === "extra" && state === "running"
      ) === this.#hasExtra;
    }, { what: `extra is ${this.#hasExtra ? "up" : "gone"}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.taskmux[Symbol.asyncDispose]();
  }
}

async function kill(pid: number): Promise<void> {
  killIfThere(pid);
  await until(async () => !await isRunning(pid));
}

async function startingDaemon(taskmux: Taskmux): Promise<number | null> {
  const found = (await taskmux.processes()).find(({ command }) =>
    command.includes("/src/daemon/main.ts ")
  );
  return found?.pid ?? null;
}

/** Every start and every exit is told once, in order, and numbers have no gap. */
function assertHistory(events: readonly Event[]): void {
  events.forEach((event, index) =>
    assert.equal(event.seq, events[0]!.seq + index, "numbers have no gap")
  );
  const runs = new Map<string, "up" | "over">();
  for (const event of events) {
    const id = String(event["run_id"]);
    if (event.event === "task_started" || event.event === "task_restarted") {
      assert.equal(runs.get(id), undefined, `start of ${id} is told once`);
      runs.set(id, "up");
    } else if (event.event === "task_exited") {
      assert.equal(runs.get(id), "up", `exit of ${id} is told once`);
      runs.set(id, "over");
    }
  }
}

async function inspectEnd(series: Series): Promise<void> {
  const { taskmux, project, deaths } = series;
  const { events } = await taskmux.call("event.list", { limit: 0 });
  assertHistory(events);
  const exits = events.filter(({ event, task }) =>
    event === "task_exited" && task === "mortal"
  );
  assert.deepEqual(
    exits.map((event) => event["exit_code"]),
    deaths.map(({ code }) => code),
  );
  exits.forEach((event, index) => {
    const endedAt = Number(event["ended_at"]) * 1000;
    const { from, to } = deaths[index]!;
    assert(from <= endedAt && endedAt <= to, "when it ended, not when told");
  });
  for (const name of UNTOUCHED) {
    const told = events.filter(({ event, task }) =>
      task === name && /^task_(started|restarted|exited|unhealthy)$/.test(event)
    );
    assert.deepEqual(told.map(({ event }) => event), ["task_started"], name);
    assert.equal((await project.task(name)).restart_count, 0);
  }
}

async function crashAgainAndAgain(series: Series): Promise<void> {
  const { taskmux, project } = series;
  const pids = await series.pidsOf(UNTOUCHED);
  for (let round = 0; round < ROUNDS; round++) {
    const [act, mortal] = await series.pidsOf(["act", "mortal"]);
    const begun = await series.crash();
    if (series.pick(2) === 0) await series.die(mortal ?? null);
    try {
      await series.recover();
      assert.deepEqual(await series.pidsOf(UNTOUCHED), pids);
      await series.settled(begun, act ?? null);
      assert.deepEqual((await project.status()).warnings, []);
    } catch (error) {
      throw new Error(`Cannot pass round ${round}: ${begun}`, { cause: error });
    }
  }
  await inspectEnd(series).catch(async (error) => {
    const { events } = await taskmux.call("event.list", { limit: 0 });
    console.error(events.map((event) => JSON.stringify(event)).join("\n"));
    throw error;
  });
}

/** What was printed, what is read and what a follower got are the same. */
async function inspectLogs(series: Series, lines: LineReader): Promise<void> {
  const { taskmux, project } = series;
  await project.ok(["stop", "flood", "slow"]);
  const logs = `${taskmux.home.home}/projects/crash/logs`;
  assertCounted(allLogTexts(`${logs}/flood.log`), 1, "flood");
  const slow = allLogTexts(`${logs}/slow.log`);
  assertCounted(slow, 1, "slow");
  const answer = await project.ok<{ lines: string[] }>([
    ...["logs", "slow", "-n", "all"],
  ]);
  assert.deepEqual(answer.lines.map((line) => line.slice(24)), slow);
  const followed = (await lines.atLeast(slow.length))
    .map((line) => JSON.parse(line).text);
  assertCounted(followed, 1, "logs -f");
  assert.equal(followed.length, slow.length);
}

Deno.test("twenty crashes of the daemon lose no process, no line and no event, and tell none of them twice", async () => {
  const seed = Number(Deno.env.get("TASKMUX_TEST_SEED") ?? Date.now() % 1e9);
  const taskmux = await testTaskmux();
  await using series = new Series(
    taskmux,
    await taskmux.project(PROJECT),
    seed,
  );
  const { project } = series;
  await project.ok(["start"]);
  const { cursor } = await taskmux.call("event.list", { limit: 1 });
  await using lines = new LineReader(
    project.spawn(["--json", "logs", "slow", "-f", "-n", "all"]),
  );
  await using news = new LineReader(
    project.spawn(["--json", "events", "-f", "--all", "-n", "1"]),
  );
  await lines.atLeast(1);
  await news.atLeast(1);
  try {
    await crashAgainAndAgain(series);
    await inspectLogs(series, lines);
    // Whoever follows does not even notice.
    const { events } = await taskmux.call("event.list", {
      cursor: String(Number(cursor) - 1),
      limit: 0,
    });
    const told = (await news.atLeast(events.length))
      .map((line) => JSON.parse(line).seq);
    assert.deepEqual(
      told.slice(0, events.length),
      events.map(({ seq }) => seq),
    );
  } catch (error) {
    throw new Error(`TASKMUX_TEST_SEED=${seed}`, { cause: error });
  }
});

Deno.test("a flood at full speed loses no line to crashes of the daemon, across rotation", async () => {
  await using taskmux = await testTaskmux();
  const last = 1_000_000;
  const log = `${taskmux.home.home}/projects/rotated/logs/flood.log`;
  const project = await taskmux.project(`
name = "rotated"
[tasks.flood]
command = "exec seq -f %.0f 1 ${last}"
log_max_size = "1MB"
log_max_files = 1000
auto_start = false
`);
  await taskmux.ok(["daemon", "start"]);
  await project.ok(["start", "flood"]);
  const random = randomFrom(3);
  for (let crashes = 0; crashes < 3; crashes++) {
    const pid = await taskmux.daemonPid();
    assert(pid !== null);
    const end = performance.now() + random() * 100;
    await until(() => performance.now() >= end);
    await kill(pid);
    if (crashes === 0) assert(allLogTexts(log).length < last, "it is flooding");
    await taskmux.ok(["daemon", "start"]);
  }
  await project.when("flood", "completed");
  const texts = allLogTexts(log);
  assert.equal(texts.length, last);
  assertCounted(texts, 1, "flood");
});

// Its end was taken for one that had been told before, and the task counted as running for ever.
Deno.test("a daemon that finds its database gone takes over what runs, and goes on with it", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "lost"
[tasks.web]
command = "exec sleep 1000"
`);
  await project.ok(["start"]);
  const pid = await project.pid("web");
  const daemon = await taskmux.daemonPid();
  assert(daemon !== null);
  await kill(daemon);
  const { database } = taskmux.home.paths;
  for (const file of [database, `${database}-wal`, `${database}-shm`]) {
    await Deno.remove(file);
  }
  await taskmux.ok(["daemon", "start"]);
  assert.equal(await project.pid("web"), pid);
  killIfThere(pid);
  await project.when("web", (task) => task.running && task.pid !== pid);
  assert.equal((await project.events("web", "task_exited")).length, 1);
});
