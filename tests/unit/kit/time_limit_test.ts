import assert from "node:assert/strict";
import { TimeLimitError, withinTime } from "../../../src/kit/time_limit.ts";

Deno.test("work within its time gives its result, or its error", () => {
  assert.equal(withinTime(10_000, () => 1 + 1), 2);
  assert.equal(withinTime(10_000, () => withinTime(10_000, () => 3)), 3);
  const error = new TypeError("no");
  assert.throws(() =>
    withinTime(10_000, () => {
      throw error;
    }), (thrown) => thrown === error);
});

Deno.test("a regular expression that would take for ever is stopped, and the next one works", () => {
  const text = `${"a".repeat(64)}!`;
  for (const pattern of [/(a+)+$/i, /(a+)+\1$/]) {
    assert.throws(
      () => withinTime(20, () => pattern.test(text)),
      TimeLimitError,
    );
    assert.equal(withinTime(10_000, () => /a!$/.test(text)), true);
  }
});
