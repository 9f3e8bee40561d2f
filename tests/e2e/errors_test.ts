/**
 * `taskmux errors`: what programs that fail have printed, from their terminal to whoever asks.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import type { TestProject } from "../support/project.ts";
import { testTaskmux } from "../support/taskmux.ts";

type Errors = Result<"log.errors">;

const NODE_PROGRAM = `
function handler(request) {
  return request.user.id;
}
for (let id = 1; id <= 3; id++) {
  try {
    handler({});
  } catch (error) {
    console.error("request", id, "failed", error);
  }
}
console.log("0 errors so far");
handler({});
`;

const DENO_PROGRAM = `
async function load(id: number): Promise<void> {
  await Promise.resolve();
  throw new TypeError("no item " + id, { cause: new Error("no shelf") });
}
await load(Number(Deno.args[0]));
`;

const PYTHON_PROGRAM = `
import logging
logging.basicConfig()
def price(order):
    return {}[order]
for order in range(3):
    try:
        price(order)
    except KeyError:
        logging.exception("order %d has no price", order)
price(9)
`;

const TASKS = `name = "shop"
[tasks.api]
command = "node src/server.js"
restart_policy = "no"
[tasks.job]
command = "deno run --no-config src/job.ts 7"
restart_policy = "no"
[tasks.worker]
command = "python3 worker.py"
cwd = "jobs"
restart_policy = "no"
`;

async function writePrograms(project: TestProject): Promise<void> {
  await Deno.mkdir(`${project.folder}/src`);
  await Deno.mkdir(`${project.folder}/jobs`);
  await project.file("src/server.js", NODE_PROGRAM);
  await project.file("src/job.ts", DENO_PROGRAM);
  await project.file("jobs/worker.py", PYTHON_PROGRAM);
}

function told({ groups }: Errors): string[] {
  return groups.map(({ task, kind, count, message, frame }) =>
    `${task} ${kind} ×${count} ${message} ${frame?.file}:${frame?.line} ${frame?.function}`
  ).sort();
}

Deno.test("errors tells what went wrong in Node, Deno and Python, each error once", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TASKS);
  await writePrograms(project);
  const stopped = ["wait", "api", "job", "worker", "--for", "stopped"];
  // Whether a task that fails at once fails its start is not what is asked here.
  await project.run(["start"]);
  await project.ok(stopped);

  const expected = [
    "api node ×4 TypeError: Cannot read properties of undefined (reading 'id') src/server.js:3 handler",
    "job deno ×1 TypeError: no item 7 src/job.ts:4 load",
    "worker python ×4 KeyError: 9 jobs/worker.py:5 price",
  ];
  const all = await project.ok<Errors>(["errors"]);
  assert.deepEqual(told(all), expected);
  assert.equal(all.omitted_groups, 0);
  assert.equal(all.scanned.skipped_bytes, 0);
  const lasts = all.groups.map(({ last }) => last);
  assert.deepEqual(lasts, lasts.toSorted().reverse());
  const job = all.groups.find(({ task }) => task === "job");
  assert.ok(job?.sample.some((line) => line.includes("no shelf")), "the cause");

  const one = await project.ok<Errors>(["errors", "worker", "job", "-n", "1"]);
  assert.equal(one.groups.length, 1);
  assert.equal(one.omitted_groups, 1);
  const none = await project.ok<Errors>(["errors", "--until", "1h"]);
  assert.deepEqual(none.groups, []);
  await project.fails("E200", ["errors", "ghost"]);
  await project.fails("E500", ["errors", "--cursor", "nonsense"]);
  await project.fails("E500", ["errors", "-n", "many"]);
  await project.fails("E500", ["errors", "--max-bytes", "30"]);

  const human = await project.run(["errors", "api"]);
  assert.match(
    human.stdout,
    /^×4 {2}TypeError: .* {2}api {2}src\/server\.js:3:\d+ \(handler\) {2}node, first /,
  );
  await assertBudgets(project);

  // What is still young is told once more, because it may go on.
  const settled = await settledCursor(project, all.cursor);
  await project.run(["restart", "job"]);
  await project.ok(["wait", "job", "--for", "stopped"]);
  const news = await project.ok<Errors>(["errors", "--cursor", settled]);
  assert.deepEqual(told(news), [expected[1]]);
  assert.equal(
    news.groups[0]!.fingerprint,
    all.groups.find(({ task }) => task === "job")!.fingerprint,
  );

  await assertNamedPlace(project, expected);

  await project.write("this is no TOML");
  const broken = await project.ok<Errors>(["errors", "api"]);
  assert.deepEqual(told(broken), expected.slice(0, 1));
  await project.write(TASKS);
  await taskmux.ok(["daemon", "stop"]);
  await project.fails("E600", ["errors", "--cursor-name", "me"]);
  const offline = await project.ok<Errors>(["errors", "--cursor", settled]);
  assert.deepEqual(offline.groups, news.groups);
  assert.deepEqual(
    told(await project.ok<Errors>(["errors"])).map((line) => line.slice(0, 8)),
    ["api node", "job deno", "worker p"],
  );
});

/** A name moves only when it is asked with, and not when logs are read with it. */
async function assertNamedPlace(
  project: TestProject,
  expected: readonly string[],
): Promise<void> {
  const named = ["errors", "--cursor-name", "me", "api"];
  await project.ok(["logs", "--cursor-name", "me"]);
  const first = await project.ok<Errors>(named);
  assert.deepEqual(told(first), expected.slice(0, 1));
  for (;;) {
    const { groups } = await project.ok<Errors>(named);
    if (groups.length === 0) break;
  }
  await project.fails("E500", [...named, "--cursor", first.cursor]);
}

/** However little room there is: it is kept to, and something is told. */
async function assertBudgets(project: TestProject): Promise<void> {
  for (const bytes of [700, 1200, 2000]) {
    for (const format of [[], ["--json"]]) {
      const args = ["errors", "--max-bytes", String(bytes), ...format];
      const { stdout } = await project.run(args);
      const size = new TextEncoder().encode(stdout).length;
      assert.ok(size <= bytes, `${size} of ${bytes}`);
      assert.match(stdout, /(?:^×4|"count":4)/m);
    }
  }
  const tokens = await project.run(["errors", "--json", "--max-tokens", "200"]);
  assert.ok(tokens.stdout.length <= 800);
}

/** A cursor after everything that was printed so far. */
async function settledCursor(
  project: TestProject,
  cursor: string,
): Promise<string> {
  for (;;) {
    const answer = await project.ok<Errors>(["errors", "--cursor", cursor]);
    if (answer.groups.length === 0) return answer.cursor;
    cursor = answer.cursor;
  }
}

Deno.test("errors reads from the files what is too long for the daemon", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`name = "shop"
[tasks.job]
command = "echo 'ERROR: new'"
restart_policy = "no"
`);
  await project.ok(["start"]);
  await project.ok(["wait", "job", "--for", "stopped"]);
  const { log_file: path } = await project.ok<{ readonly log_file: string }>([
    "inspect",
    "job",
  ]);
  const old = "2026-01-01T00:00:00.000 ";
  const line = `${old}${"fine ".repeat(200)}\n`;
  await Deno.writeTextFile(
    `${path}.1`,
    `${old}ERROR: old\n` + line.repeat(10_000),
  );
  const all = await project.ok<Errors>(["errors"]);
  assert.deepEqual(
    all.groups.map(({ message }) => message),
    ["ERROR: new", "ERROR: old"],
  );
  assert.ok(all.scanned.bytes > 10_000_000);

  // Who asks the daemon itself gets the newest part, and is told so.
  const part = await taskmux.call("log.errors", {
    scope: { config: `${project.folder}/taskmux.toml` },
  });
  assert.deepEqual(
    part.groups.map(({ message }) => message),
    ["ERROR: new"],
  );
  assert.ok(part.scanned.skipped_bytes > 1_000_000);
  const whole = new TextEncoder().encode(`${JSON.stringify(part)}\n`).length;
  const small = await taskmux.call("log.errors", {
    scope: { config: `${project.folder}/taskmux.toml` },
    max_bytes: whole - 1,
  });
  assert.equal(small.groups.length, 1);
  assert.deepEqual(small.groups[0]!.sample, []);
});
