import assert from "node:assert/strict";
import { NewsDesk } from "../../../src/client/news_desk.ts";
import type { ServerFrame } from "../../../src/contract/wire.ts";
import type { EventRecord } from "../../../src/domain/event.ts";

const event = (seq: number): EventRecord => ({
  seq,
  ts: "T",
  event: "task_exited",
  severity: "info",
  session: "s",
});

const answer = (...recent: EventRecord[]): ServerFrame => ({
  id: 1,
  result: {
    ok: true,
    recent_events: recent,
    recent_events_omitted: 2,
  } as never,
});

/** What the desk gathers from an answer that was confirmed so. */
async function gathered(
  confirmed: boolean | null,
  wasTold = false,
): Promise<[frame: unknown, taken: unknown]> {
  const asked: number[] = [];
  const desk = new NewsDesk((newest) => {
    asked.push(newest.seq);
    return Promise.resolve(wasTold);
  });
  const frame = await desk.check(
    answer(event(1), event(2)),
    () => Promise.resolve(confirmed),
  );
  assert.deepEqual(asked, confirmed === null ? [2] : []);
  return [frame, desk.take()];
}

const ALL = { recent_events: [event(1), event(2)], recent_events_omitted: 2 };
const NOTHING = { recent_events: [] };

Deno.test("events are taken once the daemon has noted that they arrived", async () => {
  assert.deepEqual(await gathered(true), [answer(event(1), event(2)), ALL]);
  const without = { id: 1, result: { ok: true, ...NOTHING } };
  assert.deepEqual(await gathered(false), [without, NOTHING]);
});

Deno.test("of a daemon that is gone the state tells what it has noted", async () => {
  assert.deepEqual((await gathered(null, true))[1], ALL);
  assert.deepEqual((await gathered(null, false))[1], NOTHING);
});

Deno.test("what nobody has told yet is gathered, the newest of it", async () => {
  const desk = new NewsDesk(() => Promise.resolve(true));
  const confirm = (): Promise<boolean> => Promise.resolve(true);
  assert.equal(desk.take(), null);
  await desk.check({ id: 1, result: { ok: true } }, confirm);
  assert.equal(desk.take(), null, "no answer said anything");
  for (let from = 0; from < 30; from += 10) {
    const events = Array.from({ length: 10 }, (_, n) => event(from + n));
    await desk.check(answer(...events), confirm);
  }
  const taken = desk.take();
  assert.equal(taken?.recent_events.length, 20);
  assert.equal(taken?.recent_events.at(-1)?.seq, 29);
  assert.equal(taken?.recent_events_omitted, 16);
  assert.equal(desk.take(), null);
});

Deno.test("a refusal has them as well", async () => {
  const desk = new NewsDesk(() => Promise.resolve(true));
  const shape = { ok: false, error_code: "E200", error: "Cannot" } as const;
  const error = { ...shape, recent_events: [event(7)] };
  const confirmed = { id: 1, error };
  assert.deepEqual(
    await desk.check(confirmed, () => Promise.resolve(false)),
    { id: 1, error: { ...shape, recent_events: [] } },
  );
  assert.deepEqual(
    await desk.check(confirmed, () => Promise.resolve(true)),
    confirmed,
  );
  assert.deepEqual(desk.take(), { recent_events: [event(7)] });
});
