import assert from "node:assert/strict";
import {
  advance,
  type CallerMarks,
  markOf,
  MAX_CALLERS,
  OWN_EVENTS,
} from "../../../src/store/caller_table.ts";
import { eventOf, NOW_MS, StoreFolder } from "../../support/store_folder.ts";

const HOUR_MS = 3_600_000;

type About = NonNullable<Parameters<typeof advance>[1]>;

const of = (session: string): About => ({ session, shared: null });

Deno.test("marks are kept over a reopening", () => {
  using folder = new StoreFolder();
  const marks = advance({ seq: 3, sessions: {} }, of("shop"), 9);
  {
    using store = folder.open();
    assert.equal(store.callers.get("ada"), null);
    assert.deepEqual(store.callers.greet("ada", NOW_MS, 3), {
      seq: 3,
      sessions: {},
    });
    store.callers.set("ada", marks, NOW_MS);
  }
  using store = folder.open();
  assert.deepEqual(store.callers.get("ada"), marks);
  assert.deepEqual(store.callers.greet("ada", NOW_MS, 50), marks);
  assert.deepEqual(store.callers.get("eve"), null);
});

Deno.test("the caller that has not asked for longest is forgotten first", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const { callers } = store;
  for (let n = 0; n < MAX_CALLERS; n++) callers.greet(`c${n}`, NOW_MS + n, n);
  // Asking keeps it, although nothing was told.
  callers.greet("c0", NOW_MS + 2 * HOUR_MS, 5);
  callers.greet("new", NOW_MS + 2 * HOUR_MS, 7);
  assert.equal(callers.get("c1"), null);
  assert.equal(callers.get("c0")?.seq, 0);
  assert.equal(callers.get("c2")?.seq, 2);
  assert.equal(callers.get("new")?.seq, 7);
});

Deno.test("marks of projects go their own way until all of them are told", () => {
  const begun: CallerMarks = { seq: 10, sessions: {} };
  const one = advance(begun, of("shop"), 20);
  assert.deepEqual(
    ["shop", "blog", OWN_EVENTS].map((session) => markOf(one, session)),
    [20, 10, 20],
  );
  const two = advance(one, of("blog"), 15);
  assert.equal(markOf(two, "shop"), 20);
  assert.equal(markOf(two, "blog"), 15);
  assert.deepEqual(advance(two, null, 30), { seq: 30, sessions: {} });
});

Deno.test("a caller in very many projects keeps the newest marks", () => {
  let marks: CallerMarks = { seq: 0, sessions: {} };
  for (let n = 1; n <= 500; n++) marks = advance(marks, of(`p${n}`), n);
  assert(Object.keys(marks.sessions).length <= 200);
  for (let n = 1; n <= 500; n++) assert(markOf(marks, `p${n}`) >= n);
  assert(markOf(marks, "never asked about") < 500);
});

Deno.test("after() tells the newest of what a caller has not had, and counts all of it", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  for (const session of ["shop", "blog", "shop", null, "blog", "shop"]) {
    const { task, ...rest } = eventOf({ session });
    store.events.append(
      session === null || task === undefined ? rest : { ...rest, task },
    );
  }
  const after = (
    marks: CallerMarks,
    session: string | null,
    limit = 20,
  ): [number[], number] => {
    const { events, count, lastSeq } = store.events.after(
      marks,
      session === null ? null : of(session),
      limit,
    );
    assert.equal(lastSeq, 6);
    return [events.map(({ seq }) => seq), count];
  };
  const none = { seq: 0, sessions: {} };
  assert.deepEqual(after(none, "shop"), [[1, 3, 4, 6], 4]);
  assert.deepEqual(after(none, "shop", 2), [[4, 6], 4]);
  assert.deepEqual(after(none, null, 3), [[4, 5, 6], 6]);
  assert.deepEqual(after(none, OWN_EVENTS), [[4], 1]);
  const some = { seq: 1, sessions: { shop: 3, [OWN_EVENTS]: 4 } };
  assert.deepEqual(after(some, "shop"), [[6], 1]);
  assert.deepEqual(after(some, "blog"), [[2, 5], 2]);
  assert.deepEqual(after(some, null), [[2, 5, 6], 3]);
  assert.deepEqual(after({ seq: 6, sessions: {} }, null), [[], 0]);
});

Deno.test("what was told in a worktree is told nowhere else", () => {
  const shared = { session: "shop", tasks: ["db"] };
  const begun = { seq: 5, sessions: {} };
  const marks = advance(begun, { session: "shop-one", shared }, 20);
  assert.equal(markOf(marks, "shop", "db"), 20);
  assert.equal(markOf(marks, "shop", "web"), 5);
  assert.equal(markOf(marks, "shop-one", "db"), 20);
  const later = advance(marks, of("shop"), 30);
  assert.equal(markOf(later, "shop", "db"), 30);
  assert.equal(Object.hasOwn(later.sessions, "shop/db"), false);
});
