/**
 * Turns at a carrier, and when what failed is tried again.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Retries } from "../../../src/daemon/tunnels/retries.ts";
import { Interruption, Turns } from "../../../src/daemon/tunnels/turns.ts";

const never = (signal: AbortSignal): Promise<never> => {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(signal.reason));
  return promise;
};

Deno.test("one thing after the other, side by side for others", async () => {
  const turns = new Turns();
  const { signal } = new AbortController();
  const done: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.take("a", signal, async () => {
    await gate.promise;
    done.push("first");
  });
  const second = turns.take("a", signal, () => {
    done.push("second");
    return Promise.resolve();
  });
  await turns.take("b", signal, () => {
    done.push("other");
    return Promise.resolve();
  });
  gate.resolve();
  await Promise.all([first, second]);
  assert.deepEqual(done, ["other", "first", "second"]);
  await turns.over();
});

Deno.test("who is interrupted begins anew behind who waits", async () => {
  const turns = new Turns();
  const { signal } = new AbortController();
  const done: string[] = [];
  let tries = 0;
  const opening = turns.take("a", signal, async (turn) => {
    tries += 1;
    if (tries === 1) await never(turn);
    done.push("opened");
  });
  await Promise.resolve();
  await Promise.resolve();
  const closing = turns.take("a", signal, () => {
    done.push("closed");
    return Promise.resolve();
  });
  turns.interrupt("a");
  await Promise.all([opening, closing]);
  assert.deepEqual(done, ["closed", "opened"]);
  assert.equal(tries, 2);
});

Deno.test("a failure lets the next one go, a signal ends who waits", async () => {
  const turns = new Turns();
  const { signal } = new AbortController();
  const cancel = new AbortController();
  const failing = turns.take("a", signal, () => {
    throw new RangeError("broken");
  });
  const cancelled = turns.take("a", cancel.signal, () => {
    throw new Error("must not run");
  });
  cancel.abort(new DOMException("over", "AbortError"));
  const next = turns.take("a", signal, () => Promise.resolve("next"));
  await assert.rejects(failing, RangeError);
  await assert.rejects(cancelled, { name: "AbortError" });
  assert.equal(await next, "next");
  // An error of the caller's own that looks like it is passed on.
  await assert.rejects(
    turns.take("a", signal, () => {
      throw new Interruption("not ours");
    }),
    Interruption,
  );
});

Deno.test("pauses double up to a minute, another aim does not wait", () => {
  let now = 0;
  const retries = new Retries({ monotonic: () => now });
  assert.equal(retries.nextInMs, Infinity);
  assert.equal(retries.isDue("a", "bring", 0), true);
  const pauses: number[] = [];
  for (let index = 0; index < 6; index++) {
    retries.failed("a", "bring");
    assert.equal(retries.isDue("a", "bring", 0), false);
    pauses.push(retries.nextInMs);
    now += retries.nextInMs;
    assert.equal(retries.isDue("a", "bring", 0), true);
    // What is due is told by isDue: it must not wake anybody again and again.
    assert.equal(retries.nextInMs, Infinity);
  }
  assert.deepEqual(pauses, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  assert.equal(retries.isDue("a", "repair", 7_000), false);
  assert.equal(retries.nextInMs, 7_000);
  assert.equal(retries.isDue("a", "bring", 0), true);
  retries.failed("b", "bring");
  retries.forget("b");
  assert.equal(retries.nextInMs, Infinity);
});
