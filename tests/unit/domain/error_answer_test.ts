import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type ErrorAnswer,
  type ErrorGroupView,
  fitErrors,
} from "../../../src/domain/error_answer.ts";

function jsonBytes(answer: ErrorAnswer): number {
  return new TextEncoder().encode(JSON.stringify(answer)).length;
}

function group(index: number, sample: readonly string[]): ErrorGroupView {
  return {
    fingerprint: String(index).padStart(16, "0"),
    kind: "node",
    task: "api",
    message: `Error: ${"é".repeat(index * 20)}`,
    count: index + 1,
    first: "2026-11-20T10:00:00.000Z",
    last: "2026-11-20T10:00:00.000Z",
    frame: { file: "src/a.ts", line: 4, column: 2, function: "f" },
    sample,
  };
}

function answerOf(groups: readonly ErrorGroupView[]): ErrorAnswer {
  return {
    ok: true,
    groups,
    omitted_groups: 2,
    cursor: "AQRub2Rl",
    dropped: 0,
    scanned: { lines: 1, bytes: 1, skipped_bytes: 0, since: null },
  };
}

const SAMPLE = [
  "Error: x",
  "    at g (node:fs:1:1)",
  "… 7 more lines",
  "    at f (/work/src/a.ts:4:2)",
  "    at h (/work/src/b.ts:9:9)",
];

Deno.test("fitErrors() never answers more than it may, and leaves nothing out without saying so", () => {
  fc.assert(fc.property(
    fc.integer({ min: 0, max: 12 }),
    fc.integer({ min: 200, max: 6_000 }),
    (count, maxBytes) => {
      const whole = answerOf(
        Array.from({ length: count }, (_, index) => group(index, SAMPLE)),
      );
      const fitted = fitErrors(whole, maxBytes, jsonBytes);
      assert.ok(jsonBytes(fitted) <= maxBytes);
      assert.equal(fitted.groups.length + fitted.omitted_groups, count + 2);
      assert.deepEqual(
        fitted.groups.map(({ fingerprint }) => fingerprint),
        whole.groups.slice(0, fitted.groups.length).map((each) =>
          each.fingerprint
        ),
      );
      if (jsonBytes(whole) <= maxBytes) assert.equal(fitted, whole);
    },
  ));
});

Deno.test("fitErrors() gives up samples before groups, and the place in the source last", () => {
  const whole = answerOf([0, 1].map((index) => group(index, SAMPLE)));
  const fitted = fitErrors(whole, jsonBytes(whole) - 1, jsonBytes);
  assert.equal(fitted.groups.length, 2);
  assert.deepEqual(
    fitted.groups[0]!.sample,
    [SAMPLE[3], SAMPLE[4], SAMPLE[0]].toSorted((a, b) =>
      SAMPLE.indexOf(a!) - SAMPLE.indexOf(b!)
    ),
  );
  const tight = jsonBytes(whole) - 2 * JSON.stringify(SAMPLE).length + 4;
  assert.deepEqual(
    fitErrors(whole, tight, jsonBytes).groups.map(({ sample }) => sample),
    [[], []],
  );
});

Deno.test("fitErrors() says how much it needs when nothing fits", () => {
  assert.throws(() => fitErrors(answerOf([]), 20, jsonBytes), {
    code: "E500",
    message:
      /^Cannot answer in 20 bytes: an answer without any error takes \d+$/,
  });
});
