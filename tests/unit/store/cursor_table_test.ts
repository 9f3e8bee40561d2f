import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { MAX_CURSORS } from "../../../src/store/cursor_table.ts";
import { NOW_MS, stillClock, StoreFolder } from "../../support/store_folder.ts";

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
