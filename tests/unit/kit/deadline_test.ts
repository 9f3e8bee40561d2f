import assert from "node:assert/strict";
import { systemClock as clock } from "../../../src/kit/clock.ts";
import {
  DeadlineError,
  settledWithin,
  withDeadline,
} from "../../../src/kit/deadline.ts";

const HOUR_MS = 3_600_000;

/** Work that ends only by its signal. */
function endless(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason))
  );
}

function never(): AbortSignal {
  return new AbortController().signal;
}

Deno.test("withDeadline passes on the result and stops its timer", async () => {
  const within = { clock, ms: HOUR_MS, signal: never() };
  assert.equal(await withDeadline(within, () => Promise.resolve(7)), 7);
});

Deno.test("withDeadline passes on the failure of the work", async () => {
  const within = { clock, ms: HOUR_MS, signal: never() };
  await assert.rejects(
    withDeadline(within, () => Promise.reject(new RangeError("no"))),
    RangeError,
  );
});

Deno.test("withDeadline ends work that takes too long", async () => {
  const within = { clock, ms: 1, signal: never() };
  await assert.rejects(withDeadline(within, endless), DeadlineError);
});

Deno.test("withDeadline prefers the caller's reason", async () => {
  const caller = new AbortController();
  const within = { clock, ms: HOUR_MS, signal: caller.signal };
  const work = withDeadline(within, endless);
  caller.abort(new RangeError("stop"));
  await assert.rejects(work, RangeError);
});

Deno.test("withDeadline does not begin when the caller has already stopped", async () => {
  const signal = AbortSignal.abort(new RangeError("stop"));
  await assert.rejects(
    withDeadline({ clock, ms: HOUR_MS, signal }, () => assert.fail("began")),
    RangeError,
  );
});

Deno.test("settledWithin tells whether a promise was in time", async () => {
  const open = Promise.withResolvers<void>();
  const signal = never();
  assert.equal(
    await settledWithin(open.promise, { clock, ms: 1, signal }),
    false,
  );
  open.resolve();
  assert.equal(
    await settledWithin(open.promise, { clock, ms: HOUR_MS, signal }),
    true,
  );
});

Deno.test("settledWithin passes on a rejection and the caller's reason", async () => {
  const failing = Promise.reject(new RangeError("no"));
  await assert.rejects(
    settledWithin(failing, { clock, ms: HOUR_MS, signal: never() }),
    RangeError,
  );
  const caller = new AbortController();
  const waiting = settledWithin(Promise.withResolvers<void>().promise, {
    clock,
    ms: HOUR_MS,
    signal: caller.signal,
  });
  caller.abort(new TypeError("stop"));
  await assert.rejects(waiting, TypeError);
});
