/**
 * Asking for events by every filter and cursor, with a daemon, without one, and while daemons are killed.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { bustle } from "../support/bustle.ts";
import { killDaemon } from "../support/crashes.ts";
import { LineReader } from "../support/line_reader.ts";
import type { Event, TestProject } from "../support/project.ts";
import { testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

type Events = Result<"event.list">;

const seqs = ({ events }: Pick<Events, "events">): number[] =>
  events.map(({ seq }) => seq);

/** Every filter, alone and together. */
function questionsOf(third: string, middle: string): string[][] {
  return [
    ["-n", "0"],
    ["-n", "3"],
    ["--all", "-n", "0"],
    ["--task", "a", "--task", "bad"],
    ["--type", "task_exited", "--type", "task_failed"],
    ["--level", "error"],
    ["--level", "warning", "--all"],
    ["--session", "other"],
    ["--since", middle],
    ["--until", middle],
    ["--cursor", "0"],
    ["--cursor", third],
    ["--cursor", third, "-n", "2"],
    ["--cursor", third, "--task", "a", "-n", "1"],
  ];
}

type By = (...words: string[]) => Events;

function checkFilters(by: By): void {
  const names = ({ events }: Events): string[] =>
    events.map(({ event, task }) => `${event} ${task ?? ""}`.trimEnd());
  assert.deepEqual(names(by("--level", "error")), ["task_failed bad"]);
  assert.deepEqual(
    names(by("--session", "other")).filter((name) => !/daemon/.test(name)),
    [
      "project_registered",
      "task_started c",
      "session_started",
      "task_exited c",
      "task_stopped c",
    ],
  );
  assert(names(by("--session", "other")).includes("daemon_stopped"));
  assert.deepEqual(
    new Set(by("--task", "a", "--task", "bad").events.map(({ task }) => task)),
    new Set(["a", "bad"]),
  );
}

/** The same question in other words, and what a person sees of the cursor. */
async function checkWords(project: TestProject, all: Events): Promise<void> {
  assert.deepEqual(await project.ok(["events", "-n", "all"]), all);
  assert.deepEqual(
    await project.ok(["events", "--level", "warn"]),
    await project.ok(["events", "--level", "warning"]),
  );
  const third = String(all.events[2]?.seq);
  const { stderr } = await project.run([
    "events",
    "--cursor",
    third,
    "-n",
    "1",
  ]);
  assert.match(
    stderr,
    new RegExp(`^Next: --cursor ${all.events[3]?.seq}$`, "m"),
  );
}

Deno.test("every question has the same answer with a daemon and without", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "first"
[tasks]
a = "exec sleep 1000"
b = "exec sleep 1000"
bad = { command = "exit 3", restart_policy = "no" }
`);
  const other = await taskmux.project(
    `name = "other"\n[tasks]\nc = "exec sleep 1000"\n`,
    "other",
  );
  await project.run(["start"]);
  await project.when("bad", "failed");
  await other.ok(["start"]);
  const middle = new Date().toISOString();
  await project.ok(["restart", "a"]);
  await project.ok(["daemon", "stop"]);

  const all = await project.ok<Events>(["events", "-n", "0"]);
  const third = String(all.events[2]?.seq);
  await checkWords(project, all);
  const questions = questionsOf(third, middle);
  const offline: Events[] = [];
  for (const question of questions) {
    offline.push(await project.ok<Events>(["events", ...question]));
  }
  const by = (...words: string[]): Events =>
    offline[questions.findIndex((each) => each.join() === words.join())]!;
  checkFilters(by);
  const [before, after] = [by("--until", middle), by("--since", middle)];
  assert.deepEqual(
    [...new Set([...seqs(before), ...seqs(after)])],
    seqs(all),
  );
  assert.deepEqual(by("--cursor", "0").events, all.events);
  const two = by("--cursor", third, "-n", "2");
  assert.deepEqual(seqs(two), seqs(all).slice(3, 5));
  assert.deepEqual([two.has_more, two.cursor], [true, String(seqs(two)[1])]);
  assert.equal(by("--cursor", third).has_more, false);

  await taskmux.ok(["daemon", "start"]);
  const last = String(all.events.at(-1)?.seq);
  for (const [index, question] of questions.entries()) {
    const { events, cursor, has_more } = await project.ok<Events>(
      ["events", ...question],
    );
    const known = events.filter(({ seq }) => seq <= Number(last));
    const was = offline[index]!;
    // The daemon has told of itself since; the newest three are others then.
    if (question.join() !== "-n,3") assert.deepEqual(known, was.events);
    if (has_more) {
      assert.deepEqual([has_more, cursor], [was.has_more, was.cursor]);
    }
  }
});

Deno.test("a question that selects nothing is refused with what was meant", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`name = "x"\n[tasks]\na = "true"\n`);
  for (
    const [args, hint] of [
      [["--type", "task_exit"], 'did you mean "task_exited"?'],
      [["--level", "bad"], "Write --level error"],
      [["--all", "--session", "x"], "taskmux events --session x"],
      [["-f", "--until", "1m"], "Leave one of them out"],
    ] as const
  ) {
    const error = await project.fails("E500", ["events", ...args]);
    assert.equal(error.hint, hint);
  }
});

Deno.test("long answers are whole", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(
    `name = "long"\n[tasks]\na = "exec sleep 1000"\n`,
  );
  // As an earlier life has left it.
  const events = Array.from({ length: 5_000 }, (_, n) => ({
    seq: n + 1,
    ts: new Date(Date.UTC(2026, 0, 1) + n).toISOString(),
    event: n % 2 === 0 ? "task_started" : "task_stopped",
    session: "long",
    task: "a",
    ...n % 2 === 0 ? { pid: 1, run_id: "x" } : { reason: "manual" },
  }));
  await Deno.writeTextFile(
    taskmux.home.paths.eventsMirror,
    events.map((event) => JSON.stringify(event) + "\n").join(""),
  );
  await taskmux.ok(["daemon", "start"]);
  const ask = async (...args: string[]): Promise<Events> =>
    await project.ok<Events>(["events", "--task", "a", ...args]);
  const whole = await ask("-n", "0");
  assert.deepEqual(seqs(whole), events.map(({ seq }) => seq));
  assert.equal(whole.count, 5_000);
  assert.deepEqual(seqs(await ask("-n", "3000")), seqs(whole).slice(-3_000));
  assert.deepEqual(seqs(await ask("--cursor", "100")), seqs(whole).slice(100));
  const first = await ask("--cursor", "100", "-n", "2500");
  assert.deepEqual(seqs(first), seqs(whole).slice(100, 2_600));
  assert.equal(first.has_more, true);
  assert.deepEqual(
    seqs(await ask("--cursor", first.cursor)),
    seqs(whole).slice(2_600),
  );
  assert.equal((await ask()).events.length, 50);
});

Deno.test("events -f with filters and a cursor tells each event once while daemons are killed", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(
    `name = "live"\n[tasks]\na = "exec sleep 1000"\nb = "exec sleep 1000"\n`,
  );
  await project.ok(["start"]);
  await project.ok(["restart", "a"]);
  const cursor = "2";
  const filters: string[][] = [
    [],
    ["--task", "a", "--type", "task_restarted"],
    ["--level", "warning"],
  ];
  const follow = (filter: readonly string[]): LineReader =>
    new LineReader(
      project.spawn(["events", "-f", "--json", "--cursor", cursor, ...filter]),
    );
  await using all = follow(filters[0]!);
  await using some = follow(filters[1]!);
  await using bad = follow(filters[2]!);
  const readers = [all, some, bad];
  await all.atLeast(2);
  {
    await using bustling = bustle(taskmux, project);
    for (let kill = 0; kill < 3; kill++) {
      const before = some.lines.length;
      await until(() => some.lines.length >= before + 3);
      await killDaemon(taskmux);
      await taskmux.ok(["daemon", "start"]);
    }
    await bustling.end();
  }
  // An error for the last filter, and an end for all.
  await project.replace("name = ");
  await project.whenEvent("config_error");
  for (const [index, reader] of readers.entries()) {
    const expected = await until(async () => {
      const { events } = await taskmux.ok<Events>([
        "events",
        "--session",
        "live",
        "--cursor",
        cursor,
        ...filters[index]!,
      ]);
      return reader.lines.length >= events.length ? events : null;
    });
    const told = reader.lines.map((line) => JSON.parse(line) as Event);
    assert.deepEqual(told.slice(0, expected.length), expected);
  }
  assert(bad.lines.some((line) => line.includes("config_error")));
});
