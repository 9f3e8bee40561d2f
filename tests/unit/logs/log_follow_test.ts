import assert from "node:assert/strict";
import {
  type FollowedRecord,
  followLogs,
  type FollowQuery,
} from "../../../src/logs/log_follow.ts";
import { systemClock } from "../../../src/kit/clock.ts";
import {
  LogFolder,
  queryOf,
  START_MS,
  timeOf,
} from "../../support/log_folder.ts";

/** A consumer that awaits lines one by one, and ends its following when it is disposed. */
class Follower implements AsyncDisposable {
  readonly #abort = new AbortController();
  readonly #records: AsyncGenerator<FollowedRecord, void, void>;

  constructor(query: FollowQuery) {
    this.#records = followLogs(query, this.#abort.signal);
  }

  /** The next `count` texts. */
  async take(count: number): Promise<string[]> {
    return (await this.records(count)).map(({ text }) => text);
  }

  async records(count: number): Promise<FollowedRecord[]> {
    const taken: FollowedRecord[] = [];
    while (taken.length < count) {
      const next = await this.#records.next();
      if (next.done) break;
      taken.push(next.value);
    }
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const rest = this.#records.next();
    this.#abort.abort();
    await rest;
    assert.equal((await this.#records.next()).done, true);
  }
}

function follow(
  folder: LogFolder,
  tasks: readonly string[],
  changes: Partial<FollowQuery> = {},
): Follower {
  const sources = tasks.map((task) => folder.source(task));
  return new Follower({ ...queryOf(sources, { lines: 0 }), ...changes });
}

Deno.test("followLogs gives the last lines and then new ones", async () => {
  using folder = new LogFolder();
  folder.append("web", [1, 2, 3].map((n) => folder.line(`old ${n}`)));
  await using follower = follow(folder, ["web"], { lines: 2 });
  assert.deepEqual(await follower.take(2), ["old 2", "old 3"]);
  folder.append("web", [folder.line("new 1"), folder.line("new 2")]);
  assert.deepEqual(await follower.take(2), ["new 1", "new 2"]);
  folder.append("web", [folder.line("new 3")]);
  assert.deepEqual(await follower.take(1), ["new 3"]);
});

Deno.test("followLogs gives whole lines only", async () => {
  using folder = new LogFolder();
  folder.append("web", [folder.line("whole")]);
  await using follower = follow(folder, ["web"], { lines: 1 });
  assert.deepEqual(await follower.take(1), ["whole"]);
  folder.appendRaw("web", folder.line("hal"));
  folder.append("api", [folder.line("something else")]);
  folder.appendRaw("web", "f\n");
  assert.deepEqual(await follower.take(1), ["half"]);
});

Deno.test("followLogs loses and repeats nothing in a hundred rotations", async () => {
  using folder = new LogFolder();
  folder.append("web", [folder.line("begin")]);
  await using follower = follow(folder, ["web"], { lines: 1 });
  assert.deepEqual(await follower.take(1), ["begin"]);
  for (let n = 0; n < 100; n++) {
    const before = `before ${n}`;
    const after = `after ${n}`;
    folder.append("web", [folder.line(before)]);
    folder.rotate("web");
    folder.append("web", [folder.line(after)]);
    assert.deepEqual(await follower.take(2), [before, after]);
  }
});

Deno.test("followLogs reads what is left of a rotated file first", async () => {
  using folder = new LogFolder();
  folder.append("web", [folder.line("begin")]);
  await using follower = follow(folder, ["web"], { lines: 1 });
  assert.deepEqual(await follower.take(1), ["begin"]);
  for (let n = 0; n < 3; n++) {
    folder.append("web", [folder.line(`${n} a`), folder.line(`${n} b`)]);
    folder.rotate("web");
  }
  folder.append("web", [folder.line("end")]);
  assert.deepEqual(
    await follower.take(7),
    ["0 a", "0 b", "1 a", "1 b", "2 a", "2 b", "end"],
  );
});

Deno.test("followLogs reads a deleted file to its end and goes on in the new one", async () => {
  using folder = new LogFolder();
  folder.append("web", [folder.line("older")]);
  folder.rotate("web");
  folder.append("web", [folder.line("one")]);
  await using follower = follow(folder, ["web"], { lines: 1 });
  assert.deepEqual(await follower.take(1), ["one"]);
  // So that the follower holds the file open.
  folder.append("web", [folder.line("two")]);
  assert.deepEqual(await follower.take(1), ["two"]);
  folder.append("web", [folder.line("three")]);
  Deno.removeSync(folder.file("web"));
  folder.append("web", [folder.line("four")]);
  assert.deepEqual(await follower.take(2), ["three", "four"]);
});

Deno.test("followLogs reads a deleted file to its end however much is left", async () => {
  using folder = new LogFolder();
  folder.append("web", [folder.line("begin")]);
  await using follower = follow(folder, ["web"], { lines: 1 });
  await follower.take(1);
  const texts = Array.from({ length: 3000 }, (_, n) => `line ${n}`);
  folder.append("web", texts.map((text) => folder.line(text)));
  assert.deepEqual(await follower.take(1), ["line 0"]);
  Deno.removeSync(folder.file("web"));
  folder.append("web", [folder.line("new")]);
  assert.deepEqual(await follower.take(3000), [...texts.slice(1), "new"]);
});

Deno.test("followLogs goes on after all files of a log are deleted", async () => {
  using folder = new LogFolder();
  folder.append("web", [folder.line("a")]);
  folder.rotate("web");
  folder.append("web", [folder.line("b")]);
  await using follower = follow(folder, ["web"], { lines: 2 });
  assert.deepEqual(await follower.take(2), ["a", "b"]);
  Deno.removeSync(folder.file("web"));
  Deno.removeSync(`${folder.file("web")}.1`);
  folder.append("web", [folder.line("c")]);
  assert.deepEqual(await follower.take(1), ["c"]);
});

Deno.test("followLogs goes on in an emptied file", async () => {
  using folder = new LogFolder();
  folder.append("web", [folder.line("a"), folder.line("b")]);
  await using follower = follow(folder, ["web"], { lines: 2 });
  assert.deepEqual(await follower.take(2), ["a", "b"]);
  Deno.truncateSync(folder.file("web"), 0);
  folder.append("web", [folder.line("c")]);
  assert.deepEqual(await follower.take(1), ["c"]);
  Deno.truncateSync(folder.file("web"), 0);
  folder.append("web", [folder.line("longer than all before it")]);
  assert.deepEqual(await follower.take(1), ["longer than all before it"]);
});

Deno.test("followLogs picks up logs and folders that begin later, and creates none", async () => {
  using folder = new LogFolder();
  const late = { task: "late", path: `${folder.path}/sub/late.log` };
  await using follower = new Follower(
    queryOf([folder.source("web"), late], { lines: 5 }),
  );
  const first = follower.take(1);
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
  folder.append("web", [folder.line("first")]);
  assert.deepEqual(await first, ["first"]);
  Deno.mkdirSync(`${folder.path}/sub`);
  Deno.writeTextFileSync(late.path, `${folder.line("second")}\n`);
  const [record] = await follower.records(1);
  assert.equal(record?.task, "late");
  assert.equal(record?.text, "second");
});

Deno.test("followLogs gives the lines of several tasks, the old ones merged", async () => {
  using folder = new LogFolder();
  for (let n = 0; n < 6; n++) {
    folder.append(n % 2 === 0 ? "a" : "b", [folder.line(`old ${n}`)]);
  }
  await using follower = follow(folder, ["a", "b"], { lines: 3 });
  assert.deepEqual(await follower.take(3), ["old 3", "old 4", "old 5"]);
  folder.append("b", [folder.line("from b")]);
  assert.deepEqual(await follower.take(1), ["from b"]);
  folder.append("a", [folder.line("from a")]);
  assert.deepEqual(await follower.take(1), ["from a"]);
});

Deno.test("followLogs filters and shows context across waits", async () => {
  using folder = new LogFolder();
  folder.append("web", ["x", "HIT", "y"].map((word) => folder.line(word)));
  await using follower = follow(folder, ["web"], {
    lines: 5,
    grep: "HIT",
    context: 2,
  });
  assert.deepEqual(await follower.take(3), ["x", "HIT", "y"]);
  folder.append("web", [folder.line("still context")]);
  assert.deepEqual(await follower.take(1), ["still context"]);
  folder.append("web", "1 2 3 4".split(" ").map((word) => folder.line(word)));
  folder.append("web", [folder.line("HIT again")]);
  assert.deepEqual(await follower.take(3), ["3", "4", "HIT again"]);
});

Deno.test("followLogs gives everything for lines null and from a cursor on", async () => {
  using folder = new LogFolder();
  const texts = Array.from({ length: 2500 }, (_, n) => `line ${n}`);
  const lines = texts.map((text) => folder.line(text));
  folder.append("web", lines.slice(0, 1200));
  folder.rotate("web");
  folder.append("web", lines.slice(1200));
  await using follower = follow(folder, ["web"], { lines: null });
  assert.deepEqual(await follower.take(2500), texts);
  folder.append("web", [folder.line("new")]);
  assert.deepEqual(await follower.take(1), ["new"]);
});

Deno.test("followLogs tells how much it lost", async () => {
  using folder = new LogFolder();
  folder.append("web", [folder.line("begin")]);
  await using follower = follow(folder, ["web"], { lines: 1 });
  await follower.take(1);
  for (let n = 0; n < 9; n++) {
    folder.append("web", [folder.line(`line ${n}`)]);
    folder.rotate("web", 2);
  }
  const [record] = await follower.records(1);
  // Depending on when it looked; but never silently.
  assert.equal(record?.text !== "line 0", record?.dropped !== undefined);
});

Deno.test("followLogs ends at the first line after until", async () => {
  using folder = new LogFolder();
  folder.append("web", [folder.line("a")]);
  const untilMs = START_MS + 1;
  await using follower = follow(folder, ["web"], { lines: 5, untilMs });
  assert.deepEqual(await follower.take(1), ["a"]);
  folder.append("web", ["b", "c"].map((word) => folder.line(word)));
  assert.deepEqual(await follower.take(9), ["b"]);
});

Deno.test("followLogs ends at once when its signal has aborted", async () => {
  using folder = new LogFolder();
  folder.append("web", [folder.line("a")]);
  const query = queryOf([folder.source("web")]);
  const records = followLogs(query, AbortSignal.abort());
  assert.equal((await records.next()).done, true);
});

Deno.test("followLogs leaves nothing open when its consumer stops", async () => {
  using folder = new LogFolder();
  folder.append("web", [folder.line("a"), folder.line("b")]);
  const query = queryOf([folder.source("web")], { lines: 1 });
  for await (const _ of followLogs(query, new AbortController().signal)) {
    folder.append("web", [folder.line("c")]);
    break;
  }
});

Deno.test("followLogs keeps up with a flood through many rotations", async () => {
  using folder = new LogFolder();
  folder.append("web", [folder.line("begin")]);
  await using follower = follow(folder, ["web"], { lines: 1 });
  await follower.take(1);
  const total = 20_000;
  const expected = Array.from({ length: total }, (_, n) => `line ${n}`);
  const received: string[] = [];
  for (let n = 0; n < total; n += 1000) {
    const batch = expected.slice(n, n + 1000);
    folder.append("web", batch.map((text) => folder.line(text)));
    folder.rotate("web", 100);
    received.push(...await follower.take(Math.min(500, total)));
  }
  received.push(...await follower.take(total - received.length));
  assert.deepEqual(received, expected);
});

Deno.test("followLogs takes up logs that come, from the last look on, and keeps those that go", async () => {
  using folder = new LogFolder();
  const now = (text: string) => `${timeOf(Date.now())} ${text}`;
  folder.append("web", [now("begin")]);
  folder.append("new", [`${timeOf(START_MS - 1e9)} of an earlier life`]);
  let sources = [folder.source("web")];
  await using follower = follow(folder, ["web"], {
    lines: 1,
    currentSources: () => Promise.resolve(sources),
  });
  assert.deepEqual(await follower.take(1), ["begin"]);
  sources = [folder.source("web"), folder.source("new")];
  folder.append("new", [now("hello")]);
  assert.deepEqual(await follower.take(1), ["hello"]);
  folder.append("new", [now("again")]);
  assert.deepEqual(await follower.take(1), ["again"]);

  sources = [folder.source("new")];
  folder.append("web", [now("last words")]);
  assert.deepEqual(await follower.take(1), ["last words"]);

  // The same task with another file.
  sources = [{ task: "new", path: folder.file("moved") }];
  folder.append("moved", [now("moved")]);
  const [moved] = await follower.records(1);
  assert.deepEqual([moved?.task, moved?.text], ["new", "moved"]);
});

Deno.test("followLogs ends when there is nothing left to follow", async () => {
  using folder = new LogFolder();
  folder.append("web", [folder.line("begin")]);
  let sources = [folder.source("web")];
  const speed = 100;
  const records = followLogs({
    ...queryOf([folder.source("web")], { lines: 1 }),
    currentSources: () => Promise.resolve(sources),
    clock: {
      now: () => Date.now(),
      monotonic: () => performance.now() * speed,
      sleep: systemClock.sleep,
    },
  }, new AbortController().signal);
  assert.equal((await records.next()).value?.text, "begin");
  sources = [];
  folder.append("web", [folder.line("last words")]);
  assert.equal((await records.next()).value?.text, "last words");
  assert.equal((await records.next()).done, true);
});

Deno.test("followLogs shows what continues an error, however late it comes", async () => {
  using folder = new LogFolder();
  folder.append("web", [folder.line("Error: old")]);
  await using follower = follow(folder, ["web"], { lines: 5, level: "error" });
  assert.deepEqual(await follower.take(1), ["Error: old"]);
  folder.append("web", [folder.line("    at f (x.js:1:1)")]);
  assert.deepEqual(await follower.take(1), ["    at f (x.js:1:1)"]);
  folder.rotate("web");
  folder.append("web", [folder.line("    at g (x.js:2:2)")]);
  assert.deepEqual(await follower.take(1), ["    at g (x.js:2:2)"]);
  folder.append("web", [
    folder.line("next"),
    folder.line("    at h (x.js:3:3)"),
    folder.line("Error: new"),
  ]);
  assert.deepEqual(await follower.take(1), ["Error: new"]);
});
