/**
 * Output of tasks, from their terminal to the reader.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { labelledText } from "../support/answer_lines.ts";
import { LineReader } from "../support/line_reader.ts";
import type { TestProject } from "../support/project.ts";
import { readIfThere, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

type Logs = Result<"log.read">;

/** A task that prints what is appended to `NAME.in`. */
function speaker(name: string, settings = ""): string {
  return `
[tasks.${name}]
command = "touch ${name}.in; exec tail -n +1 -f ${name}.in"
${settings}`;
}

async function say(
  project: TestProject,
  task: string,
  text: string,
): Promise<void> {
  await Deno.writeTextFile(`${project.folder}/${task}.in`, text, {
    append: true,
  });
}

async function sayAndSee(
  project: TestProject,
  task: string,
  line: string,
): Promise<void> {
  await say(project, task, `${line}\n`);
  await until(async () => (await project.log(task)).includes(line));
}

function texts(answer: Logs): string[] {
  return answer.lines.map(labelledText);
}

// Bracketed text vanished, tasks came one after another, -C did nothing in the original (defect 18).
Deno.test("logs merges tasks by time, searches, and shows every character", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(
    `name = "talk"${speaker("a")}${speaker("b")}`,
  );
  await project.ok(["start"]);
  await sayAndSee(project, "a", "one [info] <b> {x}");
  await sayAndSee(project, "b", "two Error: [boom]");
  const middle = new Date();
  await until(() => Date.now() > middle.getTime());
  await sayAndSee(project, "a", "three error");
  await sayAndSee(project, "b", "four");
  await sayAndSee(project, "a", "five");

  const all = await project.ok<Logs>(["logs"]);
  assert.deepEqual(texts(all), [
    "a: one [info] <b> {x}",
    "b: two Error: [boom]",
    "a: three error",
    "b: four",
    "a: five",
  ]);
  assert.equal(all.dropped, 0);
  assert.equal(all.has_more, false);
  const one = await project.ok<Logs>(["logs", "a"]);
  assert.match(
    String(one.lines[0]),
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} one/,
  );

  const human = await project.run(["logs"]);
  assert.match(human.stdout, /\[a\] one \[info\] <b> \{x\}\n/);
  assert.match(human.stdout, /\[b\] two Error: \[boom\]\n/);
  const events = await project.run(["events"]);
  assert.match(events.stdout, /\[?a\]?.*task_started|task_started.*a/);

  const cases: [args: string[], expected: string[]][] = [
    [["-n", "2"], ["b: four", "a: five"]],
    [["-n", "0"], []],
    [["-g", "error"], ["b: two Error: [boom]", "a: three error"]],
    [["-g", "Error"], ["b: two Error: [boom]"]],
    [["-g", "^t(wo|hree)\\b", "-n", "1"], ["a: three error"]],
    [["a", "-g", "three", "-C", "1"], [
      "one [info] <b> {x}",
      "three error",
      "five",
    ]],
    [["-g", "no such line"], []],
    [["a", "-n", "all", "--since", middle.toISOString()], [
      "three error",
      "five",
    ]],
    [["a", "--until", middle.toISOString()], ["one [info] <b> {x}"]],
    [["--since", "5m", "-n", "1"], ["a: five"]],
  ];
  await Promise.all(cases.map(async ([args, expected]) => {
    const answer = await project.ok<Logs>(["logs", ...args]);
    assert.deepEqual(texts(answer), expected, args.join(" "));
  }));
  const wrong = [
    ["--since", "garbage"],
    ["-g", "("],
    ["-n", "some"],
    ["-C", "-1"],
  ];
  await Promise.all(
    wrong.map((args) => project.fails("E500", ["logs", ...args])),
  );
});

// Carriage returns split records in the original, and bars without a newline were invisible (defect 18).
Deno.test("a log holds what a terminal would have shown", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "screen"
[tasks.web]
command = '''
printf '10%%\\r50%%\\r100%%\\n'
printf '\\033[31mred\\033[0m\\n'
printf 'bad \\377 byte\\n'
printf 'password: '; exec sleep 1000'''
`);
  await project.ok(["start"]);
  await until(async () => (await project.log("web")).length === 4);
  assert.deepEqual(await project.log("web"), [
    "100%",
    "red",
    "bad \ufffd byte",
    "password: ",
  ]);
  const inspected = await project.ok<{ readonly log_file: string }>([
    "inspect",
    "web",
  ]);
  const raw = await readIfThere(inspected.log_file);
  assert(raw.includes("\x1b[31mred\x1b[0m"), "colours stay in the file");
});

Deno.test("logs -f goes on through rotation, restart and a deleted file", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(
    `name = "follow"${speaker("a", 'log_max_size = "4KB"\nlog_max_files = 9')}${
      speaker("b")
    }`,
  );
  await project.ok(["start"]);
  await sayAndSee(project, "a", "before");
  await using all = new LineReader(project.spawn(["logs", "-f", "--json"]));
  await using one = new LineReader(project.spawn(["logs", "-f", "a"]));
  assert.equal(JSON.parse((await all.atLeast(1))[0]!).text, "before");

  // Twice the size of a file, in portions that a reader can follow.
  const count = 120;
  const line = (index: number): string => `${index} ${"x".repeat(60)}`;
  for (let index = 0; index < count; index += 20) {
    const portion = Array.from({ length: 20 }, (_, at) => line(index + at));
    await say(project, "a", `${portion.join("\n")}\n`);
    await all.atLeast(1 + index + 20);
  }
  const records = all.lines.map((text) => JSON.parse(text));
  assert.deepEqual(
    records.slice(1).map(({ text }) => text),
    Array.from({ length: count }, (_, index) => line(index)),
  );
  const { log_file: path } = await project.ok<{ readonly log_file: string }>([
    "inspect",
    "a",
  ]);
  assert.notEqual(await readIfThere(`${path}.1`), "", "it was rotated");
  const whole = await project.ok<Logs>(["logs", "a", "-n", "all"]);
  assert.equal(whole.lines.length, count + 1, "rotated files are read");

  await project.ok(["restart", "a"]);
  // The program prints the whole file once more.
  await all.atLeast(1 + count + 1 + count);
  await sayAndSee(project, "b", "from b");
  await until(() => all.lines.some((text) => text.includes("from b")));
  await project.ok(["logs-clean", "a"]);
  await say(project, "a", "after the cleaning\n");
  await until(() => all.lines.some((text) => text.includes("cleaning")));
  await until(() => one.lines.some((text) => text.includes("cleaning")));
  assert(!one.lines.some((text) => text.includes("from b")));

  const { code, signal } = await all.interrupt();
  assert(code === 130 || signal === "SIGINT", `${code} ${signal}`);
});

// Deleting a log silenced its task until the next restart in the original (defect 26).
Deno.test("output after a deletion of the log is not lost", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(
    `name = "clean"${speaker("a")}${speaker("b")}${
      speaker("c", 'log_file = "own/c.log"')
    }`,
  );
  await project.ok(["start"]);
  for (const task of ["a", "b", "c"]) await sayAndSee(project, task, "old");
  assert.match(await project.read("own/c.log") ?? "", / old\n$/);

  const one = await project.ok<Result<"log.clean">>(["logs-clean", "a"]);
  assert.equal(one.deleted, 1);
  assert.deepEqual(await project.log("a"), []);
  assert.deepEqual(await project.log("b"), ["old"]);
  await sayAndSee(project, "a", "new a");

  const { log_file: path } = await project.ok<{ readonly log_file: string }>([
    "inspect",
    "b",
  ]);
  await Deno.remove(path);
  await sayAndSee(project, "b", "new b");
  await project.ok(["logs-clean"]);
  assert.deepEqual(await project.log("c"), []);
  await sayAndSee(project, "c", "new c");
  await project.ok(["clean", "--logs", "--force"]);
  await sayAndSee(project, "c", "newer c");
  assert.deepEqual(await project.log("c"), ["newer c"]);
  await project.ok(["stop"]);
  assert.deepEqual(await project.log("c"), ["newer c"]);
});
