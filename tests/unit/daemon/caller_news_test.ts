import assert from "node:assert/strict";
import {
  CallerNews,
  MAX_ON_THE_WAY,
  withNews,
} from "../../../src/daemon/caller_news.ts";
import type { Caller, Dispatcher } from "../../../src/daemon/dispatcher.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import type { RecentEvents } from "../../../src/domain/recent_events.ts";
import type { SharedTasks } from "../../../src/domain/event_selection.ts";
import type { Clock } from "../../../src/kit/clock.ts";
import type { Store } from "../../../src/store/store.ts";
import {
  eventOf,
  NOW_MS,
  stillClock,
  StoreFolder,
} from "../../support/store_folder.ts";

/** News of a store, with a clock that the test sets. */
function newsOf(store: Store): { news: CallerNews; clock: { at: number } } {
  const at = { at: 0 };
  const clock: Clock = { ...stillClock, monotonic: () => at.at };
  const sessionOf = ({ session }: { session?: string | undefined }) =>
    Promise.resolve(session === "shop" ? "shop" : null);
  const shared = { session: "shop", tasks: ["db"] };
  const sharedBy = (session: string): SharedTasks | null =>
    session === "shop-one" ? shared : null;
  return {
    news: new CallerNews({ store, clock, sessionOf, sharedBy }),
    clock: at,
  };
}

const seqs = (taken: { news: RecentEvents } | null): number[] | null =>
  taken?.news.recent_events.map(({ seq }) => seq) ?? null;

Deno.test("events are told again until they have arrived", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const { news } = newsOf(store);
  store.events.append(eventOf());
  news.greet("ada");
  assert.equal(news.take("ada", "shop"), null, "from its first call on");
  store.events.append(eventOf());
  const lost = news.take("ada", "shop");
  assert.deepEqual(seqs(lost), [2]);
  assert.equal(lost?.settle(false), false);
  store.events.append(eventOf());
  const taken = news.take("ada", "shop");
  assert.deepEqual(seqs(taken), [2, 3]);
  assert.equal(news.take("ada", "shop"), null, "on their way");
  assert.equal(taken?.settle(true), true);
  assert.equal(taken?.settle(true), false, "once");
  assert.equal(news.take("ada", "shop"), null);
});

Deno.test("an answer that takes too long arrives in vain", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const { news, clock } = newsOf(store);
  news.greet("ada");
  store.events.append(eventOf());
  const slow = news.take("ada", null);
  clock.at = 9_999;
  assert.equal(news.take("ada", null), null);
  clock.at = 10_000;
  const next = news.take("ada", null);
  assert.deepEqual(seqs(next), [1]);
  assert.equal(slow?.settle(true), false);
  assert.equal(next?.settle(true), true);
});

Deno.test("of too many answers on their way the eldest arrives in vain", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const { news } = newsOf(store);
  const taken = Array.from({ length: MAX_ON_THE_WAY + 1 }, (_, n) => {
    news.greet(`c${n}`);
    store.events.append(eventOf());
    return news.take(`c${n}`, null);
  });
  assert.equal(taken[0]?.settle(true), false);
  assert.equal(taken[1]?.settle(true), true);
  assert.equal(taken.at(-1)?.settle(true), true);
});

const ASKER: Caller = {
  caller: "ada",
  reveal: false,
  signal: new AbortController().signal,
  lifetime: new AbortController().signal,
  onProgress: () => {},
  onNews: (settle) => void settle(true),
};

/** A dispatcher whose only operation stores an event, and fails if it is told to. */
function storing(store: Store): Dispatcher {
  return {
    kindOf: () => "call",
    call: (_name, params) => {
      store.events.append(eventOf());
      const { fails } = params as { fails?: boolean };
      if (fails !== true) return Promise.resolve({ ok: true });
      return Promise.reject(
        new TaskmuxError("E200", "Cannot", { hint: "h", details: { a: 1 } }),
      );
    },
    async *stream() {},
  };
}

Deno.test("results and refusals have the key, and what the call itself has caused", async () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const dispatcher = withNews(storing(store), newsOf(store).news);
  const scope = { session: "shop" };
  const first = await dispatcher.call("x", { scope }, ASKER);
  const told = (answer: object): number[] | undefined =>
    (answer as Partial<RecentEvents>).recent_events?.map(({ seq }) => seq);
  assert.deepEqual(told(first), [1], "what happened since it called");
  store.events.append(eventOf());
  store.events.append(eventOf({ session: "blog" }));
  const refused = await dispatcher.call("x", { scope, fails: true }, ASKER)
    .catch((error: TaskmuxError) => error);
  assert(refused instanceof TaskmuxError);
  const shape = refused.toShape();
  assert.deepEqual(told(shape), [2, 4]);
  assert.deepEqual([shape.hint, shape.details], ["h", { a: 1 }]);
  assert.deepEqual(TaskmuxError.fromShape(shape).toShape(), shape);
  const unknown = { scope: { session: "gone" } };
  assert.deepEqual(told(await dispatcher.call("x", unknown, ASKER)), []);
  assert.deepEqual(told(await dispatcher.call("x", {}, ASKER)), [3, 5, 6]);
  const nobody = { ...ASKER, caller: null };
  assert(!("recent_events" in await dispatcher.call("x", { scope }, nobody)));
});

Deno.test("a caller of one project is told of that alone, whatever it asks about", async () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const dispatcher = withNews(storing(store), newsOf(store).news);
  const told = async (newsOf?: string): Promise<number[]> => {
    const answer = await dispatcher.call("x", {}, { ...ASKER, newsOf });
    const { recent_events: events } = answer as unknown as RecentEvents;
    return events.map(({ seq }) => seq);
  };
  assert.deepEqual(await told("shop"), [1]);
  store.events.append(eventOf({ session: "blog" }));
  assert.deepEqual(await told("shop"), [3]);
  assert.deepEqual(await told("gone"), []);
  assert.deepEqual(await told(), [2, 4, 5]);
});

Deno.test("nothing is taken for a caller that has gone", async () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const dispatcher = withNews(storing(store), newsOf(store).news);
  const signal = AbortSignal.abort();
  const gone = await dispatcher.call("x", {}, { ...ASKER, signal });
  assert.deepEqual(gone, { ok: true, recent_events: [] });
  const { recent_events: events } = await dispatcher.call("x", {}, ASKER);
  assert.equal((events as unknown[]).length, 2);
});

Deno.test("at most twenty are told, and the others counted", async () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const dispatcher = withNews(storing(store), newsOf(store).news);
  await dispatcher.call("x", {}, ASKER);
  for (let n = 0; n < 30; n++) store.events.append(eventOf({ at: NOW_MS + n }));
  const many = await dispatcher.call("x", {}, ASKER);
  const events = many["recent_events"] as RecentEvents["recent_events"];
  assert.equal(events.length, 20);
  assert.equal(events.at(-1)?.seq, 32);
  assert.equal(many["recent_events_omitted"], 11);
  const next = await dispatcher.call("x", {}, ASKER);
  assert(!("recent_events_omitted" in next));
});

Deno.test("what a worktree shares is news there, and each event is told once wherever it is asked for", () => {
  using folder = new StoreFolder();
  using store = folder.open();
  const { news } = newsOf(store);
  for (const caller of ["ada", "eve", "bob"]) news.greet(caller);
  store.events.append(eventOf({ task: "db" }));
  store.events.append(eventOf({ task: "web" }));
  store.events.append(eventOf({ session: "shop-one", task: "web" }));
  const tell = (caller: string, session: string | null): number[] | null => {
    const taken = news.take(caller, session);
    taken?.settle(true);
    return seqs(taken);
  };
  assert.deepEqual(tell("ada", "shop-one"), [1, 3]);
  assert.equal(tell("ada", "shop-one"), null);
  assert.deepEqual(tell("ada", "shop"), [2]);
  assert.deepEqual(tell("eve", "shop-one"), [1, 3]);
  assert.deepEqual(tell("eve", null), [2]);
  assert.deepEqual(tell("bob", "shop"), [1, 2]);
  assert.deepEqual(tell("bob", "shop-one"), [3]);
  store.events.append(eventOf({ task: "db" }));
  assert.deepEqual(tell("bob", "shop-one"), [4]);
  assert.equal(tell("bob", null), null);
});
