import assert from "node:assert/strict";
import { Semaphore } from "../../../src/kit/semaphore.ts";

const { signal } = new AbortController();

Deno.test("a semaphore lets so many jobs run at once, in order, and passes on what they throw", async () => {
  const semaphore = new Semaphore(2);
  const begun: number[] = [];
  const gates = Array.from(
    { length: 5 },
    () => Promise.withResolvers<number>(),
  );
  const jobs = gates.map(({ promise }, n) =>
    semaphore.run(signal, async () => {
      begun.push(n);
      return await promise;
    })
  );
  await Promise.resolve();
  assert.deepEqual(begun, [0, 1]);
  gates[1]?.reject(new TypeError("no"));
  await assert.rejects(jobs[1]!, TypeError);
  assert.deepEqual(begun, [0, 1, 2]);
  gates.forEach((gate, n) => gate.resolve(n));
  assert.deepEqual(
    await Promise.all(jobs.filter((_, n) => n !== 1)),
    [0, 2, 3, 4],
  );
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
});

Deno.test("a job that nobody waits for any more never begins", async () => {
  const semaphore = new Semaphore(1);
  const gate = Promise.withResolvers<void>();
  const first = semaphore.run(signal, () => gate.promise);
  const gone = new AbortController();
  const second = semaphore.run(gone.signal, () => {
    throw new TypeError("it began");
  });
  gone.abort(new DOMException("gone", "AbortError"));
  gate.resolve();
  await first;
  await assert.rejects(second, { name: "AbortError" });
  assert.equal(await semaphore.run(signal, () => Promise.resolve(1)), 1);
});
