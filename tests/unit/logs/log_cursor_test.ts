import assert from "node:assert/strict";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { decodeCursor, encodeCursor } from "../../../src/logs/log_cursor.ts";
import { cleanLogs } from "../../../src/logs/log_files.ts";
import { readLogs } from "../../../src/logs/log_reader.ts";
import { LogFolder, queryOf } from "../../support/log_folder.ts";
import { randomFrom } from "../../support/random.ts";

Deno.test("a cursor carries positions of any size and is short", () => {
  const positions = new Map([
    ["web", { ino: 9978133, offset: 123_456, check: 2 ** 32 - 1, previous: 1 }],
    ["größe-2", { ino: 2 ** 52, offset: 2 ** 53 - 1, check: 0, previous: 0 }],
    ["x", { ino: 0, offset: 0, check: 0, previous: 0 }],
  ]);
  assert.deepEqual(decodeCursor(encodeCursor(positions)), positions);
  const one = new Map([...positions].slice(0, 1));
  assert.ok(encodeCursor(one).length <= 36, encodeCursor(one));
  assert.match(encodeCursor(positions), /^[\w-]+$/);
});

Deno.test("a cursor that was altered is refused", () => {
  const position = { ino: 5, offset: 77, check: 3, previous: 9 };
  const cursor = encodeCursor(new Map([["web", position]]));
  const refused = (text: string) =>
    assert.throws(
      () => decodeCursor(text),
      (error) => error instanceof TaskmuxError && error.code === "E500",
    );
  refused("");
  refused("!!");
  refused("AA");
  refused(cursor.slice(0, -2));
  for (const key of ["ino", "offset", "check", "previous"]) {
    const wrong = { ...position, [key]: 2 ** 80 };
    refused(encodeCursor(new Map([["web", wrong]])));
  }
  for (let at = 0; at < cursor.length; at++) {
    const other = cursor[at] === "B" ? "C" : "B";
    // The last character may hold unused bits; such a text is refused or means the same.
    if (at === cursor.length - 1) continue;
    refused(cursor.slice(0, at) + other + cursor.slice(at + 1));
  }
});

Deno.test("a thousand polls through rotations equal the log", async () => {
  const seed = 20261120;
  const random = randomFrom(seed);
  using folder = new LogFolder();
  const tasks = ["api", "web"];
  const sources = tasks.map((task) => folder.source(task));
  const written: Record<string, string[]> = { api: [], web: [] };
  const read: Record<string, string[]> = { api: [], web: [] };
  let cursor: string | null = null;
  let dropped = 0;
  const poll = async (lines: number | null) => {
    const page = await readLogs(queryOf(sources, { lines, cursor }));
    for (const { task, text } of page.records) read[task]?.push(text);
    dropped += page.dropped;
    cursor = page.cursor;
    return page.hasMore;
  };
  for (let round = 0; round < 1000; round++) {
    for (const task of tasks) {
      const count = Math.floor(random() * 4);
      for (let n = 0; n < count; n++) {
        const text = `${task} ${written[task]?.length} ${
          "y".repeat(random() * 60)
        }`;
        const line = folder.line(text);
        // Sometimes a poll falls into the middle of a line.
        if (random() < 0.1) {
          folder.appendRaw(task, line.slice(0, 30));
          await poll(null);
          folder.appendRaw(task, `${line.slice(30)}\n`);
        } else folder.append(task, [line]);
        written[task]?.push(text);
      }
      if (random() < 0.1) folder.rotate(task);
    }
    const lines = random() < 0.3 ? Math.floor(random() * 5) : null;
    await poll(lines);
  }
  while (await poll(3));
  assert.equal(dropped, 0, `seed ${seed}`);
  assert.deepEqual(read, written, `seed ${seed}`);
});

Deno.test("a cursor counts what rotation took away and goes on with what is left", async () => {
  using folder = new LogFolder();
  const sources = [folder.source("web")];
  const lines = (from: number) =>
    Array.from({ length: 10 }, (_, n) => folder.line(`line ${from + n}`));
  folder.append("web", lines(0));
  const start = await readLogs(queryOf(sources, { lines: 1 }));
  for (let file = 1; file <= 4; file++) {
    folder.rotate("web");
    folder.append("web", lines(file * 10));
  }
  const { cursor } = start;
  const { records, dropped } = await readLogs(queryOf(sources, { cursor }));
  assert.equal(records[0]?.text, "line 10");
  assert.equal(records.length, 40);
  assert.equal(dropped, 10);
});

Deno.test("a cursor does not repeat older files when its own file is deleted", async () => {
  using folder = new LogFolder();
  const sources = [folder.source("web")];
  folder.append("web", [folder.line("old")]);
  folder.rotate("web");
  folder.append("web", [folder.line("gone")]);
  const { cursor } = await readLogs(queryOf(sources, { lines: 1 }));
  Deno.removeSync(folder.file("web"));
  folder.append("web", [folder.line("new")]);
  const page = await readLogs(queryOf(sources, { cursor }));
  assert.deepEqual(page.records.map(({ text }) => text), ["new"]);
});

Deno.test("a cursor keeps its place while a log has no file", async () => {
  using folder = new LogFolder();
  const sources = [folder.source("web")];
  folder.append("web", [folder.line("old")]);
  const first = await readLogs(queryOf(sources, { lines: 1 }));
  Deno.renameSync(folder.file("web"), `${folder.path}/elsewhere`);
  const none = await readLogs(queryOf(sources, { cursor: first.cursor }));
  assert.equal(none.cursor, first.cursor);
  assert.equal(none.dropped, 0);
  Deno.renameSync(`${folder.path}/elsewhere`, folder.file("web"));
  folder.append("web", [folder.line("new")]);
  const page = await readLogs(queryOf(sources, { cursor: none.cursor }));
  assert.deepEqual(page.records.map(({ text }) => text), ["new"]);
  assert.equal(page.dropped, 0);
});

/** Until a new file is younger: the clock of file systems moves every few milliseconds, and birth is all that tells. */
function afterBirth(birthtime: Date | null): void {
  const path = Deno.makeTempFileSync();
  do {
    Deno.removeSync(path);
    Deno.writeTextFileSync(path, "");
  } while (
    Deno.statSync(path).birthtime?.getTime() === birthtime?.getTime()
  );
  Deno.removeSync(path);
}

Deno.test("a cursor tells an empty file from another with the same inode", async () => {
  using folder = new LogFolder();
  const sources = [folder.source("web")];
  folder.appendRaw("web", "");
  const { cursor } = await readLogs(queryOf(sources, { lines: 1 }));
  const { ino, birthtime } = Deno.statSync(folder.file("web"));
  afterBirth(birthtime);
  // Most file systems give the inode that was freed to the next file, unless somebody else's comes first.
  Deno.removeSync(folder.file("web"));
  folder.append("web", [folder.line("lost")]);
  const isReused = Deno.statSync(folder.file("web")).ino === ino;
  folder.rotate("web", 1);
  folder.append("web", [folder.line("kept")]);
  folder.rotate("web", 1);
  folder.append("web", [folder.line("new")]);
  const isReusedAgain = Deno.statSync(folder.file("web")).ino === ino;
  const page = await readLogs(queryOf(sources, { cursor }));
  const texts = page.records.map(({ text }) => text);
  if (isReused && isReusedAgain) assert.deepEqual(texts, ["kept", "new"]);
  // In any case the newest is there, and that something is missing is told.
  assert.equal(texts.at(-1), "new");
  assert.ok(page.dropped > 0 || texts.length === 3);
});

Deno.test("a cursor goes on at the beginning of an emptied file", async () => {
  using folder = new LogFolder();
  const sources = [folder.source("web")];
  folder.append("web", [folder.line("one"), folder.line("two")]);
  const { cursor } = await readLogs(queryOf(sources, { lines: 1 }));
  Deno.truncateSync(folder.file("web"), 0);
  const check = async (...expected: string[]) => {
    const page = await readLogs(queryOf(sources, { cursor }));
    assert.deepEqual(page.records.map(({ text }) => text), expected);
  };
  await check();
  folder.append("web", [folder.line("3")]);
  await check("3");
  // Longer than before, and yet another file.
  folder.append("web", [folder.line("four"), folder.line("five")]);
  await check("3", "four", "five");
});

Deno.test("a cursor from before the first line leads to the first line", async () => {
  using folder = new LogFolder();
  const sources = [folder.source("web")];
  const { cursor } = await readLogs(queryOf(sources, { lines: 10 }));
  folder.append("web", [folder.line("first")]);
  folder.rotate("web");
  folder.append("web", [folder.line("second")]);
  const page = await readLogs(queryOf(sources, { cursor }));
  assert.deepEqual(page.records.map(({ text }) => text), ["first", "second"]);
  assert.equal(page.dropped, 0);
});

Deno.test("cleanLogs deletes a log with its rotated files and nothing else", async () => {
  using folder = new LogFolder();
  for (const task of ["web", "web2"]) {
    for (let file = 0; file < 3; file++) {
      folder.append(task, [folder.line("x")]);
      if (file < 2) folder.rotate(task);
    }
  }
  for (const name of ["web.log.bak", "web.log.01", "web.log.1.gz"]) {
    Deno.writeTextFileSync(`${folder.path}/${name}`, "keep");
  }
  const paths = [folder.file("web"), folder.file("ghost")];
  assert.equal(await cleanLogs(paths), 3);
  assert.deepEqual(
    [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(),
    [
      "web.log.01",
      "web.log.1.gz",
      "web.log.bak",
      "web2.log",
      "web2.log.1",
      "web2.log.2",
    ],
  );
  assert.equal(await cleanLogs(paths), 0);
});
