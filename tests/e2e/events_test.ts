/**
 * The history of what happened, and the detail of one task.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { LineReader } from "../support/line_reader.ts";
import { until } from "../support/until.ts";
import type { Event, TestProject } from "../support/project.ts";
import { type Json, testTaskmux } from "../support/taskmux.ts";

type Events = Result<"event.list">;

Deno.test("events lists what happened, of whom and when it was asked for", async () => {
  await using taskmux = await testTaskmux();
  const first = await taskmux.project(
    `name = "first"\n[tasks]\na = "exec sleep 1000"\nb = "exec sleep 1000"\n`,
    "first",
  );
  const second = await taskmux.project(
    `name = "second"\n[tasks]\nc = "exec sleep 1000"\n`,
    "second",
  );
  await Promise.all([first.ok(["start"]), second.ok(["start"])]);
  await first.ok(["restart", "a"]);
  const middle = new Date();
  await first.ok(["kill", "b"]);
  await first.ok(["stop"]);

  const all = await first.ok<Events>(["events", "-n", "0"]);
  assert.equal(all.count, all.events.length);
  assert.deepEqual(
    [...new Set(all.events.map(({ session }) => session))].sort(),
    ["first", null],
    "its own, and those of taskmux itself",
  );
  const seqs = all.events.map(({ seq }) => seq);
  assert.deepEqual(seqs, seqs.toSorted((x, y) => x - y), "they grow");
  assert.equal(new Set(seqs).size, seqs.length);
  assert.match(all.events[0]!.ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

  const types = (events: readonly Event[]): string[] =>
    events.map(({ event, task }) =>
      task === undefined ? event : `${event} ${task}`
    );
  const cases: [args: string[], expected: string[]][] = [
    [["--task", "a"], [
      "task_started a",
      "task_exited a",
      "task_restarted a",
      "task_exited a",
      "task_stopped a",
    ]],
    [["--type", "task_killed", "--type", "session_stopped"], [
      "task_killed b",
      "session_stopped",
    ]],
    [["--task", "a", "-n", "1"], ["task_stopped a"]],
    [["--task", "b", "--since", middle.toISOString()], [
      "task_exited b",
      "task_killed b",
    ]],
    [["--task", "b", "--since", "1h", "--limit", "1"], ["task_killed b"]],
  ];
  await Promise.all(cases.map(async ([args, expected]) => {
    const { events } = await first.ok<Events>(["events", ...args]);
    assert.deepEqual(types(events), expected, args.join(" "));
  }));
  const everywhere = await first.ok<Events>([
    "events",
    "--all",
    "--type",
    "task_started",
  ]);
  assert.deepEqual(
    everywhere.events.map(({ session, task }) => `${session} ${task}`).sort(),
    ["first a", "first b", "second c"],
  );
  await first.fails("E500", ["events", "--since", "tea time"]);
  await checkNames(first, second);
  const { tasks } = await first.status();
  assert.equal(tasks[0]?.events["task_restarted"], 1);
});

/** A name that means nothing is refused, with and without a daemon; one that meant something is not. */
async function checkNames(
  first: TestProject,
  second: TestProject,
): Promise<void> {
  await first.ok(["start", "b"]);
  await first.replace(
    `name = "first"\n[tasks]\na = "exec sleep 1000"\nnever_ran = "true"\n`,
  );
  await first.ok(["stop", "b"]);
  const check = async (): Promise<void> => {
    await Promise.all([
      first.fails("E200", ["events", "--task", "never_rn"]).then((answer) =>
        assert.equal(answer.hint, 'did you mean "never_ran"?')
      ),
      first.fails("E200", ["events", "--task", "c"]),
      first.fails("E200", ["events", "--all", "--task", "a", "--task", "zz"]),
      first.fails("E200", ["events", "--session", "second", "--task", "a"]),
      first.ok(["events", "--all", "--task", "c"]),
      second.ok(["events", "--session", "first", "--task", "never_ran"]),
      first.ok<Events>(["events", "--task", "b"]).then(({ count }) =>
        assert(count > 0, "it was removed, its history was not")
      ),
    ]);
  };
  await check();
  await first.fails("E200", ["events", "-f", "--task", "nobody"]);
  await first.ok(["daemon", "stop"]);
  await check();
  await first.ok(["daemon", "start"]);
}

Deno.test("events -f tells what happens while it happens", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(
    `name = "live"\n[tasks]\na = "exec sleep 1000"\nb = "exec sleep 1000"\n`,
  );
  await project.fails("E600", ["events", "-f"]);
  await project.ok(["start"]);
  await using all = new LineReader(project.spawn(["events", "-f", "--json"]));
  const { cursor } = await project.ok<{ cursor: string }>(["events"]);
  await using one = new LineReader(
    project.spawn([
      "events",
      "-f",
      "--json",
      "--cursor",
      cursor,
      "--task",
      "b",
      "--type",
      "task_killed",
    ]),
  );
  // What was before comes first, and perhaps not all of it at once.
  await all.atLeast(4);
  const ends = (): string[] =>
    all.lines.map((line) => JSON.parse(line) as Event)
      .filter(({ task }) => task === "a").map(({ event }) => event)
      .filter((event) => event === "task_exited" || event === "task_stopped");
  assert.deepEqual(ends(), []);
  await project.ok(["stop", "a"]);
  await until(() => ends().length === 2);
  assert.deepEqual(ends(), ["task_exited", "task_stopped"]);
  await project.ok(["kill", "b"]);
  await one.atLeast(1);
  const [killed] = one.lines.map((line) => JSON.parse(line) as Event);
  assert.equal(killed?.event, "task_killed");
  assert.equal(one.lines.length, 1);
});

Deno.test("inspect tells everything of a task, every process of it too", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "detail"
[tasks.db]
command = "exec sleep 1000"
[tasks.web]
command = "sh -c 'sleep 1000 & wait' & echo $PORT; wait"
cwd = "sub"
host = "web"
env = { NAME = "value" }
health_check = "true"
health_interval = 3
restart_policy = "always"
max_restarts = 7
stop_signal = "SIGTERM"
depends_on = { db = "started" }
[tasks.web.hooks]
after_stop = "true"
`);
  await Deno.mkdir(`${project.folder}/sub`);
  await project.ok(["start", "--wait"]);
  await project.ok(["restart", "web", "--wait"]);
  const web = await project.ok<Json>(["inspect", "web"]);
  assert.equal(web["name"], "web");
  assert.equal(web["state"], "healthy");
  assert.equal(web["cwd"], `${project.folder}/sub`);
  assert.deepEqual(web["env"], { NAME: "value" });
  assert.deepEqual(web["hooks"], { after_stop: "true" });
  assert.deepEqual(web["dependencies"], { db: "started" });
  assert.equal(web["max_restarts"], 7);
  assert.equal(web["stop_signal"], "SIGTERM");
  assert.equal((web["health"] as Json)["interval"], 3);
  const pids = web["pids"] as readonly number[];
  assert.equal(pids.length, 3, "the leader, its child and that one's child");
  assert(pids.includes(web["pid"] as number));
  const runs = web["runs"] as readonly Json[];
  assert.equal(runs.length, 2);
  const ended = runs.find((run) => run["ended_at"] !== null);
  assert.equal(ended?.["exit_code"], -15);
  assert.equal(ended?.["port"], web["port"]);
  await project.ok(["stop", "web"]);
  const stopped = await project.ok<Json>(["inspect", "web"]);
  assert.deepEqual(stopped["pids"], []);
  assert.equal(stopped["exit_code"], -15);
  assert.equal(stopped["manual"], true);
});
