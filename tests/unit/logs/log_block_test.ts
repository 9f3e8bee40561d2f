import assert from "node:assert/strict";
import fc from "fast-check";
import { StreamedAnswer } from "../../../src/cli/streamed_answer.ts";
import { Output } from "../../../src/cli/output.ts";
import { LogPrinter } from "../../../src/cli/render/logs.ts";
import { makePaint } from "../../../src/cli/render/paint.ts";
import {
  type LogQuery,
  type LogRecord,
  recordsOfBlock,
} from "../../../src/logs/log_query.ts";
import {
  type StreamEnd,
  type StreamOptions,
  streamRecords,
} from "../../../src/logs/log_stream.ts";
import {
  LogFolder,
  queryOf,
  START_MS,
  timeOf,
} from "../../support/log_folder.ts";

interface Read {
  readonly records: readonly LogRecord[];
  readonly end: StreamEnd;
  /** Bytes that came in blocks. */
  readonly inBlocks: number;
}

async function read(query: LogQuery, options: StreamOptions): Promise<Read> {
  const stream = streamRecords(query, options);
  const records: LogRecord[] = [];
  let inBlocks = 0;
  while (true) {
    const { value, done } = await stream.next();
    if (done) return { records, end: value, inBlocks };
    for (const record of value.records) records.push(record);
    if (value.block === undefined) continue;
    inBlocks += value.block.text.length;
    for (const record of recordsOfBlock(value.block)) records.push(record);
  }
}

/** Lines of a log: most of them plain, in order. */
const logLine = fc.tuple(
  fc.nat({ max: 20 }),
  fc.oneof(
    { weight: 400, arbitrary: fc.constant("x".repeat(400)) },
    { weight: 3, arbitrary: fc.string({ maxLength: 30 }) },
    fc.string({ unit: "grapheme", maxLength: 10 }),
    fc.constantFrom("", " ", "\x1b[32mgreen\x1b[0m", "a\rb\r", "\u0085", "\0"),
  ),
  fc.nat({ max: 400 }),
);

Deno.test("lines in blocks are the same as lines one by one", async () => {
  let inBlocks = 0;
  let all = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(logLine, { minLength: 200, maxLength: 700, size: "max" }),
      fc.option(fc.nat({ max: 10_000 })),
      fc.option(fc.nat({ max: 10_000 })),
      async (lines, since, length) => {
        using folder = new LogFolder();
        let ms = START_MS;
        const texts = lines.map(([step, text, odd]) => {
          ms += step;
          const line = text.replaceAll("\n", " ");
          if (odd === 101) return line;
          // A clock that was set back.
          if (odd === 102) return `${timeOf(ms - 50_000)} ${line}`;
          return odd === 103 ? timeOf(ms) : `${timeOf(ms)} ${line}`;
        });
        const half = texts.length >> 1;
        folder.append("web", texts.slice(0, half));
        if (lines[0]![2] % 2 === 0) folder.appendRaw("web", "no newline");
        folder.rotate("web");
        folder.append("web", texts.slice(half));
        const query = queryOf([folder.source("web")], {
          sinceMs: since === null ? null : START_MS + since,
          untilMs: since === null || length === null
            ? null
            : START_MS + since + length,
        });
        const blocks = await read(query, { blocks: true });
        const single = await read(query, {});
        assert.deepEqual(blocks.records, single.records);
        assert.deepEqual(blocks.end, single.end);
        assert.equal(single.inBlocks, 0);
        inBlocks += blocks.inBlocks;
        all += texts.join("\n").length;
      },
    ),
    { numRuns: 30 },
  );
  assert(inBlocks > all / 20, `${inBlocks} of ${all}`);
});

Deno.test("no blocks come where lines are looked for, counted or merged", async () => {
  using folder = new LogFolder();
  for (const task of ["api", "web"]) {
    folder.append(task, Array.from({ length: 9 }, () => folder.line("x")));
  }
  const web = [folder.source("web")];
  const queries = [
    queryOf(web, { grep: "x" }),
    queryOf(web, { level: "info" }),
    queryOf(web, { lines: 5 }),
    queryOf([folder.source("api"), ...web]),
  ];
  for (const query of queries) {
    assert.equal((await read(query, { blocks: true })).inBlocks, 0);
  }
  const all = await read(queryOf(web), { blocks: true });
  assert.equal(all.inBlocks, 9 * "2026-11-20T10:00:00.000 x\n".length);
});

const BLOCK = {
  task: "web",
  text: ['GET "/a"', "", "C:\\new\\\\n", "  ünïcode 🎉", "\ttab\\"]
    .map((text, n) => `${timeOf(START_MS + n)} ${text}\n`).join(""),
};

Deno.test("a block is printed as its lines are", () => {
  for (const withTask of [true, false]) {
    for (const isPainted of [true, false]) {
      const printer = () =>
        new LogPrinter({
          paint: makePaint(isPainted),
          colours: isPainted,
          withTask,
        });
      const lines = printer().lines(recordsOfBlock(BLOCK));
      assert.equal(printer().block(BLOCK), `${lines.join("\n")}\n`);
    }
  }
});

Deno.test("the lines of a block are strings of JSON", async () => {
  for (const text of [BLOCK.text, BLOCK.text.replaceAll("\\", "/")]) {
    const written: Uint8Array[] = [];
    const answer = new StreamedAnswer(
      new Output({
        json: true,
        stdout: {
          write: (bytes) => Promise.resolve(written.push(bytes) * bytes.length),
          isTerminal: () => false,
        },
        stderr: {
          write: (bytes) => Promise.resolve(bytes.length),
          isTerminal: () => false,
        },
        noColor: true,
        terminalSize: () => null,
      }),
      "lines",
    );
    await answer.addLines(text);
    await answer.addLines(text);
    await answer.end({ ok: true });
    const json: unknown = JSON.parse(
      await new Blob(written.map((each) => new Uint8Array(each))).text(),
    );
    const lines = text.slice(0, -1).split("\n");
    assert.deepEqual(json, { ok: true, lines: [...lines, ...lines] });
  }
});
