/**
 * Answers longer than a frame, a buffer, or anybody's patience.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { printedText } from "../support/answer_lines.ts";
import type { TestProject } from "../support/project.ts";
import { testTaskmux } from "../support/taskmux.ts";
import { openTerminal } from "../support/terminal.ts";

type Logs = Result<"log.read">;

const START_MS = Date.UTC(2026, 10, 20, 10, 0, 0);

const TOML = `
name = "long"
[tasks.a]
command = "true"
[tasks.b]
command = "true"
`;

/** Where the log of a task is; its folder is made. */
async function logFile(project: TestProject, task: string): Promise<string> {
  const { log_file: path } = await project.ok<{ readonly log_file: string }>([
    "inspect",
    task,
  ]);
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), {
    recursive: true,
    mode: 0o700,
  });
  return path;
}

/** Lines `from` to `to`, one each second millisecond. */
function numbered(task: string, from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => {
    const n = from + index;
    const time = new Date(START_MS + 2 * n + (task === "b" ? 1 : 0));
    return `${time.toISOString().slice(0, -1)} ${task} ${n}\n`;
  }).join("");
}

// A hundred thousand lines were the silent end of "all".
Deno.test("logs -n all shows every line, as text and as one JSON value", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TOML);
  const count = 60_000;
  for (const task of ["a", "b"]) {
    const path = await logFile(project, task);
    await Deno.writeTextFile(`${path}.2`, numbered(task, 0, 20_000));
    await Deno.writeTextFile(`${path}.1`, numbered(task, 20_000, 40_000));
    await Deno.writeTextFile(path, numbered(task, 40_000, count));
  }
  const all = await project.ok<Logs>(["logs", "-n", "all"]);
  assert.equal(all.lines.length, 2 * count);
  assert(all.lines.every((line, index) =>
    typeof line === "object" &&
    printedText(line) ===
      `${index % 2 === 0 ? "a" : "b"} ${Math.floor(index / 2)}`
  ));
  assert.equal(all.has_more, false);
  assert.equal(all.dropped, 0);

  const one = await project.ok<Logs>(["logs", "b", "-n", "all"]);
  assert.equal(one.lines.length, count);
  assert.equal(one.task, "b");
  assert.match(String(one.lines.at(-1)), / b 59999$/);

  const text = await project.run(["logs", "b", "a", "-n", "all"]);
  const lines = text.stdout.trimEnd().split("\n");
  assert.equal(lines.length, 2 * count);
  assert.match(lines[1] ?? "", /Z \[b\] b 0$/);

  const last = await project.ok<Logs>(["logs", "-n", "100000"]);
  assert.deepEqual(last.lines, all.lines.slice(-100_000));
  const found = await project.ok<Logs>(["logs", "-n", "all", "-g", "99$"]);
  assert.equal(found.lines.length, 2 * count / 100);
  await project.fails("E500", ["logs", "-n", "100001"]);
});

Deno.test("logs -C separates what does not follow", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TOML);
  await Deno.writeTextFile(await logFile(project, "a"), numbered("a", 0, 30));
  const found = ["logs", "a", "-g", "a (5|7|20|23)$", "-C", "1"];
  // A budget changes nothing of what fits into it.
  for (const budget of [[], ["--max-tokens", "1000"]]) {
    const run = await project.run([...found, ...budget]);
    assert.deepEqual(
      run.stdout.trimEnd().split("\n").map((line) => line.split(" ").at(-1)),
      ["4", "5", "6", "7", "8", "--", "19", "20", "21", "22", "23", "24"],
    );
  }
  const plain = await project.run(["logs", "a", "-g", "a (5|20)$"]);
  assert(!plain.stdout.includes("--"));
});

Deno.test("a long search tells how far it is, and Ctrl-C ends it", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TOML);
  const path = await logFile(project, "a");
  await Deno.writeTextFile(path, numbered("a", 0, 10));
  // A hole: nothing to store, and much to look through.
  await Deno.truncate(path, 1e12);
  const args = ["logs", "a", "-n", "all", "-g", "a 3"];
  await using terminal = openTerminal(taskmux.home, args, project.folder);
  await terminal.shows("a 3");
  await terminal.shows(/searched \d+(\.\d)? of 1000000 MB/);
  const mark = terminal.mark();
  await terminal.type("\x03");
  assert.equal(await terminal.ended(), 130);
  assert(terminal.text.slice(mark).includes("\r\x1b[K"), "the meter is gone");
  assert(!terminal.text.slice(mark).includes("Error"));
});

Deno.test("a long digest tells how far it is, and Ctrl-C ends it", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TOML);
  const path = await logFile(project, "a");
  await Deno.writeTextFile(path, numbered("a", 0, 10));
  const { cursor } = await project.ok<Result<"log.errors">>(["errors", "a"]);
  await Deno.truncate(path, 1e12);
  const args = ["errors", "a", "--cursor", cursor];
  await using terminal = openTerminal(taskmux.home, args, project.folder);
  await terminal.shows(/searched \d+(\.\d)? of 1000000 MB/);
  const mark = terminal.mark();
  await terminal.type("\x03");
  assert.equal(await terminal.ended(), 130);
  assert(terminal.text.slice(mark).includes("\r\x1b[K"), "the meter is gone");
  assert(!terminal.text.slice(mark).includes("Error"));
});

Deno.test("levels and fields are found with and without a daemon", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TOML);
  const line = (n: number, text: string): string =>
    `${new Date(START_MS + n).toISOString().slice(0, -1)} ${text}\n`;
  const texts = [
    "GET /error 404",
    "ERROR: refused",
    "  at f (x.js:1:1)",
    "0 errors",
    '{"level":50,"http":{"status":503},"msg":"down"}',
    'level=warn status=503 msg="slow"',
  ];
  await Deno.writeTextFile(
    await logFile(project, "a"),
    texts.map((text, n) => line(n, text)).join(""),
  );
  const cases: [args: string[], expected: number[]][] = [
    [["--level", "error"], [1, 2, 4]],
    [["--level", "WARN"], [1, 2, 4, 5]],
    [["--level", "warning"], [1, 2, 4, 5]],
    [["--level", "error", "-n", "1"], [4]],
    [["--field", "http.status=503"], [4]],
    [["--field", "status=503", "--field", "msg=slow"], [5]],
    [["--level", "error", "-g", "refused"], [1, 2]],
    [["--level", "fatal"], []],
  ];
  const check = async (): Promise<void> => {
    for (const [args, expected] of cases) {
      const { lines } = await project.ok<Logs>(["logs", "a", ...args]);
      assert.deepEqual(
        lines.map((each) => String(each).slice(24)),
        expected.map((index) => texts[index]),
        args.join(" "),
      );
    }
    await project.fails("E500", ["logs", "--level", "loud"]);
    await project.fails("E500", ["logs", "--field", "status"]);
  };
  await check();
  await project.ok(["daemon", "start"]);
  await check();
});
