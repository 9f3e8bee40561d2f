import assert from "node:assert/strict";
import { encodeCursor } from "../../../src/logs/log_cursor.ts";
import type { LogQuery } from "../../../src/logs/log_query.ts";
import { cursorOf, readLogs } from "../../../src/logs/log_reader.ts";
import {
  type LogBatch,
  type SearchProgress,
  type StreamEnd,
  streamRecords,
} from "../../../src/logs/log_stream.ts";
import {
  LogFolder,
  queryOf,
  START_MS,
  timeOf,
} from "../../support/log_folder.ts";

function at(ms: number, text: string): string {
  return `${timeOf(START_MS + ms)} ${text}`;
}

async function drain(
  stream: AsyncGenerator<LogBatch, StreamEnd, void>,
): Promise<{ texts: string[]; end: StreamEnd }> {
  const texts: string[] = [];
  while (true) {
    const { value, done } = await stream.next();
    if (done) return { texts, end: value };
    texts.push(...value.records.map(({ text }) => text));
  }
}

async function textsOf(query: LogQuery): Promise<string[]> {
  return (await readLogs(query)).records.map(({ text }) => text);
}

Deno.test("a match comes as soon as no other log can have an older one", async () => {
  using folder = new LogFolder();
  const filler = "x".repeat(1000);
  for (let n = 0; n < 20; n++) {
    const lines = (task: string) =>
      Array.from({ length: 200 }, (_, i) => at(n * 200 + i, task + filler));
    folder.append("a", [at(n * 200, `HIT a${n}`), ...lines("a")]);
    folder.append("b", lines("b"));
  }
  let read: SearchProgress = { readBytes: 0, totalBytes: 0 };
  const stream = streamRecords(
    queryOf(["a", "b"].map((task) => folder.source(task)), { grep: "HIT" }),
    { onProgress: (progress) => read = progress },
  );
  const first = await stream.next();
  assert.equal(first.done, false);
  assert(read.readBytes < read.totalBytes / 4, JSON.stringify(read));
  const { texts } = await drain(stream);
  assert.equal(texts.length, 19);
  assert.deepEqual(read.readBytes, read.totalBytes);
});

Deno.test("last lines are the same whether they are kept or read again", async () => {
  using folder = new LogFolder();
  // More than is kept.
  const count = 30_000;
  for (const task of ["a", "b", "c"]) {
    folder.append(
      task,
      Array.from(
        { length: count },
        (_, n) =>
          at(n, `${task}${n} ${n % 3 === 0 ? "HIT" : "no"} ${"é".repeat(20)}`),
      ),
    );
  }
  const sources = ["a", "b", "c"].map((task) => folder.source(task));
  for (const grep of [null, "HIT"]) {
    const all = await textsOf(queryOf(sources, { grep }));
    assert.equal(all.length, grep === null ? 3 * count : count);
    for (const lines of [1, 100, 5_000, 29_999]) {
      const last = await textsOf(queryOf(sources, { grep, lines }));
      assert.deepEqual(last, all.slice(-lines), `${grep} ${lines}`);
    }
  }
});

Deno.test("last lines are read from the end only", async () => {
  using folder = new LogFolder();
  const filler = "x".repeat(1000);
  for (let task = 0; task < 20; task++) {
    folder.append(
      `t${task}`,
      Array.from({ length: 1000 }, (_, n) => at(n * 20 + task, filler)),
    );
  }
  const sources = Array.from({ length: 20 }, (_, n) => folder.source(`t${n}`));
  let read: SearchProgress = { readBytes: 0, totalBytes: 0 };
  const { texts } = await drain(
    streamRecords(queryOf(sources, { lines: 100 }), {
      onProgress: (progress) => read = progress,
    }),
  );
  assert.equal(texts.length, 100);
  assert(read.readBytes < read.totalBytes / 10, JSON.stringify(read));
});

Deno.test("a stream has no end at a hundred thousand lines, a page has and says so", async () => {
  using folder = new LogFolder();
  const count = 100_500;
  folder.append("web", Array.from({ length: count }, (_, n) => at(n, `${n}`)));
  const query = queryOf([folder.source("web")]);
  const { texts, end } = await drain(streamRecords(query));
  assert.equal(texts.length, count);
  assert.equal(end.hasMore, false);
  const page = await readLogs(query);
  assert.equal(page.records.length, 100_000);
  assert.equal(page.hasMore, true);
  const rest = await readLogs({ ...query, cursor: page.cursor });
  assert.deepEqual(rest.records.map(({ text }) => text), texts.slice(100_000));
  assert.equal(
    (await readLogs({ ...query, cursor: cursorOf(end.resume) }))
      .records.length,
    0,
  );
});

Deno.test("what continues an error comes with it, across files, and is not counted", async () => {
  using folder = new LogFolder();
  folder.append("web", [
    at(0, "starting"),
    at(1, "Error: one"),
    at(2, "    at f (a.js:1:1)"),
  ]);
  folder.rotate("web");
  folder.append("web", [
    at(3, "    at g (a.js:2:2)"),
    at(4, "listening"),
    at(5, "    indented, of nothing"),
    at(6, "Error: two"),
    at(7, "Error: three"),
    at(8, "Caused by: four"),
    at(9, "info: five"),
  ]);
  const query = queryOf([folder.source("web")], { level: "error" });
  const all = [
    "Error: one",
    "    at f (a.js:1:1)",
    "    at g (a.js:2:2)",
    "Error: two",
    "Error: three",
    "Caused by: four",
  ];
  assert.deepEqual(await textsOf(query), all);
  assert.deepEqual(await textsOf({ ...query, lines: 4 }), all);
  assert.deepEqual(await textsOf({ ...query, lines: 3 }), all.slice(3));
  const { records } = await readLogs({ ...query, context: 1 });
  assert.deepEqual(
    records.map(({ text, isApart }) => (isApart ? "-- " : "") + text),
    [
      "-- starting".slice(3),
      ...all.slice(0, 3),
      "listening",
      "    indented, of nothing",
      ...all.slice(3),
      "info: five",
    ].map((text, index) => index === 0 ? `-- ${text}` : text),
  );
});

Deno.test("a trace without end is cut", async () => {
  using folder = new LogFolder();
  folder.append("web", [
    at(0, "Error: deep"),
    ...Array.from({ length: 5000 }, (_, n) => at(1, `    at f${n} (x.js)`)),
  ]);
  const query = queryOf([folder.source("web")], { level: "error", lines: 5 });
  assert.equal((await textsOf(query)).length, 101);
});

Deno.test("pages of levels join to the whole answer", async () => {
  using folder = new LogFolder();
  for (let n = 0; n < 300; n++) {
    folder.append("web", [
      at(n, `${n % 7 === 0 ? "ERROR: " : "info: "}${n}`),
      ...n % 3 === 0 ? [at(n, "    at f (x.js:1:1)")] : [],
    ]);
    if (n % 50 === 49) folder.rotate("web", 9);
  }
  const query = queryOf([folder.source("web")], { level: "error" });
  const whole = await textsOf(query);
  const paged: string[] = [];
  let cursor = encodeCursor(new Map());
  for (let hasMore = true; hasMore;) {
    const page = await readLogs({ ...query, cursor, lines: 2 });
    paged.push(...page.records.map(({ text }) => text));
    ({ cursor, hasMore } = page);
  }
  assert.deepEqual(paged, whole);
});

Deno.test("a stream ends with the reason of its signal", async () => {
  using folder = new LogFolder();
  folder.append("web", Array.from({ length: 50_000 }, (_, n) => at(n, "line")));
  const abort = new AbortController();
  const stream = streamRecords(
    queryOf([folder.source("web")], { signal: abort.signal }),
  );
  assert.equal((await stream.next()).done, false);
  abort.abort(new Error("enough"));
  await assert.rejects(drain(stream), /enough/);
});
