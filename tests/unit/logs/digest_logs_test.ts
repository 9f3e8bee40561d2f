/**
 * Which part of the log files a digest reads, and where the next one begins.
 *
 * @module
 */

import assert from "node:assert/strict";
import { inLaterTurn } from "../../../src/kit/turn.ts";
import {
  digestLogs,
  type DigestQuery,
} from "../../../src/logs/digest/digest_logs.ts";
import { LogFolder, START_MS, timeOf } from "../../support/log_folder.ts";

const STACK = [
  "TypeError: x is not a function",
  "    at handler (/work/shop/src/server.ts:41:7)",
  "    at main (/work/shop/src/main.ts:3:1)",
];

function query(
  logs: LogFolder,
  tasks: readonly string[],
  changes: Partial<DigestQuery> = {},
): DigestQuery {
  return {
    sources: tasks.map((task) => ({
      ...logs.source(task),
      folder: "/work/shop",
    })),
    root: "/work/shop",
    sinceMs: null,
    untilMs: null,
    cursor: null,
    maxBytes: Infinity,
    nowMs: START_MS + 3_600_000,
    secrets: null,
    ...changes,
  };
}

function say(logs: LogFolder, task: string, ...texts: string[]): void {
  logs.append(task, texts.map((text) => logs.line(text)));
}

Deno.test("digestLogs() reads all files of all tasks, without colours and controls", async () => {
  using logs = new LogFolder();
  say(logs, "api", `\x1b[31mERROR\x1b[0m: o\x07ne`, "fine");
  logs.rotate("api");
  say(logs, "api", "ERROR: two");
  logs.appendRaw("api", "a line of a foreign writer\n");
  say(logs, "web", ...STACK);
  const digest = await digestLogs(query(logs, ["api", "web", "none"]));
  assert.deepEqual(
    digest.groups.map(({ task, message }) => [task, message]),
    [["web", STACK[0]], ["api", "ERROR: two"], ["api", "ERROR: one"]],
  );
  assert.equal(digest.groups[2]!.first, `${timeOf(START_MS)}Z`);
  assert.equal(digest.scanned.lines, 7);
  assert.equal(digest.scanned.skippedBytes, 0);
  assert.equal(digest.scanned.since, `${timeOf(START_MS)}Z`);
  assert.equal(digest.dropped, 0);
});

Deno.test("digestLogs() keeps to a range of time", async () => {
  using logs = new LogFolder();
  say(logs, "api", "ERROR: a", "ERROR: b", "ERROR: c", "ERROR: d");
  const digest = await digestLogs(
    query(logs, ["api"], { sinceMs: START_MS + 1, untilMs: START_MS + 2 }),
  );
  assert.deepEqual(
    digest.groups.map(({ message }) => message),
    ["ERROR: c", "ERROR: b"],
  );
  const { groups } = await digestLogs(
    query(logs, ["api"], { cursor: digest.cursor }),
  );
  assert.deepEqual(groups.map(({ message }) => message), ["ERROR: d"]);
});

Deno.test("digestLogs() tells each error once, poll after poll, through rotation", async () => {
  using logs = new LogFolder();
  const counts = new Map<string, number>();
  let cursor: string | null = null;
  for (let poll = 0; poll < 30; poll++) {
    say(logs, "api", `ERROR: ${"abc"[poll % 3]}`, ...STACK, "fine");
    if (poll % 4 === 3) logs.rotate("api", 20);
    if (poll % 5 === 4) say(logs, "web", "ERROR: w");
    const digest = await digestLogs(
      query(logs, ["api", "web"], { cursor }),
    );
    assert.equal(digest.dropped, 0);
    for (const { message, count } of digest.groups) {
      counts.set(message, (counts.get(message) ?? 0) + count);
    }
    cursor = digest.cursor;
  }
  assert.deepEqual(
    Object.fromEntries(counts),
    {
      "ERROR: a": 10,
      "ERROR: b": 10,
      "ERROR: c": 10,
      "ERROR: w": 6,
      [STACK[0]!]: 30,
    },
  );
});

Deno.test("digestLogs() says that rotation took something", async () => {
  using logs = new LogFolder();
  say(logs, "api", "ERROR: a");
  const { cursor } = await digestLogs(query(logs, ["api"]));
  for (const text of ["ERROR: b", "ERROR: c", "ERROR: d"]) {
    logs.rotate("api", 1);
    say(logs, "api", text);
  }
  const digest = await digestLogs(query(logs, ["api"], { cursor }));
  assert.ok(digest.dropped > 0);
  assert.deepEqual(
    digest.groups.map(({ message }) => message),
    ["ERROR: d", "ERROR: c"],
  );
});

Deno.test("digestLogs() tells an error again, whole, that was not printed to its end", async () => {
  using logs = new LogFolder();
  say(logs, "api", "ERROR: before", "fine", ...STACK.slice(0, 2));
  const nowMs = START_MS + 100;
  const torn = await digestLogs(query(logs, ["api"], { nowMs }));
  assert.deepEqual(
    torn.groups.map(({ sample }) => sample.length),
    [2, 1],
  );
  say(logs, "api", ...STACK.slice(2), "fine");
  const whole = await digestLogs(
    query(logs, ["api"], { nowMs: nowMs + 5_000, cursor: torn.cursor }),
  );
  assert.deepEqual(whole.groups.map(({ sample }) => sample), [STACK]);
  assert.equal(whole.groups[0]!.fingerprint, torn.groups[0]!.fingerprint);
  const after = await digestLogs(
    query(logs, ["api"], { nowMs: nowMs + 5_000, cursor: whole.cursor }),
  );
  assert.deepEqual(after.groups, []);
});

Deno.test("digestLogs() waits a second for what belongs to a line, and no longer", async () => {
  using logs = new LogFolder();
  say(logs, "api", "fine", "TypeError: x is not a function");
  const at = START_MS + 1;
  const young = await digestLogs(query(logs, ["api"], { nowMs: at + 900 }));
  assert.equal(young.groups.length, 1);
  const again = await digestLogs(
    query(logs, ["api"], { nowMs: at + 1_100, cursor: young.cursor }),
  );
  assert.equal(again.groups.length, 1);
  const settled = await digestLogs(
    query(logs, ["api"], { nowMs: at + 1_200, cursor: again.cursor }),
  );
  assert.deepEqual(settled.groups, []);
});

Deno.test("digestLogs() reads the newest part of what is too long, and says so", async () => {
  using logs = new LogFolder();
  const filler = Array.from({ length: 400 }, () => `fine ${"x".repeat(70)}`);
  say(logs, "api", "ERROR: old", ...filler, "ERROR: new");
  say(logs, "web", "ERROR: short");
  const digest = await digestLogs(
    query(logs, ["api", "web"], { maxBytes: 5_000 }),
  );
  assert.deepEqual(
    digest.groups.map(({ message }) => message),
    ["ERROR: short", "ERROR: new"],
  );
  assert.ok(digest.scanned.bytes <= 5_000);
  assert.ok(digest.scanned.bytes > 4_500, "the share of the small log is used");
  assert.ok(digest.scanned.skippedBytes > 30_000);
  assert.notEqual(digest.scanned.since, `${timeOf(START_MS)}Z`);
  const { groups } = await digestLogs(
    query(logs, ["api", "web"], { cursor: digest.cursor }),
  );
  assert.deepEqual(groups, []);

  const nothing = await digestLogs(
    query(logs, ["api", "web"], { maxBytes: 5_000 }),
    { wholly: true },
  );
  assert.deepEqual(nothing.groups, []);
  assert.equal(nothing.scanned.bytes, 0);
  const all = await digestLogs(
    query(logs, ["api", "web"], { cursor: nothing.cursor }),
  );
  assert.equal(all.groups.length, 3);
});

Deno.test("digestLogs() finds every error wherever blocks of the file end", async () => {
  using logs = new LogFolder();
  const errors = 3_000;
  const texts = Array.from({ length: errors }, (_, index) => [
    ...STACK,
    `GET /${index} ${"é€😀".repeat(index % 40)}`,
  ]).flat();
  for (let at = 0; at < texts.length; at += 1_000) {
    say(logs, "api", ...texts.slice(at, at + 1_000));
    if (at % 4_000 === 0) logs.rotate("api", 9);
  }
  const { groups, scanned } = await digestLogs(query(logs, ["api"]));
  assert.deepEqual(
    groups.map(({ count, sample }) => [count, sample]),
    [[errors, STACK]],
  );
  assert.equal(scanned.lines, texts.length);
  assert.ok(scanned.bytes > 10 * 64 * 1024);
});

Deno.test("digestLogs() lets others have their turn, and stops when it is told to", async () => {
  using logs = new LogFolder();
  const line = `${timeOf(START_MS)} ${"fine ".repeat(20)}\n`;
  logs.appendRaw("api", line.repeat(20_000));
  let turns = 0;
  let isOver = false;
  const others = (async () => {
    for (; !isOver; turns++) await new Promise<void>(inLaterTurn);
  })();
  const { scanned } = await digestLogs(query(logs, ["api"]));
  isOver = true;
  await others;
  assert.equal(scanned.lines, 20_000);
  assert.ok(turns >= scanned.bytes / (64 * 1024), `${turns} turns`);

  const controller = new AbortController();
  const digest = digestLogs(
    query(logs, ["api"], { signal: controller.signal }),
  );
  controller.abort(new Error("enough"));
  await assert.rejects(digest, /enough/);
});

Deno.test("digestLogs() gives way more often where everything is an error", async () => {
  using logs = new LogFolder();
  const word = (n: number) => n.toString(36).replaceAll(/\d/g, "z");
  const lines = Array.from(
    { length: 20_000 },
    (_, n) => `${timeOf(START_MS)} Error: ${word(n)} failed\n`,
  ).join("");
  logs.appendRaw("bad", lines);
  logs.appendRaw("good", lines.replaceAll(/Error|failed/g, "wwwww"));
  const pieces = async (task: string): Promise<number> => {
    let looks = 0;
    // It is asked before each piece.
    const signal = new AbortController().signal;
    signal.throwIfAborted = () => void looks++;
    await digestLogs(query(logs, [task], { signal }));
    return looks;
  };
  const [bad, good] = [await pieces("bad"), await pieces("good")];
  assert.ok(bad >= 2 * good, `${bad} pieces against ${good}`);
});

Deno.test("digestLogs() refuses what is no cursor", async () => {
  using logs = new LogFolder();
  await assert.rejects(
    digestLogs(query(logs, ["api"], { cursor: "nonsense" })),
    { code: "E500" },
  );
});
