/**
 * Answers that fit into what an agent wants to spend.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import type { TestProject } from "../support/project.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

type Logs = Result<"log.read">;

const SHORT = ["logs", "api", "--max-tokens", "250"];

const BUDGETS = [512, 777, 2_000, 5_001];

function sizeOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Lines that an answer shows, stands for and leaves out. */
function countOf({ lines, omitted }: Logs): number {
  let count = omitted?.lines ?? 0;
  for (const line of lines) {
    if (typeof line === "string") count++;
    else {
      if ("text" in line) count++;
      count += Number(line["repeated"] ?? 0) + Number(line["redrawn"] ?? 0);
    }
  }
  return count;
}

const SPENDER = `
name = "spender"
[tasks.api]
command = '''
i=0
while [ $i -lt 700 ]; do
  i=$((i+1))
  printf '\\033[32minfo\\033[0m "request" %s took \\\\ long\\n' $(printf %x $((i*7919)))
  [ $i = 333 ] && printf 'Error: disk full\\n    at save (store.ts:7:1)\\n'
done
printf '\\342\\240\\213 10%%\\n\\033[1A\\033[2K\\342\\240\\231 20%%\\n\\033[1A\\033[2Kdone\\n'
head -c 9000 /dev/zero | tr '\\0' z; echo
for i in 1 2 3 4 5 6; do echo waiting for db; done
exec sleep 1000'''
[tasks.web]
command = "echo hello from web; exec sleep 1000"`;

/** Lines that its api prints. */
const API_LINES = 712;

Deno.test("an answer keeps to its budget, keeps errors, and tells what it leaves out", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(SPENDER);
  await project.ok(["start"]);
  await until(async () => (await project.log("api")).length === API_LINES, {
    what: "all output",
  });
  await checkSizes(project);
  await checkContent(project);
  await checkTokens(taskmux, project);
  await checkRanges(project);
  await checkNews(project);
  await checkWithoutFile(project);
});

async function checkSizes(project: TestProject): Promise<void> {
  for (const budget of BUDGETS) {
    for (const tasks of [["api"], []]) {
      const args = ["logs", ...tasks, "--max-bytes", String(budget)];
      const json = await project.run([...args, "--json"]);
      assert(sizeOf(json.stdout) <= budget, `${sizeOf(json.stdout)}`);
      const answer = json.json() as unknown as Logs;
      assert.equal(answer.ok, true, json.stdout);
      assert.equal(
        countOf(answer),
        tasks.length === 1 ? API_LINES : API_LINES + 1,
      );
      assert.match(json.stdout, /Error: disk full/);
      const text = await project.run(args);
      assert(sizeOf(text.stdout) <= budget, `${sizeOf(text.stdout)}`);
      assert.match(text.stdout, /Error: disk full/);
      assert.match(text.stdout, /… [\d ]+ lines \([\d ]+ bytes\) left out …/);
      assert.match(text.stdout, /left out in all; all of it: \//);
    }
  }
}

/** What stays, and how. */
async function checkContent(project: TestProject): Promise<void> {
  const whole = await project.ok<Logs>(["logs", "api", "--max-bytes", "5001"]);
  const { log_file } = await project.ok<{ log_file: string }>([
    "inspect",
    "api",
  ]);
  assert.deepEqual(whole.files, [log_file]);
  const shown = whole.lines.map((line) =>
    typeof line === "string" ? line.slice(24) : line
  );
  assert.deepEqual(shown.slice(-2), ["waiting for db", { repeated: 5 }]);
  assert(shown.includes("done"));
  assert(shown.some((line) =>
    typeof line === "string" &&
    /^z+…\[[\d ]+ characters cut\]…z+$/.test(line)
  ));
  assert(!JSON.stringify(shown).includes("20%"));
}

/** Tokens are four bytes; the daemon answers the same; what is left out is seen as well. */
async function checkTokens(
  taskmux: Taskmux,
  project: TestProject,
): Promise<void> {
  const { stdout } = await project.run([...SHORT, "--json"]);
  assert(sizeOf(stdout) <= 1_000);
  const { cursor } = JSON.parse(stdout) as Logs;
  const after = await project.ok<Logs>(["logs", "api", "--cursor", cursor]);
  assert.deepEqual(after.lines, []);
  const told = await taskmux.call("log.read", {
    scope: { config: project.config },
    tasks: ["api"],
    max_bytes: 1_000,
  });
  assert.deepEqual(told, JSON.parse(stdout));
}

async function checkRanges(project: TestProject): Promise<void> {
  const few = await project.ok<Logs>([...SHORT, "-n", "3"]);
  assert.deepEqual(few.omitted, { lines: 0, bytes: 0 });
  assert.equal(countOf(few), 3);
  const found = await project.ok<Logs>([...SHORT, "-g", "request"]);
  assert.equal(countOf(found), 700);
  const page = await project.ok<Logs>([...SHORT, "--cursor-name", "me"]);
  assert.equal(countOf(page), API_LINES);
  const none = await project.ok<Logs>([...SHORT, "--cursor-name", "me"]);
  assert.equal(countOf(none), 0);

  for (
    const wrong of [
      ["--max-bytes", "511"],
      ["--max-tokens", "0"],
      ["--max-bytes", "much"],
      ["-f", "--max-bytes", "1000"],
      ["-f", "--max-tokens", "1000"],
    ]
  ) await project.fails("E500", ["logs", ...wrong]);
}

/** What is told to a caller counts, too. */
async function checkNews(project: TestProject): Promise<void> {
  const args = ["logs", "api", "--caller", "agent", "--cursor-name", "mine"];
  await project.ok(["status", "--caller", "agent"]);
  await project.ok(["restart", "web"]);
  const { stdout } = await project.run([
    ...args,
    "--max-bytes",
    "1500",
    "--json",
  ]);
  assert(sizeOf(stdout) <= 1_500, `${sizeOf(stdout)}`);
  const answer = JSON.parse(stdout);
  assert(answer.recent_events.length > 0);
  assert.match(stdout, /Error: disk full/);
  assert.equal(countOf(answer), API_LINES);
  // The confirmation takes none with it, nor does an answer that is printed in pieces.
  const others = [args, ["logs", "-n", "all", "--caller", "agent"]];
  for (const other of others) {
    await project.ok(["restart", "web"]);
    const { recent_events } = await project.ok<{ recent_events: unknown[] }>(
      other,
    );
    assert(recent_events.length > 0, other.join(" "));
  }
}

/** Only the daemon knows the project any more. */
async function checkWithoutFile(project: TestProject): Promise<void> {
  await project.replace("not toml");
  const kept = await project.run(SHORT);
  assert(sizeOf(kept.stdout) <= 1_000);
  assert.match(kept.stdout, /Error: disk full/);
  const keptJson = await project.ok<Logs>(SHORT);
  assert.equal(countOf(keptJson), API_LINES);
}
