import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { StoreProblem } from "../../../src/store/store.ts";
import { eventOf, StoreFolder } from "../../support/store_folder.ts";

Deno.test("what is done atomically is seen by others as a whole, and only then mirrored", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  using other = folder.open();
  store.events.append(eventOf());
  const before = folder.mirror().length;
  const answer = store.atomically(() => {
    store.meta.set("fact", "one");
    const { seq } = store.events.append(eventOf());
    assert.equal(store.meta.get("fact"), "one");
    assert.equal(store.events.lastSeq, seq);
    assert.equal(other.meta.get("fact"), null);
    assert.equal(other.events.lastSeq, 1);
    assert.equal(folder.mirror().length, before);
    return store.atomically(() => {
      store.meta.set("fact", "two");
      assert.equal(other.meta.get("fact"), null, "an inner one joins");
      return seq;
    });
  });
  assert.equal(answer, 2);
  assert.equal(other.meta.get("fact"), "two");
  assert.equal(other.events.lastSeq, 2);
  assert.equal(folder.mirror().length, before + 1);
});

Deno.test("what throws in the middle keeps what was done, and leaves no transaction open", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const run = {
    ...{ runId: "000000000001", session: "shop", task: "web", pid: 1 },
    ...{ startTime: "1", startedAt: 1, port: null, bootId: "b" },
    ...{ command: "x", digest: "d" },
  };
  assert.throws(() =>
    store.atomically(() => {
      store.runs.start(run);
      store.meta.set("fact", "one");
      // Known already: only this part of it is taken back.
      store.runs.start(run);
    })
  );
  using other = folder.open();
  assert.equal(other.meta.get("fact"), "one");
  assert.equal(other.runs.live().length, 1);
  other.meta.set("fact", "two");
  assert.equal(store.meta.get("fact"), "two");
});

Deno.test("a step that a full disk does not take waits as a whole, with the numbers it was told", () => {
  using folder = new StoreFolder();
  const problems: StoreProblem[] = [];
  using store = folder.open({
    limits: { maxBytes: 512 * 1024 },
    report: (problem) => problems.push(problem),
  });
  store.meta.set("filler", "x".repeat(300_000));
  const data = { text: "y".repeat(2000) };
  const { seq } = store.events.append(eventOf({ data }));
  const told: number[] = [];
  store.atomically(() => {
    store.meta.set("small", "1");
    while (problems.length === 0) {
      told.push(store.events.append(eventOf({ data })).seq);
    }
    store.meta.set("small", "2");
    told.push(store.events.append(eventOf({ data })).seq);
  });
  assert.deepEqual(told, told.map((_, index) => seq + 1 + index));
  assert.equal(store.meta.get("small"), null, "it waits with the rest");
  assert.equal(
    store.events.list({ limit: 0 }).events.length,
    seq + told.length,
  );
  {
    // Not as a store, which would take the events from the mirror.
    using other = new DatabaseSync(folder.database);
    const small = other.prepare("select * from meta where key = 'small'");
    assert.equal(small.get(), undefined);
    const count = other.prepare("select count(*) as n from events").get()?.n;
    assert.equal(count, seq);
    // Room for what waits.
    other.exec("update meta set value = '' where key = 'filler'");
  }
  const last = store.events.append(eventOf());
  assert.equal(last.seq, seq + told.length + 1);
  assert.equal(store.meta.get("small"), "2");
  store.close();
  using again = folder.open();
  assert.deepEqual(
    again.events.list({ limit: 0 }).events.map((event) => event.seq),
    Array.from({ length: last.seq }, (_, index) => index + 1),
  );
});
