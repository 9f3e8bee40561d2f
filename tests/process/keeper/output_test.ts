import assert from "node:assert/strict";
import type { TaskmuxError } from "../../../src/domain/error.ts";
import { logTexts, testKeeper } from "../../support/keeper.ts";
import { HAS_PROC, memoryOf } from "../../support/processes.ts";
import { until } from "../../support/until.ts";

const LINES = 200_000;

/** Checks that the texts are the numbers from 1 to the last, without a gap. */
function checkNumbers(texts: readonly string[], last: number): void {
  assert.equal(texts.length, last);
  const wrong = texts.findIndex((text, index) => text !== String(index + 1));
  assert.equal(wrong, -1, `line ${wrong + 1} is "${texts[wrong]}"`);
}

Deno.test("a flood reaches the log whole, in order and in bounded memory", async () => {
  await using keeper = await testKeeper();
  const first = await keeper.sh(`seq 1 ${LINES}`);
  const end = await keeper.ended(first.runId);
  checkNumbers(keeper.lines("task"), LINES);
  assert.deepEqual(
    end.tail,
    Array.from({ length: 20 }, (_, index) => String(LINES - 19 + index)),
  );
  if (!HAS_PROC) return;
  const before = memoryOf(keeper.pid);
  const second = await keeper.sh(`seq 1 ${10 * LINES}`, { key: "more" });
  await keeper.ended(second.runId);
  const grownMb = (memoryOf(keeper.pid) - before) / 1e6;
  assert.ok(grownMb < 40, `memory grew by ${grownMb} MB`);
});

Deno.test("rotation under a flood loses nothing", async () => {
  await using keeper = await testKeeper();
  const run = await keeper.sh(`seq 1 ${LINES}`, {
    log: { maxBytes: 500_000, maxFiles: 50 },
  });
  await keeper.ended(run.runId);
  const path = keeper.logOf("task");
  const names = [...Deno.readDirSync(`${keeper.home.root}/logs`)]
    .map(({ name }) => Number(name.split(".")[2] ?? 0))
    .sort((a, b) => b - a);
  assert.ok(names.length > 10);
  const files = names.map((n) => (n === 0 ? path : `${path}.${n}`));
  checkNumbers(files.flatMap(logTexts), LINES);
  for (const file of files) assert.ok(Deno.statSync(file).size <= 500_000);
});

Deno.test("a flood delays neither quiet runs nor requests", async () => {
  await using keeper = await testKeeper();
  const { client } = keeper;
  const log = { maxBytes: 8_000_000, maxFiles: 1 };
  await keeper.sh(
    "while :; do echo a line of a flood that never ends; done",
    { key: "flood1", log },
  );
  await keeper.sh("yes another flood, as fast as it can be", {
    key: "flood2",
    log,
  });
  const ticks = Array.from({ length: 40 }, (_, index) => index + 1);
  const quiet = await keeper.sh(
    `for i in ${ticks.join(" ")}; do ` +
      "date -u +$i:%FT%T.%3N; sleep 0.05; done; sleep 1000",
    { key: "quiet" },
  );
  const requests: number[] = [];
  for (const tick of ticks) {
    await client.request("waitForLine", {
      runId: quiet.runId,
      pattern: `^${tick}:`,
      flags: "",
    });
    const startedAt = performance.now();
    await client.request("list", {});
    requests.push(performance.now() - startedAt);
  }
  const lines = Deno.readTextFileSync(keeper.logOf("quiet")).trim().split("\n")
    .map((line) => {
      const [, stamp, said] = /^(\S+) \d+:(\S+)$/.exec(line) ?? [];
      return Date.parse(`${stamp}Z`) - Date.parse(`${said}Z`);
    });
  assert.equal(lines.length, ticks.length);
  // Starving takes seconds; how fast it really is depends on the machine and is for `deno task bench` to tell.
  assert.ok(median(lines) < 1_000, `lines came late: ${lines} ms`);
  assert.ok(median(requests) < 1_000, `requests were slow: ${requests} ms`);
});

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

Deno.test("an unfinished line is written after a second of silence", async () => {
  await using keeper = await testKeeper();
  const run = await keeper.sh("printf 'Password: '; read -r answer; echo ok");
  await until(() => keeper.lines("task").length > 0);
  assert.deepEqual(keeper.lines("task"), ["Password: "]);
  await keeper.client.request("write", { runId: run.runId, data: "x\r" });
  await keeper.ended(run.runId);
  assert.deepEqual(keeper.lines("task"), ["Password: ", "x", "ok"]);
});

Deno.test("waitForLine finds lines said before and after, as plain text", async () => {
  await using keeper = await testKeeper();
  const { client } = keeper;
  const run = await keeper.sh(
    "printf '\\033[32mReady\\033[0m on port 3000\\r\\n'; read -r _; " +
      "echo later; read -r _; echo bye",
  );
  const { runId } = run;
  const wait = (pattern: string, flags: string, signal?: AbortSignal) =>
    client.request("waitForLine", { runId, pattern, flags }, { signal });
  assert.deepEqual(await wait("^ready on port \\d+$", "i"), {
    line: "Ready on port 3000",
  });
  assert.deepEqual(await wait("^Ready", ""), { line: "Ready on port 3000" });
  const later = wait("later", "");
  const never = wait("never", "");
  await client.request("write", { runId, data: "\r" });
  assert.deepEqual(await later, { line: "later" });

  const cancel = new AbortController();
  const cancelled = wait("cancelled", "", cancel.signal);
  cancel.abort(new Error("no longer"));
  await assert.rejects(cancelled, /no longer/);
  for (const [pattern, flags] of [["(", ""], ["x", "g"], ["x", "y"]] as const) {
    await assert.rejects(wait(pattern, flags), (error: TaskmuxError) => {
      assert.equal(error.details?.keeper_code, "invalid");
      return true;
    });
  }
  await client.request("write", { runId, data: "\r" });
  assert.deepEqual(await never, { line: null });
  assert.deepEqual(await wait("^bye$", ""), { line: "bye" });
  assert.deepEqual(await wait("nowhere", ""), { line: null });
});

Deno.test("a restarted run appends after the end of the one before", async () => {
  await using keeper = await testKeeper();
  for (const word of ["one", "two", "three"]) {
    const run = await keeper.sh(`printf ${word}`);
    await keeper.ended(run.runId);
  }
  assert.deepEqual(keeper.lines("task"), ["one", "two", "three"]);
});

Deno.test("two living runs of one log file do not tear each other's lines", async () => {
  await using keeper = await testKeeper();
  const log = { maxBytes: 200_000, maxFiles: 100 };
  const runs = await Promise.all(
    ["a", "b"].map((word) =>
      keeper.sh(`seq -f ${word}%.0f 1 20000`, { key: "shared", log })
    ),
  );
  await Promise.all(runs.map(({ runId }) => keeper.ended(runId)));
  const texts = [...Deno.readDirSync(`${keeper.home.root}/logs`)]
    .map(({ name }) => `${keeper.home.root}/logs/${name}`)
    .sort((a, b) =>
      Number(b.split(".log.")[1] ?? 0) - Number(a.split(".log.")[1] ?? 0)
    )
    .flatMap(logTexts);
  for (const word of ["a", "b"]) {
    checkNumbers(
      texts.filter((text) => text.startsWith(word)).map((text) =>
        text.slice(1)
      ),
      20_000,
    );
  }
  assert.equal(texts.length, 40_000);
});

Deno.test("output goes on where it was left, whole characters at a time, and tells the end", async () => {
  await using keeper = await testKeeper();
  const { client, home } = keeper;
  const wait = (name: string) => `until [ -e ${name} ]; do sleep 0.01; done`;
  const run = await keeper.sh(
    // The second half of the letter comes later.
    `printf 'one\\303'; ${wait("go")}; printf '\\274two'; ${
      wait("end")
    }; exit 7`,
    { cwd: home.root },
  );
  const next = (from: number) =>
    client.request("output", { runId: run.runId, from });
  let text = "";
  let at = 0;
  while (text !== "one") {
    const piece = await next(at);
    text += piece.data;
    at = piece.next;
  }
  const waiting = next(at);
  await Deno.writeTextFile(`${home.root}/go`, "");
  const piece = await waiting;
  assert.match(piece.data, /^ü/);
  assert.equal(piece.end, null);
  const cancel = new AbortController();
  const cancelled = client.request(
    "output",
    { runId: run.runId, from: piece.next + 100 },
    { signal: cancel.signal },
  );
  cancel.abort(new DOMException("enough", "AbortError"));
  await assert.rejects(cancelled, { name: "AbortError" });
  await Deno.writeTextFile(`${home.root}/end`, "");
  let last = await next(piece.next);
  while (last.end === null) last = await next(last.next);
  assert.deepEqual(last.end, { code: 7, signal: null });
  // All of it can still be read until the end is acknowledged.
  const all = await next(0);
  assert.deepEqual([all.data, all.next, all.dropped], ["oneütwo", 8, 0]);
});

Deno.test("output counts what came faster than it was asked for", async () => {
  await using keeper = await testKeeper();
  const run = await keeper.sh("seq 1 100000");
  await keeper.ended(run.runId);
  const { data, next, dropped } = await keeper.client.request("output", {
    runId: run.runId,
    from: 10,
  });
  assert.equal(new TextEncoder().encode(data).length + dropped, next - 10);
  assert(data.endsWith("100000\r\n"));
});
