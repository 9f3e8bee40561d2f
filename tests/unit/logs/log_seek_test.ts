import assert from "node:assert/strict";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { readLogs } from "../../../src/logs/log_reader.ts";
import {
  LogFolder,
  queryOf,
  START_MS,
  timeOf,
} from "../../support/log_folder.ts";
import { randomFrom } from "../../support/random.ts";

/** The texts between two times, counted in milliseconds from the start. */
async function between(
  folder: LogFolder,
  since: number | null,
  until: number | null,
  lines: number | null = null,
): Promise<string[]> {
  const { records } = await readLogs(queryOf([folder.source("web")], {
    sinceMs: since === null ? null : START_MS + since,
    untilMs: until === null ? null : START_MS + until,
    lines,
  }));
  return records.map(({ text }) => text);
}

Deno.test("a time before which it ends is refused", async () => {
  using folder = new LogFolder();
  await assert.rejects(
    between(folder, 5, 4),
    (error) =>
      error instanceof TaskmuxError && error.code === "E500" &&
      error.hint !== undefined,
  );
  assert.deepEqual(await between(folder, 5, 5), []);
});

Deno.test("all lines of one time are found together", async () => {
  using folder = new LogFolder();
  const at = (ms: number, text: string) => `${timeOf(START_MS + ms)} ${text}`;
  for (let n = 0; n < 1000; n++) folder.append("web", [at(1, `a${n}`)]);
  folder.rotate("web");
  // An empty file between two others.
  folder.appendRaw("web", "");
  folder.rotate("web");
  for (let n = 0; n < 1000; n++) folder.append("web", [at(1, `b${n}`)]);
  folder.append("web", [at(2, "last")]);
  assert.equal((await between(folder, 1, 1)).length, 2000);
  assert.equal((await between(folder, 1, null)).length, 2001);
  assert.deepEqual(await between(folder, 2, null), ["last"]);
  assert.deepEqual(await between(folder, null, 0), []);
  assert.deepEqual(await between(folder, 3, null), []);
});

Deno.test("lines without a time belong to the line before them, whatever is asked", async () => {
  using folder = new LogFolder();
  const at = (ms: number, text: string) => `${timeOf(START_MS + ms)} ${text}`;
  folder.append("web", ["none yet", at(1, "a"), "  of a"]);
  folder.rotate("web");
  folder.append("web", ["  of a too", at(2, "b"), "  of b"]);
  assert.deepEqual(await between(folder, 1, 1), ["a", "  of a", "  of a too"]);
  assert.deepEqual(await between(folder, 2, 2), ["b", "  of b"]);
  assert.deepEqual(await between(folder, null, 0), ["none yet"]);
  assert.deepEqual(await between(folder, 3, 9), []);
  using bare = new LogFolder();
  bare.append("web", ["x", "y"]);
  assert.deepEqual(await between(bare, null, 1), ["x", "y"]);
  assert.deepEqual(await between(bare, 1, null), []);
});

Deno.test("a clock that was set back hides no line", async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = randomFrom(seed);
    using folder = new LogFolder();
    const all: { at: number; text: string }[] = [];
    let at = 100_000;
    for (let file = 0; file < 3; file++) {
      const lines: string[] = [];
      const count = 2000 + Math.floor(random() * 4000);
      const backAt = Math.floor(random() * count);
      for (let n = 0; n < count; n++) {
        at += Math.floor(random() * 20);
        // By more than what lies between two samples.
        if (n === backAt) at -= 60_000;
        const text = `${file}.${n} ${"x".repeat(80)}`;
        lines.push(`${timeOf(START_MS + at)} ${text}`);
        all.push({ at, text });
      }
      folder.append("web", lines);
      if (file < 2) folder.rotate("web");
    }
    for (let question = 0; question < 30; question++) {
      const [since, until] = [random(), random()]
        .map((part) => Math.floor(40_000 + part * 250_000))
        .toSorted((a, b) => a - b) as [number, number];
      const expected = all.filter((line) =>
        line.at >= since && line.at <= until
      ).map(({ text }) => text);
      const what = `seed ${seed} from ${since} to ${until}`;
      assert.deepEqual(await between(folder, since, until), expected, what);
      const lines = 1 + Math.floor(random() * 50);
      assert.deepEqual(
        await between(folder, since, until, lines),
        expected.slice(-lines),
        `${what}, the last ${lines}`,
      );
    }
  }
});
