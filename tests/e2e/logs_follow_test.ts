/**
 * Following logs while everything around them changes.
 *
 * @module
 */

import assert from "node:assert/strict";
import { LineReader } from "../support/line_reader.ts";
import type { TestProject } from "../support/project.ts";
import { testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

interface Line {
  readonly ts: string;
  readonly task: string;
  readonly text: string;
}

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
  ...lines: string[]
): Promise<void> {
  const text = lines.map((line) => `${line}\n`).join("");
  await Deno.writeTextFile(`${project.folder}/${task}.in`, text, {
    append: true,
  });
}

function linesOf(reader: LineReader): Line[] {
  return reader.lines.map((line) => JSON.parse(line));
}

async function sees(
  reader: LineReader,
  task: string,
  text: string,
): Promise<void> {
  await until(
    () =>
      linesOf(reader).some((line) => line.task === task && line.text === text),
    { what: `${task}: ${text} in ${JSON.stringify(reader.lines)}` },
  );
}

Deno.test("logs -f takes up what a change of the file brings, and lets go quietly", async () => {
  await using taskmux = await testTaskmux();
  const a = speaker("a");
  const b = speaker("b");
  const project = await taskmux.project(`name = "change"${a}`);
  await project.ok(["start"]);
  await say(project, "a", "before");
  await until(async () => (await project.log("a")).includes("before"));
  await using all = new LineReader(project.spawn(["logs", "-f", "--json"]));
  await using one = new LineReader(
    project.spawn(["logs", "-f", "a", "--json"]),
  );
  await all.atLeast(1);

  await project.replace(`name = "change"${a}${b}`);
  await project.when("b", "running");
  await say(project, "b", "hello from b");
  await sees(all, "b", "hello from b");

  const moved = speaker("a", 'log_file = "own/a.log"');
  await project.replace(`name = "change"${moved}${b}`);
  await project.whenEvent("config_reloaded");
  await project.ok(["restart", "a"]);
  await say(project, "a", "in the new file");
  await sees(all, "a", "in the new file");
  await sees(one, "a", "in the new file");
  assert.match(await project.read("own/a.log") ?? "", /in the new file/);

  // A broken file changes nothing.
  await project.replace("name = ");
  await say(project, "a", "while it is broken");
  await sees(all, "a", "while it is broken");

  await project.replace(`name = "change"${moved}`);
  await until(async () =>
    (await project.status()).tasks.every(({ name }) => name !== "b")
  );
  await say(project, "a", "after b");
  await sees(all, "a", "after b");
  const texts = linesOf(all).map(({ text }) => text);
  const once = ["hello from b", "while it is broken", "after b"];
  for (const text of once) {
    assert.equal(texts.filter((each) => each === text).length, 1, text);
  }
  assert(linesOf(one).every(({ task }) => task === "a"));
});

Deno.test("logs -f goes on through the end of the daemon", async () => {
  await using taskmux = await testTaskmux({ expectedErrors: /./ });
  const project = await taskmux.project(
    `name = "ends"${speaker("a")}${speaker("b")}`,
  );
  await project.ok(["start"]);
  await say(project, "a", "1");
  await until(async () => (await project.log("a")).includes("1"));
  await using all = new LineReader(
    project.spawn(["logs", "a", "b", "-f", "--json"]),
  );
  await sees(all, "a", "1");

  await project.ok(["daemon", "restart"]);
  await say(project, "b", "2");
  await sees(all, "b", "2");

  const pid = await taskmux.daemonPid();
  assert(pid !== null);
  Deno.kill(pid, "SIGKILL");
  await say(project, "a", "3");
  await sees(all, "a", "3");
  await project.ok(["start", "--if-stopped"]);
  await project.ok(["logs-clean"]);
  await say(project, "b", "4");
  await sees(all, "b", "4");
  await say(project, "a", "5");
  await sees(all, "a", "5");
  assert.deepEqual(
    linesOf(all).map(({ text }) => text).toSorted(),
    ["1", "2", "3", "4", "5"],
  );
});

Deno.test("logs -f shows only what is asked for, and what goes on with it", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(
    `name = "filter"${speaker("a", 'log_max_size = "4KB"\nlog_max_files = 9')}${
      speaker("b")
    }${speaker("c")}`,
  );
  await project.ok(["start"]);
  await say(project, "a", "ERROR: old one", "info: fine", "ERROR: old two");
  await until(async () => (await project.log("a")).length === 3);
  await say(project, "b", '{"level":"error","user":7,"msg":"b1"}');
  await until(async () => (await project.log("b")).length === 1);
  const spawn = (...args: string[]) =>
    new LineReader(project.spawn(["logs", "-f", "--json", ...args]));
  await using errors = spawn("a", "b", "--level", "error", "-n", "2");
  await using field = spawn("--field", "user=7", "-g", "b");
  await errors.atLeast(2);
  await field.atLeast(1);

  const filler = Array.from(
    { length: 100 },
    (_, n) => `info: ${n} ${"x".repeat(60)}`,
  );
  await say(project, "a", ...filler.slice(0, 50));
  await say(project, "a", "Error: boom", "    at f (x.js:1:1)");
  await sees(errors, "a", "    at f (x.js:1:1)");
  await say(project, "a", "    at g (x.js:2:2)", "next", "    at h (x.js:3:3)");
  await sees(errors, "a", "    at g (x.js:2:2)");
  await say(project, "a", ...filler.slice(50));
  await say(project, "c", "ERROR: not asked for");
  await say(
    project,
    "b",
    '{"level":"error","user":8,"msg":"b2"}',
    '{"level":"info","user":7,"msg":"b3"}',
    '{"level":"fatal","user":7,"msg":"x"}',
  );
  await sees(errors, "b", '{"level":"fatal","user":7,"msg":"x"}');
  await sees(field, "b", '{"level":"info","user":7,"msg":"b3"}');

  const ofA = linesOf(errors).filter(({ task }) => task === "a");
  assert.deepEqual(ofA.map(({ text }) => text), [
    "ERROR: old two",
    "Error: boom",
    "    at f (x.js:1:1)",
    "    at g (x.js:2:2)",
  ]);
  const users = linesOf(field).map(({ text }) => JSON.parse(text).msg);
  assert.deepEqual(users, ["b1", "b3"]);
  const { log_file: path } = await project.ok<{ readonly log_file: string }>([
    "inspect",
    "a",
  ]);
  assert((await Deno.stat(`${path}.1`)).isFile, "it was rotated");
});
