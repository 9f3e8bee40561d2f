import assert from "node:assert/strict";
import { TaskmuxError } from "../../../src/domain/error.ts";
import type { LogQuery } from "../../../src/logs/log_query.ts";
import { readLogs } from "../../../src/logs/log_reader.ts";
import {
  LogFolder,
  queryOf,
  START_MS,
  timeOf,
} from "../../support/log_folder.ts";

async function texts(query: LogQuery): Promise<string[]> {
  return (await readLogs(query)).records.map(({ text }) => text);
}

function numbered(folder: LogFolder, from: number, to: number): string[] {
  return Array.from(
    { length: to - from },
    (_, index) => folder.line(`line ${from + index}`),
  );
}

Deno.test("readLogs gives the parts of a line", async () => {
  using folder = new LogFolder();
  folder.append("web", [
    "2026-11-20T10:00:00.250 \x1b[32mready\x1b[0m in 3 ms",
  ]);
  const { records } = await readLogs(queryOf([folder.source("web")]));
  assert.deepEqual(records[0], {
    ts: "2026-11-20T10:00:00.250Z",
    task: "web",
    text: "ready in 3 ms",
    styled: "\x1b[32mready\x1b[0m in 3 ms",
    raw: "2026-11-20T10:00:00.250 \x1b[32mready\x1b[0m in 3 ms",
    isContext: false,
  });
});

Deno.test("readLogs gives the last lines across rotated files", async () => {
  using folder = new LogFolder();
  folder.append("web", numbered(folder, 0, 3));
  folder.rotate("web");
  folder.append("web", numbered(folder, 3, 5));
  folder.rotate("web");
  folder.append("web", numbered(folder, 5, 6));
  const sources = [folder.source("web")];
  assert.deepEqual(
    await texts(queryOf(sources, { lines: 4 })),
    ["line 2", "line 3", "line 4", "line 5"],
  );
  assert.deepEqual(await texts(queryOf(sources, { lines: 0 })), []);
  assert.equal((await texts(queryOf(sources))).length, 6);
});

Deno.test("readLogs reads a log between rotation and the first new line", async () => {
  using folder = new LogFolder();
  folder.append("web", numbered(folder, 0, 3));
  folder.rotate("web");
  assert.equal((await texts(queryOf([folder.source("web")]))).length, 3);
});

Deno.test("readLogs answers a log without files with nothing and creates nothing", async () => {
  using folder = new LogFolder();
  const page = await readLogs(queryOf([folder.source("ghost")], { lines: 5 }));
  assert.deepEqual(page.records, []);
  assert.equal(page.hasMore, false);
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
  const lost = { task: "x", path: `${folder.path}/no/such/x.log` };
  assert.deepEqual(await texts(queryOf([lost])), []);
  Deno.writeTextFileSync(`${folder.path}/no`, "a file, no folder");
  assert.deepEqual(await texts(queryOf([lost])), []);
  Deno.mkdirSync(folder.file("folder"));
  assert.deepEqual(await texts(queryOf([folder.source("folder")])), []);
});

Deno.test("readLogs leaves out the line that is still being written", async () => {
  using folder = new LogFolder();
  folder.append("web", numbered(folder, 0, 2));
  folder.appendRaw("web", "2026-11-20T10:00:01.000 half a li");
  const sources = [folder.source("web")];
  const first = await readLogs(queryOf(sources, { lines: 1 }));
  assert.deepEqual(first.records.map(({ text }) => text), ["line 1"]);
  folder.appendRaw("web", "ne\n");
  const { cursor } = first;
  assert.deepEqual(await texts(queryOf(sources, { cursor })), ["half a line"]);
});

Deno.test("readLogs shows a torn last line once its file is rotated", async () => {
  using folder = new LogFolder();
  folder.appendRaw("web", `${folder.line("whole")}\n${folder.line("torn")}`);
  folder.rotate("web");
  folder.append("web", [folder.line("next")]);
  assert.deepEqual(
    await texts(queryOf([folder.source("web")])),
    ["whole", "torn", "next"],
  );
});

Deno.test("readLogs splits records at newlines only", async () => {
  using folder = new LogFolder();
  folder.appendRaw(
    "web",
    `${folder.line("10%\r20%\r30%")}\n${folder.line("dos")}\r\n${
      folder.line("a\u2028b\u0085c")
    }\n`,
  );
  const sources = [folder.source("web")];
  assert.deepEqual(
    await texts(queryOf(sources)),
    ["10%\r20%\r30%", "dos\r", "a\u2028b\u0085c"],
  );
  assert.deepEqual(await texts(queryOf(sources, { grep: "dos$" })), ["dos\r"]);
});

Deno.test("readLogs gives a line without a time the time before it", async () => {
  using folder = new LogFolder();
  folder.appendRaw("web", "no time yet\n");
  folder.append("web", [folder.line("error"), "  at foo", "", "  at bar"]);
  folder.rotate("web");
  folder.append("web", ["  at baz", folder.line("next")]);
  const page = await readLogs(queryOf([folder.source("web")]));
  const time = `${timeOf(START_MS)}Z`;
  assert.deepEqual(page.records.map(({ ts, text }) => [ts, text]), [
    ["", "no time yet"],
    [time, "error"],
    [time, "  at foo"],
    [time, ""],
    [time, "  at bar"],
    [time, "  at baz"],
    [`${timeOf(START_MS + 1)}Z`, "next"],
  ]);
  const last = await readLogs(queryOf([folder.source("web")], { lines: 2 }));
  assert.deepEqual(last.records.map(({ ts }) => ts), [
    time,
    `${timeOf(START_MS + 1)}Z`,
  ]);
});

Deno.test("readLogs merges tasks by time and keeps the order within a task", async () => {
  using folder = new LogFolder();
  const at = (ms: number, text: string) => `${timeOf(START_MS + ms)} ${text}`;
  folder.append("a", [at(0, "a0"), at(5, "a5"), "trace", at(9, "a9")]);
  folder.append("b", [at(5, "b5"), at(6, "b6")]);
  // The clock was set back.
  folder.append("c", [at(7, "c7"), at(1, "c1"), at(20, "c20")]);
  const sources = ["a", "b", "c"].map((task) => folder.source(task));
  const all = ["a0", "a5", "trace", "b5", "b6", "c7", "c1", "a9", "c20"];
  assert.deepEqual(await texts(queryOf(sources)), all);
  assert.deepEqual(await texts(queryOf(sources, { lines: 4 })), all.slice(-4));
});

Deno.test("readLogs takes since and until inclusively, to the millisecond", async () => {
  using folder = new LogFolder();
  for (let file = 0; file < 3; file++) {
    folder.append("web", numbered(folder, file * 1000, file * 1000 + 1000));
    if (file < 2) folder.rotate("web");
  }
  const sources = [folder.source("web")];
  const check = async (since: number | null, until: number | null) => {
    const found = await texts(queryOf(sources, {
      sinceMs: since === null ? null : START_MS + since,
      untilMs: until === null ? null : START_MS + until,
    }));
    const first = Math.max(since ?? 0, 0);
    const last = Math.min(until ?? 2999, 2999);
    assert.equal(found.length, Math.max(0, last - first + 1));
    if (found.length > 0) {
      assert.equal(found[0], `line ${first}`);
      assert.equal(found.at(-1), `line ${last}`);
    }
  };
  for (const since of [null, -5, 0, 1, 999, 1000, 1001, 1500, 2999, 3000]) {
    for (const until of [null, -1, 0, 999, 1000, 2998, 2999, 5000]) {
      if (since === null || until === null || since <= until) {
        await check(since, until);
      }
    }
  }
});

Deno.test("readLogs finds times among lines of very different length", async () => {
  using folder = new LogFolder();
  for (let n = 0; n < 300; n++) {
    const text = `line ${n}${"x".repeat(n % 50 === 7 ? 100_000 : n % 13)}`;
    folder.append("web", [folder.line(text), ...n % 10 === 0 ? ["more"] : []]);
  }
  const sources = [folder.source("web")];
  for (const n of [0, 1, 6, 7, 8, 57, 58, 150, 207, 257, 299]) {
    const [found] = await texts(queryOf(sources, {
      sinceMs: START_MS + n,
      untilMs: START_MS + n,
    }));
    assert.match(found ?? "", new RegExp(`^line ${n}(?!\\d)`));
  }
});

Deno.test("readLogs with context gives each line once", async () => {
  using folder = new LogFolder();
  const words = "a HIT b c d e HIT f HIT g h i j k".split(" ");
  folder.append("web", words.map((word) => folder.line(word)));
  const check = async (context: number, expected: string) => {
    for (const lines of [null, 10]) {
      const { records } = await readLogs(
        queryOf([folder.source("web")], { grep: "HIT", context, lines }),
      );
      const shown = records.map(({ text, isContext }) =>
        isContext ? text : `[${text}]`
      );
      assert.equal(shown.join(" "), expected);
    }
  };
  await check(0, "[HIT] [HIT] [HIT]");
  await check(1, "a [HIT] b e [HIT] f [HIT] g");
  await check(2, "a [HIT] b c d e [HIT] f [HIT] g h");
  await check(9, "a [HIT] b c d e [HIT] f [HIT] g h i j k");
});

Deno.test("readLogs does not count context lines as lines", async () => {
  using folder = new LogFolder();
  const words = "a HIT b c d e HIT f g HIT h i".split(" ");
  folder.append("web", words.map((word) => folder.line(word)));
  assert.deepEqual(
    await texts(queryOf([folder.source("web")], {
      grep: "HIT",
      context: 1,
      lines: 2,
    })),
    ["e", "HIT", "f", "g", "HIT", "h"],
  );
});

Deno.test("readLogs pages through matches with context without a repetition", async () => {
  using folder = new LogFolder();
  const words = "a HIT b HIT c d e HIT f g HIT HIT h i".split(" ");
  folder.append("web", words.map((word) => folder.line(word)));
  const sources = [folder.source("web")];
  const whole = await texts(queryOf(sources, { grep: "HIT", context: 1 }));
  const paged: string[] = [];
  // Of a log that has not begun: before the first line of any.
  let { cursor } = await readLogs(queryOf([folder.source("none")]));
  while (true) {
    const page = await readLogs(
      queryOf(sources, { grep: "HIT", context: 1, lines: 1, cursor }),
    );
    paged.push(...page.records.map(({ text }) => text));
    cursor = page.cursor;
    if (!page.hasMore) break;
  }
  assert.deepEqual(paged, whole);
});

Deno.test("readLogs refuses a broken pattern, cursor or context with E500", async () => {
  using folder = new LogFolder();
  const sources = [folder.source("web")];
  const code = (error: unknown) =>
    error instanceof TaskmuxError && error.code === "E500" &&
    error.hint !== undefined;
  await assert.rejects(readLogs(queryOf(sources, { grep: "foo(" })), code);
  await assert.rejects(readLogs(queryOf(sources, { cursor: "nope" })), code);
  await assert.rejects(readLogs(queryOf(sources, { context: 1e6 })), code);
});

Deno.test("readLogs stops with the reason of its signal", async () => {
  using folder = new LogFolder();
  folder.append("web", numbered(folder, 0, 10));
  const reason = new Error("enough");
  await assert.rejects(
    readLogs(queryOf([folder.source("web")], {
      signal: AbortSignal.abort(reason),
    })),
    reason,
  );
});

Deno.test("readLogs keeps a character whole at the borders of blocks", async () => {
  using folder = new LogFolder();
  const lines = Array.from(
    { length: 4000 },
    (_, n) => folder.line(`${n} grüße 日本語 🎉 ${"é".repeat(n % 40)}`),
  );
  folder.append("web", lines);
  const sources = [folder.source("web")];
  for (const lines_ of [null, 3999]) {
    const { records } = await readLogs(queryOf(sources, { lines: lines_ }));
    assert.deepEqual(
      records.map(({ raw }) => raw),
      lines_ === null ? lines : lines.slice(1),
    );
  }
  const check = async (grep: string, count: number) =>
    assert.equal((await texts(queryOf(sources, { grep }))).length, count);
  await check("77 grüße", 40);
  await check("77 GRÜßE", 0);
  await check("77 gr[^x]ße", 40);
  await check("日.語 🎉 é{39}$", 100);
});

Deno.test("readLogs reads a line longer than a block as several", async () => {
  using folder = new LogFolder();
  const long = "x".repeat(2_500_000);
  folder.append("web", [folder.line(long), folder.line("end")]);
  const sources = [folder.source("web")];
  const { records } = await readLogs(queryOf(sources));
  assert.equal(records.length, 4);
  assert.equal(records.map(({ text }) => text).join(""), `${long}end`);
  const last = await readLogs(queryOf(sources, { lines: 2 }));
  assert.equal(last.records.at(-1)?.text, "end");
});
