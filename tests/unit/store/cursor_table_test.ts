import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { MAX_CURSORS } from "../../../src/store/cursor_table.ts";
import {
  eventOf,
  NOW_MS,
  stillClock,
  StoreFolder,
} from "../../support/store_folder.ts";

const KEY = { caller: "", session: "shop", name: "me" };

Deno.test("a cursor belongs to its caller, its project and its name", () => {
  using folder = new StoreFolder();
  {
    using store = folder.open();
    const others = [
      { ...KEY, caller: "x" },
      { ...KEY, session: "blog" },
      { ...KEY, name: "you" },
    ];
    assert.equal(store.cursors.get(KEY), null);
    store.cursors.set(KEY, "one", stillClock);
    for (const [at, key] of others.entries()) {
      assert.equal(store.cursors.get(key), null);
      store.cursors.set(key, `other ${at}`, stillClock);
    }
    store.cursors.set(KEY, "two", stillClock);
  }
  using store = folder.open();
  assert.equal(store.cursors.get(KEY), "two");
  store.cursors.removeSession("shop");
  assert.equal(store.cursors.get(KEY), null);
  assert.equal(store.cursors.get({ ...KEY, session: "blog" }), "other 1");
});

Deno.test("the cursor that was used longest ago goes first", () => {
  using folder = new StoreFolder();
  folder.open().close();
  {
    using database = new DatabaseSync(folder.database);
    database.exec(
      `with recursive n(i) as (select 0 union all select i + 1 from n where i < ${
        MAX_CURSORS - 1
      })
       insert into cursors select '', 'shop', 'name-' || i, 'x', ${NOW_MS} + i from n`,
    );
  }
  using store = folder.open();
  const at = (ms: number) => ({ ...stillClock, now: () => NOW_MS + ms });
  store.cursors.set({ ...KEY, name: "name-0" }, "y", at(MAX_CURSORS));
  store.cursors.set({ ...KEY, name: "new" }, "z", at(MAX_CURSORS + 1));
  const get = (name: string) => store.cursors.get({ ...KEY, name });
  assert.equal(get("name-0"), "y");
  assert.equal(get("name-1"), null);
  assert.equal(get("name-2"), "x");
  assert.equal(get("new"), "z");
});

Deno.test("a cursor moves on although the disk is full, and is stored later", () => {
  using folder = new StoreFolder();
  {
    let isFull = false;
    using store = folder.open({
      limits: { maxBytes: 512 * 1024 },
      report: () => isFull = true,
    });
    store.cursors.set(KEY, "one", stillClock);
    const data = { text: "x".repeat(2000) };
    while (!isFull) store.events.append(eventOf({ data }));
    // Longer than any space that is left.
    const long = "y".repeat(8000);
    store.cursors.set(KEY, long, stillClock);
    assert.equal(store.cursors.get(KEY), long);
    store.cursors.set({ ...KEY, session: "blog" }, long, stillClock);
    store.cursors.removeSession("blog");
    assert.equal(store.cursors.get({ ...KEY, session: "blog" }), null);
    store.events.clear();
    store.meta.set("other", "z");
  }
  using store = folder.open();
  assert.equal(store.cursors.get(KEY)?.length, 8000);
  assert.equal(store.cursors.get({ ...KEY, session: "blog" }), null);
});
