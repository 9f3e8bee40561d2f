import assert from "node:assert/strict";
import {
  type Check,
  failed,
  passed,
  runChecks,
  warned,
} from "../../../src/kit/checks.ts";
import { systemClock } from "../../../src/kit/clock.ts";

const CHECKS: readonly Check<{ readonly size: number }>[] = [
  { name: "small", run: ({ size }) => Promise.resolve(passed(`${size}`)) },
  {
    name: "several",
    run: () => Promise.resolve([warned("a", null), failed("b", "do b")]),
  },
  { name: "broken", run: () => Promise.reject(new Error("no such thing")) },
];

const OPTIONS = { clock: systemClock, limitMs: 10_000, lastResort: "look" };

Deno.test("runChecks() answers in the order of the checks, whatever becomes of one", async () => {
  assert.deepEqual(await runChecks(CHECKS, { size: 3 }, OPTIONS), [
    { name: "small", status: "ok", detail: "3", fix: null },
    { name: "several", status: "warn", detail: "a", fix: null },
    { name: "several", status: "fail", detail: "b", fix: "do b" },
    {
      name: "broken",
      status: "fail",
      detail: "cannot be checked: no such thing",
      fix: "look",
    },
  ]);
});

Deno.test("runChecks() does not wait for a check that hangs, and tells it so", async () => {
  let isAborted = false;
  const hanging: Check<null> = {
    name: "hanging",
    run: (_world, signal) => {
      signal.addEventListener("abort", () => isAborted = true);
      return new Promise(() => {});
    },
  };
  const found = await runChecks([hanging], null, { ...OPTIONS, limitMs: 20 });
  assert.deepEqual(found, [{
    name: "hanging",
    status: "fail",
    detail: "no answer within 0.02 s",
    fix: "look",
  }]);
  assert(isAborted);
});
