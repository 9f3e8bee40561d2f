import assert from "node:assert/strict";
import { BoundedQueue, type Gap } from "../../../src/kit/bounded_queue.ts";

async function drain<T>(queue: BoundedQueue<T>): Promise<(T | Gap)[]> {
  queue.close();
  return await Array.fromAsync(queue.items());
}

Deno.test("a queue gives its items in order", async () => {
  const queue = new BoundedQueue<number>(3);
  for (let n = 0; n < 3; n++) queue.push(n);
  assert.equal(queue.size, 3);
  assert.deepEqual(await drain(queue), [0, 1, 2]);
});

Deno.test("a full queue drops the oldest and tells how many", async () => {
  const queue = new BoundedQueue<number>(3);
  for (let n = 0; n < 10; n++) queue.push(n);
  assert.equal(queue.size, 3);
  assert.deepEqual(await drain(queue), [{ gap: 7 }, 7, 8, 9]);
});

Deno.test("a queue tells each gap where it was", async () => {
  const queue = new BoundedQueue<number>(2);
  const items = queue.items();
  const next = async () => (await items.next()).value;
  for (let n = 0; n < 3; n++) queue.push(n);
  assert.deepEqual(await next(), { gap: 1 });
  assert.equal(await next(), 1);
  for (let n = 3; n < 6; n++) queue.push(n);
  assert.deepEqual(await next(), { gap: 2 });
  assert.equal(await next(), 4);
  assert.equal(await next(), 5);
  queue.push(6);
  assert.equal(await next(), 6);
  queue.close();
  assert.equal((await items.next()).done, true);
});

Deno.test("a waiting consumer gets an item as soon as it is pushed", async () => {
  const queue = new BoundedQueue<string>(1);
  const items = queue.items();
  const first = items.next();
  queue.push("now");
  assert.deepEqual(await first, { done: false, value: "now" });
  const second = items.next();
  queue.close();
  assert.equal((await second).done, true);
});

Deno.test("an abort ends the consumer and loses nothing", async () => {
  const queue = new BoundedQueue<number>(5);
  const abort = new AbortController();
  const items = queue.items(abort.signal);
  queue.push(1);
  assert.equal((await items.next()).value, 1);
  const waiting = items.next();
  abort.abort();
  assert.equal((await waiting).done, true);
  queue.push(2);
  assert.deepEqual(await drain(queue), [2]);
  const aborted = queue.items(AbortSignal.abort());
  assert.equal((await aborted.next()).done, true);
});

Deno.test("a closed queue ignores pushes", async () => {
  const queue = new BoundedQueue<number>(5);
  queue.push(1);
  queue.close();
  queue.push(2);
  assert.deepEqual(await Array.fromAsync(queue), [1]);
});

Deno.test("a queue has one consumer at a time", async () => {
  const queue = new BoundedQueue<number>(5);
  queue.push(1);
  const first = queue.items();
  await first.next();
  await assert.rejects(queue.items().next(), TypeError);
  await first.return();
  queue.push(2);
  assert.deepEqual(await drain(queue), [2]);
});

Deno.test("a queue refuses a limit that is none", () => {
  for (const limit of [0, -1, 1.5, NaN]) {
    assert.throws(() => new BoundedQueue(limit), RangeError);
  }
});
