import assert from "node:assert/strict";
import type { NewEvent } from "../../../src/domain/event.ts";
import type { EventFilter } from "../../../src/store/event_conditions.ts";
import {
  MIRROR_KEPT_LINES,
  MIRROR_MAX_LINES,
} from "../../../src/store/event_mirror.ts";
import type { Store, StoreProblem } from "../../../src/store/store.ts";
import { eventOf, NOW_MS, StoreFolder } from "../../support/store_folder.ts";

function seqs(store: Store, filter: Partial<EventFilter> = {}): number[] {
  return store.events.list({ limit: 0, ...filter }).events
    .map(({ seq }) => seq);
}

Deno.test("append gives an event its number and stores all of it", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const appended = store.events.append(eventOf({
    event: "task_exited",
    data: { exit_code: -15, tail: ["a", "b"] },
  }));
  assert.deepEqual(appended, {
    seq: 1,
    ts: "2026-11-20T10:00:00.000Z",
    event: "task_exited",
    session: "shop",
    task: "web",
    exit_code: -15,
    tail: ["a", "b"],
  });
  const own = store.events.append({
    event: "daemon_started",
    session: null,
    at: NOW_MS + 1,
  });
  assert.deepEqual(Object.keys(own), ["seq", "ts", "event", "session"]);
  assert.deepEqual(store.events.list({ limit: 0 }).events, [appended, own]);
  assert.deepEqual(
    folder.mirror(),
    [appended, own].map((event) => JSON.stringify(event)),
  );
});

Deno.test("append refuses a time that is none, and goes on", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  assert.throws(() => store.events.append(eventOf({ at: NaN })), RangeError);
  assert.equal(store.events.append(eventOf()).seq, 1);
});

Deno.test("list filters by every condition together", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const events: Partial<NewEvent>[] = [
    {},
    { task: "api" },
    { event: "task_exited" },
    { session: "blog" },
    { event: "daemon_started", session: null },
    { event: "task_exited", at: NOW_MS + 10 },
    { event: "task_killed", at: NOW_MS + 11 },
  ];
  for (const event of events) {
    const { task, ...rest } = eventOf(event);
    store.events.append(
      rest.session === null || task === undefined ? rest : { ...rest, task },
    );
  }
  const check = (filter: Partial<EventFilter>, expected: number[]) =>
    assert.deepEqual(seqs(store, filter), expected);
  check({}, [1, 2, 3, 4, 5, 6, 7]);
  check({ session: "shop" }, [1, 2, 3, 5, 6, 7]);
  check({ session: "shop", limit: 3 }, [5, 6, 7]);
  check({ session: "shop", afterSeq: 1, limit: 3 }, [2, 3, 5]);
  check({ session: "nobody" }, [5]);
  check({ tasks: ["web"] }, [1, 3, 4, 6, 7]);
  check({ tasks: ["web", "api"], session: "shop" }, [1, 2, 3, 6, 7]);
  check({ session: "shop", tasks: ["web"] }, [1, 3, 6, 7]);
  check({ types: [] }, [1, 2, 3, 4, 5, 6, 7]);
  check({ types: ["task_exited", "task_killed"] }, [3, 6, 7]);
  check({ sinceMs: NOW_MS + 10 }, [6, 7]);
  check({ sinceMs: NOW_MS + 11, types: ["task_exited"] }, []);
  check({ sinceMs: NOW_MS + 10, untilMs: NOW_MS + 10 }, [6]);
  check({ limit: 2 }, [6, 7]);
  check({ limit: 2, session: "shop", types: ["task_started"] }, [1, 2]);
  check({ afterSeq: 2 }, [3, 4, 5, 6, 7]);
  check({ afterSeq: 2, limit: 2 }, [3, 4]);
  check({ afterSeq: 7 }, []);
  check({ session: "nobody", types: ["task_exited"] }, []);
});

Deno.test("the cursor of a list leads exactly to what comes after it", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  assert.equal(store.events.list({ limit: 5 }).cursor, 0);
  for (let n = 0; n < 10; n++) {
    store.events.append(eventOf({ task: n % 2 === 0 ? "web" : "api" }));
  }
  // Nothing that matches is left, so the cursor is at the end of all.
  assert.equal(store.events.list({ limit: 2, tasks: ["web"] }).cursor, 10);
  const first = store.events.list({ afterSeq: 0, limit: 2, tasks: ["web"] });
  assert.equal(first.cursor, 3);
  const rest = store.events.list({
    afterSeq: first.cursor,
    limit: 100,
    tasks: ["web"],
  });
  assert.deepEqual(rest.events.map(({ seq }) => seq), [5, 7, 9]);
  assert.equal(rest.cursor, 10);
  assert.equal(store.events.list({ afterSeq: 10, limit: 5 }).cursor, 10);
});

Deno.test("counts add up per task and type, and outlive pruning", () => {
  using folder = new StoreFolder();
  using store = folder.open({ limits: { maxEvents: 1000 } });
  for (let n = 0; n < 3000; n++) {
    store.events.append(
      eventOf({ event: n % 3 === 0 ? "task_exited" : "auto_restart" }),
    );
  }
  store.events.append(eventOf({ task: "api" }));
  store.events.append(eventOf({ session: "blog" }));
  store.events.append({ event: "session_started", session: "shop", at: 1 });
  assert.deepEqual(
    store.events.counts("shop"),
    new Map([
      ["api", { task_started: 1 }],
      ["web", { auto_restart: 2000, task_exited: 1000 }],
    ]),
  );
  assert.deepEqual(store.events.counts("nobody"), new Map());
});

Deno.test("the oldest events are pruned and never more than the limit stay", () => {
  using folder = new StoreFolder();
  using store = folder.open({ limits: { maxEvents: 1000 } });
  let most = 0;
  for (let n = 0; n < 2600; n++) {
    store.events.append(eventOf());
    if (n % 100 === 0) most = Math.max(most, seqs(store).length);
  }
  const kept = seqs(store);
  assert.ok(most <= 1000 && kept.length >= 500, `${most} ${kept.length}`);
  assert.equal(kept.at(-1), 2600);
  assert.equal(kept[0], 2600 - kept.length + 1);
});

Deno.test("clear forgets events, counts and mirror, and numbers go on", () => {
  using folder = new StoreFolder();
  {
    using store = folder.open();
    for (let n = 0; n < 3; n++) store.events.append(eventOf());
    assert.equal(store.events.clear(), 3);
    assert.deepEqual(seqs(store), []);
    assert.deepEqual(store.events.counts("shop"), new Map());
    assert.deepEqual(folder.mirror(), []);
    assert.equal(store.events.list({ limit: 1 }).cursor, 3);
  }
  using store = folder.open();
  assert.equal(store.events.append(eventOf()).seq, 4);
});

Deno.test("events of a full disk wait in order and are stored later", () => {
  using folder = new StoreFolder();
  const problems: StoreProblem[] = [];
  const data = { text: "x".repeat(2000) };
  {
    using store = folder.open({
      limits: { maxBytes: 512 * 1024 },
      report: (problem) => problems.push(problem),
    });
    let n = 0;
    while (problems.length === 0) {
      n++;
      assert.equal(store.events.append(eventOf({ data })).seq, n);
    }
    for (let more = 0; more < 10; more++) {
      assert.equal(store.events.append(eventOf({ data })).seq, ++n);
    }
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.message ?? "", /full/);
    assert.deepEqual(seqs(store), Array.from({ length: n }, (_, i) => i + 1));
    assert.deepEqual(seqs(store, { limit: 2 }), [n - 1, n]);
    assert.deepEqual(seqs(store, { afterSeq: n - 3, limit: 2 }), [
      n - 2,
      n - 1,
    ]);
    assert.equal(store.events.counts("shop").get("web")?.task_started, n);
    assert.equal(folder.mirror().length, n);
  }
  // With more room everything that waited until the end is gone from memory, but the numbers are not given again.
  using store = folder.open();
  const stored = seqs(store);
  assert.ok(stored.length > 50);
  const mirrored = folder.mirror().length;
  assert.equal(store.events.append(eventOf()).seq, mirrored + 1);
});

Deno.test("events that waited are stored by the next append that can", () => {
  using folder = new StoreFolder();
  const problems: StoreProblem[] = [];
  using store = folder.open({
    limits: { maxBytes: 512 * 1024 },
    report: (problem) => problems.push(problem),
  });
  // Something that can be deleted to make room.
  const filler = "x".repeat(200_000);
  store.meta.set("filler", filler);
  const data = { text: "y".repeat(2000) };
  while (problems.length === 0) store.events.append(eventOf({ data }));
  store.events.append(eventOf({ data }));
  store.meta.set("filler", "");
  const last = store.events.append(eventOf({ data }));
  assert.deepEqual(problems.at(-1), {
    part: "events",
    message: null,
    lostEvents: 0,
  });
  store.close();
  using again = folder.open();
  assert.deepEqual(
    seqs(again),
    Array.from({ length: last.seq }, (_, i) => i + 1),
  );
});

Deno.test("a mirror that cannot be written never fails an append", () => {
  using folder = new StoreFolder();
  const problems: StoreProblem[] = [];
  using store = folder.open({ report: (problem) => problems.push(problem) });
  Deno.mkdirSync(folder.eventsMirror);
  store.events.append(eventOf());
  store.events.append(eventOf());
  assert.equal(problems.length, 1);
  assert.equal(problems[0]?.part, "mirror");
  Deno.removeSync(folder.eventsMirror);
  store.events.append(eventOf());
  assert.equal(problems[1]?.message, null);
  assert.deepEqual(seqs(store), [1, 2, 3]);
  assert.equal(folder.mirror().length, 1);
});

Deno.test("the mirror is trimmed to its newest lines", () => {
  using folder = new StoreFolder();
  const old = Array.from(
    { length: MIRROR_MAX_LINES - 2 },
    (_, n) => `{"seq":${n + 1},"event":"task_started"}\n`,
  );
  Deno.writeTextFileSync(folder.eventsMirror, old.join(""));
  using store = folder.open();
  for (let n = 0; n < 2; n++) store.events.append(eventOf());
  assert.equal(folder.mirror().length, MIRROR_MAX_LINES);
  const last = store.events.append(eventOf());
  assert.equal(last.seq, MIRROR_MAX_LINES + 1);
  const lines = folder.mirror();
  assert.equal(lines.length, MIRROR_KEPT_LINES);
  assert.equal(lines.at(-1), JSON.stringify(last));
  assert.match(lines[0] ?? "", /^\{"seq":5002,/);
  store.events.append(eventOf());
  assert.equal(folder.mirror().length, MIRROR_KEPT_LINES + 1);
  assert.equal(
    (Deno.statSync(folder.eventsMirror).mode ?? 0) & 0o777,
    0o600,
  );
});

Deno.test("the mirror begins a new line after a torn one", () => {
  using folder = new StoreFolder();
  Deno.writeTextFileSync(
    folder.eventsMirror,
    '{"seq":7,"event":"task_started"}\n{"seq":8,"ev',
  );
  using store = folder.open();
  const event = store.events.append(eventOf());
  assert.equal(event.seq, 8);
  assert.deepEqual(folder.mirror().slice(1), [
    '{"seq":8,"ev',
    JSON.stringify(event),
  ]);
});
