import assert from "node:assert/strict";
import { WaitingRoom } from "../../../src/daemon/waiting_room.ts";
import { type Clock, systemClock } from "../../../src/kit/clock.ts";

const { signal: NEVER } = new AbortController();

/** A clock whose sleeps end when told to. */
function stoppedClock(): { readonly clock: Clock; elapse(): void } {
  const sleeping = new Set<() => void>();
  return {
    clock: {
      ...systemClock,
      sleep: (_ms, signal) => {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        sleeping.add(resolve);
        signal?.addEventListener("abort", () => {
          sleeping.delete(resolve);
          reject(signal.reason);
        });
        return promise;
      },
    },
    elapse: () => sleeping.forEach((wake) => wake()),
  };
}

Deno.test("all who wait for a task share one watch, which ends with the last of them", async () => {
  const room = new WaitingRoom<string>(systemClock);
  const task = {};
  let watches = 0;
  let watched: AbortSignal | null = null;
  const answer = Promise.withResolvers<string>();
  const watch = (signal: AbortSignal): Promise<string> => {
    watches++;
    watched = signal;
    return answer.promise;
  };
  const gone = new AbortController();
  const leaving = room.wait(task, watch, gone.signal);
  const staying = room.wait(task, watch, NEVER);
  const other = room.wait({}, () => Promise.resolve("other"), NEVER);
  gone.abort(new Error("gone"));
  await assert.rejects(leaving, /gone/);
  assert.deepEqual(await other, { kind: "answer", answer: "other" });
  assert.equal(watched!.aborted, false);
  answer.resolve("here");
  assert.deepEqual(await staying, { kind: "answer", answer: "here" });
  assert.equal(watched!.aborted, true);
  assert.equal(watches, 1);
});

Deno.test("who waited long enough is told so, and a failure is told to all", async () => {
  const { clock, elapse } = stoppedClock();
  const room = new WaitingRoom<string>(clock);
  const late = room.wait({}, () => new Promise(() => {}), NEVER);
  elapse();
  assert.deepEqual(await late, { kind: "late" });
  const task = {};
  const failing = () => Promise.reject(new RangeError("broken"));
  await assert.rejects(room.wait(task, failing, NEVER), RangeError);
  const next = await room.wait(task, () => Promise.resolve("new"), NEVER);
  assert.deepEqual(next, { kind: "answer", answer: "new" });
});

Deno.test("no more wait than may, for one task and for all", async () => {
  const { clock, elapse } = stoppedClock();
  const room = new WaitingRoom<string>(clock);
  const waits: Promise<unknown>[] = [];
  const fill = (task: object, count: number): void => {
    for (let n = 0; n < count; n++) {
      waits.push(room.wait(task, () => new Promise(() => {}), NEVER));
    }
  };
  const crowded = {};
  fill(crowded, 256);
  const full = await room.wait(crowded, () => Promise.resolve(""), NEVER);
  assert.deepEqual(full, { kind: "full" });
  for (let task = 0; task < 6; task++) fill({}, 256);
  fill({}, 208);
  const tooMany = await room.wait({}, () => Promise.resolve(""), NEVER);
  assert.deepEqual(tooMany, { kind: "full" });
  elapse();
  await Promise.all(waits);
  const after = await room.wait({}, () => Promise.resolve("free"), NEVER);
  assert.deepEqual(after, { kind: "answer", answer: "free" });
});
