import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { TaskmuxError } from "../../../src/domain/error.ts";
import {
  MAX_RUNS_PER_TASK,
  type NewRun,
  NOT_SPAWNED,
} from "../../../src/store/run_table.ts";
import { Store, type StoreProblem } from "../../../src/store/store.ts";
import type { TaskRow } from "../../../src/store/task_table.ts";
import { eventOf, NOW_MS, StoreFolder } from "../../support/store_folder.ts";

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof TaskmuxError && error.code === code;
}

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

Deno.test("a store keeps everything over a reopening, in one private file", () => {
  using folder = new StoreFolder();
  {
    using store = folder.open();
    store.events.append(eventOf());
    store.meta.set("boot_id", "one");
    store.meta.set("boot_id", "two");
    for (const name of ["", "-wal", "-shm"]) {
      assert.equal(modeOf(folder.database + name), 0o600);
    }
    assert.equal(modeOf(folder.eventsMirror), 0o600);
  }
  assert.deepEqual(folder.files(), ["events.jsonl", "taskmux.db"]);
  using store = folder.open();
  assert.equal(store.meta.get("boot_id"), "two");
  assert.equal(store.meta.get("nothing"), null);
  assert.equal(store.events.list({ limit: 0 }).events.length, 1);
  assert.deepEqual(store.finding.damage, []);
});

Deno.test("a store narrows a file that others could read", () => {
  using folder = new StoreFolder();
  folder.open().close();
  Deno.chmodSync(folder.database, 0o644);
  folder.open().close();
  assert.equal(modeOf(folder.database), 0o600);
});

Deno.test("closing a store twice is fine", () => {
  using folder = new StoreFolder();
  const store = folder.open();
  store.close();
  store.close();
});

Deno.test("a file that is no database is moved aside and told", () => {
  using folder = new StoreFolder();
  Deno.writeTextFileSync(folder.database, "no database at all ".repeat(500));
  Deno.writeTextFileSync(
    folder.eventsMirror,
    '{"seq":41,"event":"task_started"}\n',
  );
  {
    using store = folder.open();
    assert.equal(store.finding.damage.length, 1);
    const aside = `${folder.database}.corrupt-20261120T100000000Z`;
    assert.ok(
      store.finding.damage[0]?.message.includes(aside),
      store.finding.damage[0]?.message,
    );
    assert.match(Deno.readTextFileSync(aside), /^no database at all/);
    // Cursors that somebody holds stay meaningful.
    assert.equal(store.events.append(eventOf()).seq, 42);
  }
  Deno.writeTextFileSync(folder.database, "again none ".repeat(500));
  using store = folder.open();
  assert.equal(store.finding.damage.length, 1);
  assert.equal(
    folder.files().filter((name) => name.includes("corrupt")).length,
    2,
  );
});

Deno.test("a database that was cut short is moved aside, and its events come from the mirror", () => {
  using folder = new StoreFolder();
  {
    using store = folder.open();
    for (let n = 0; n < 500; n++) {
      store.events.append(eventOf({ data: { text: "x".repeat(100) } }));
    }
  }
  Deno.truncateSync(folder.database, 3 * 4096 + 100);
  using store = folder.open();
  assert.equal(store.finding.damage.length, 1);
  assert.deepEqual(
    folder.files().filter((name) => name.includes("corrupt")),
    ["taskmux.db.corrupt-20261120T100000000Z"],
  );
  assert.equal(store.finding.isNew, true);
  assert.equal(store.finding.recovered.length, 500);
  // From the mirror.
  assert.equal(store.events.list({ limit: 0 }).events.length, 500);
  assert.equal(store.events.counts("shop").get("web")?.["task_started"], 500);
  assert.equal(store.events.append(eventOf()).seq, 501);
  assert.equal(folder.mirror().length, 501);
});

Deno.test("an empty file becomes a database", () => {
  using folder = new StoreFolder();
  Deno.writeTextFileSync(folder.database, "");
  using store = folder.open();
  assert.deepEqual(store.finding.damage, []);
  assert.equal(store.events.append(eventOf()).seq, 1);
});

Deno.test("a database of a newer taskmux is refused and not touched", () => {
  using folder = new StoreFolder();
  folder.open().close();
  const newer = new DatabaseSync(folder.database);
  newer.exec("pragma user_version = 99");
  newer.close();
  const before = Deno.readFileSync(folder.database);
  assert.throws(() => folder.open(), hasCode("E601"));
  assert.throws(() => Store.openReadOnly(folder), hasCode("E601"));
  assert.deepEqual(Deno.readFileSync(folder.database), before);
  assert.deepEqual(folder.files(), ["taskmux.db"]);
});

Deno.test("what has the name of a file and is none is moved aside with all that is in it", () => {
  using folder = new StoreFolder();
  const names = ["taskmux.db", "taskmux.db-wal", "events.jsonl"];
  for (const name of names) {
    Deno.mkdirSync(`${folder.path}/${name}/inside`, { recursive: true });
  }
  // Asked without a daemon nothing is moved.
  assert.throws(() => Store.openReadOnly(folder), hasCode("E900"));
  using store = folder.open();
  assert.equal(store.finding.damage.length, 3);
  for (const { aside, message } of store.finding.damage) {
    assert(Deno.statSync(`${aside}/inside`).isDirectory);
    assert(message.includes(String(aside)));
  }
  assert.equal(store.events.append(eventOf()).seq, 1);
  assert.equal(folder.mirror().length, 1);
});

Deno.test("reading only creates nothing, changes nothing and sees everything", () => {
  using folder = new StoreFolder();
  assert.equal(Store.openReadOnly(folder), null);
  assert.deepEqual(folder.files(), []);
  {
    using store = folder.open();
    store.events.append(eventOf());
    store.tasks.setDesired("shop", "web", {
      desired: "up",
      manual: false,
      changedAt: 5,
      adhoc: null,
      state: null,
    });
    // While the daemon runs.
    using reader = Store.openReadOnly(folder);
    assert.equal(reader?.events.list({ limit: 0 }).events.length, 1);
  }
  const files = folder.files();
  const before = Deno.readFileSync(folder.database);
  using reader = Store.openReadOnly(folder);
  assert.equal(reader?.events.list({ limit: 0 }).cursor, 1);
  assert.equal(reader?.tasks.desired("shop").get("web")?.desired, "up");
  assert.deepEqual(reader?.runs.live(), []);
  assert.throws(() => reader?.meta.set("a", "b"), hasCode("E900"));
  assert.deepEqual(folder.files(), files);
  assert.deepEqual(Deno.readFileSync(folder.database), before);
});

Deno.test("reading only gives null for a database that must be migrated first", () => {
  using folder = new StoreFolder();
  const old = new DatabaseSync(folder.database);
  old.exec("create table something (x)");
  old.close();
  assert.equal(Store.openReadOnly(folder), null);
});

Deno.test("two openers see each other's writes", () => {
  using folder = new StoreFolder();
  using one = folder.open();
  using two = folder.open();
  assert.equal(one.events.append(eventOf()).seq, 1);
  assert.equal(two.events.append(eventOf()).seq, 2);
  assert.equal(one.events.append(eventOf()).seq, 3);
  assert.equal(two.events.list({ limit: 0 }).events.length, 3);
  one.close();
  assert.equal(two.events.append(eventOf()).seq, 4);
});

Deno.test("desired states are kept per task and project", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const up: TaskRow = {
    desired: "up",
    manual: false,
    changedAt: NOW_MS,
    adhoc: null,
    state: null,
  };
  const down: TaskRow = {
    desired: "down",
    manual: true,
    changedAt: NOW_MS + 1,
    adhoc: '{"command":"sleep 1"}',
    state: "{}",
  };
  store.tasks.setDesired("shop", "web", up);
  store.tasks.setDesired("shop", "api", up);
  store.tasks.setDesired("shop", "api", down);
  store.tasks.setDesired("blog", "web", down);
  assert.deepEqual(
    store.tasks.desired("shop"),
    new Map([["api", down], ["web", up]]),
  );
  store.tasks.remove("shop", "web");
  assert.deepEqual([...store.tasks.desired("shop").keys()], ["api"]);
  store.tasks.removeSession("shop");
  assert.equal(store.tasks.desired("shop").size, 0);
  assert.equal(store.tasks.desired("blog").size, 1);
});

Deno.test("a port belongs to one task and a task has one port", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const { leases } = store;
  assert.equal(leases.lease("shop", "web", 4000), true);
  assert.equal(leases.lease("shop", "web", 4000), true);
  assert.equal(leases.lease("blog", "web", 4000), false);
  assert.equal(leases.lease("blog", "web", 4001), true);
  assert.equal(leases.lease("shop", "web", 4002), true);
  assert.equal(leases.lease("blog", "web", 4002), false);
  assert.equal(leases.leaseOf("blog", "web"), 4001);
  assert.deepEqual(
    leases.leases(),
    [
      { session: "blog", task: "web", port: 4001 },
      { session: "shop", task: "web", port: 4002 },
    ].map((lease) => Object.assign(Object.create(null), lease)),
  );
  assert.equal(leases.holderOf(4000), null);
  assert.equal(leases.holderOf(4001)?.session, "blog");
  leases.release("blog", "web");
  leases.release("blog", "web");
  assert.equal(leases.leaseOf("blog", "web"), null);
  leases.releaseSession("shop");
  assert.deepEqual(leases.leases(), []);
});

function runOf(number: number, changes: Partial<NewRun> = {}): NewRun {
  return {
    runId: number.toString(16).padStart(12, "0"),
    session: "shop",
    task: "web",
    pid: 1000 + number,
    startTime: `${number}00`,
    bootId: "boot",
    startedAt: NOW_MS + number,
    port: null,
    command: "npm run dev",
    digest: "abc",
    ...changes,
  };
}

Deno.test("a run is live until it ends, and the first end stands", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const run = runOf(1, { port: 4000 });
  store.runs.start(run);
  store.runs.start(runOf(2, { session: "blog" }));
  assert.deepEqual(store.runs.live(), [
    { ...run, exit: null, reason: null },
    { ...runOf(2, { session: "blog" }), exit: null, reason: null },
  ]);
  const end = { code: null, signal: "SIGKILL", at: NOW_MS + 5 };
  assert.equal(store.runs.end(run.runId, { ...end, reason: "exited" }), true);
  const later = { code: 0, signal: null, at: 9, reason: "stopped" };
  assert.equal(store.runs.end(run.runId, later), false);
  assert.equal(store.runs.end("unknown", later), false);
  assert.deepEqual(store.runs.history("shop", "web", 10), [
    { ...run, exit: end, reason: "exited" },
  ]);
  assert.deepEqual(store.runs.live().map(({ pid }) => pid), [1002]);
  assert.throws(() => store.runs.start(run), hasCode("E900"));
  // The failed transaction is over.
  store.runs.start(runOf(3));
});

Deno.test("the last run of each task is its newest", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  store.runs.start(runOf(1));
  store.runs.start(runOf(2, { task: "api" }));
  store.runs.start(runOf(3));
  store.runs.start(runOf(4, { session: "blog" }));
  assert.deepEqual(
    [...store.runs.last("shop")].map(([task, { pid }]) => [task, pid]),
    [["api", 1002], ["web", 1003]],
  );
  assert.deepEqual(
    store.runs.history("shop", "web", 1).map(({ pid }) => pid),
    [1003],
  );
});

Deno.test("old ended runs of a task are forgotten, live ones never", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  for (let n = 0; n < MAX_RUNS_PER_TASK + 20; n++) {
    store.runs.start(runOf(n));
    const ended = { code: 0, signal: null, at: NOW_MS, reason: "exited" };
    if (n > 0) store.runs.end(runOf(n).runId, ended);
  }
  const history = store.runs.history("shop", "web", 1000);
  assert.equal(history.length, MAX_RUNS_PER_TASK + 1);
  assert.equal(store.runs.live().length, 1);
  store.runs.removeSession("shop");
  assert.equal(store.runs.history("shop", "web", 1000).length, 1);
});

Deno.test("changes that a full disk does not take wait in order, and are told", () => {
  using folder = new StoreFolder();
  const problems: StoreProblem[] = [];
  using store = folder.open({
    limits: { maxBytes: 512 * 1024 },
    report: (problem) => problems.push(problem),
  });
  const data = { text: "x".repeat(2000) };
  while (problems.length === 0) store.events.append(eventOf({ data }));
  // Longer than any space that is left.
  const long = "y".repeat(8000);
  store.meta.set("fact", `${long}1`);
  store.meta.set("fact", `${long}2`);
  assert.equal(store.leases.lease("shop", "web", 4000), true);
  assert.equal(store.meta.get("fact"), null, "readers wait as well");
  assert.deepEqual(
    problems.filter(({ part }) => part === "state")
      .map(({ message }) => /full/.test(message ?? "")),
    [true],
  );
  store.events.clear();
  store.meta.set("other", "z");
  assert.equal(store.meta.get("fact"), `${long}2`);
  assert.equal(store.meta.get("other"), "z");
  assert.equal(store.leases.leaseOf("shop", "web"), 4000);
  assert.equal(
    problems.findLast(({ part }) => part === "state")?.message,
    null,
  );
});

Deno.test("a run that is about to start is live, and is no part of any history", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const run = runOf(1, { pid: NOT_SPAWNED, port: 4000 });
  const other = runOf(2, { pid: NOT_SPAWNED });
  store.runs.start(run);
  store.runs.start(other);
  assert.deepEqual(
    store.runs.live().map(({ runId }) => runId),
    [run.runId, other.runId],
  );
  assert.deepEqual(store.runs.history(run.session, run.task, 10), []);
  assert.equal(store.runs.last(run.session).size, 0);
  store.runs.forget(other.runId);
  const { runId } = run;
  store.runs.spawned({ runId, pid: 7, startTime: "8", startedAt: 9 });
  assert.deepEqual(
    store.runs.live().map(({ pid, startTime, startedAt, port }) => ({
      pid,
      startTime,
      startedAt,
      port,
    })),
    [{ pid: 7, startTime: "8", startedAt: 9, port: 4000 }],
  );
  assert.equal(store.runs.history(run.session, run.task, 10).length, 1);
});
