import assert from "node:assert/strict";
import { errorDigestLines } from "../../../src/cli/render/errors.ts";
import { makePaint } from "../../../src/cli/render/paint.ts";
import type {
  ErrorAnswer,
  ErrorGroupView,
} from "../../../src/domain/error_answer.ts";

const NOW_MS = Date.UTC(2026, 10, 20, 12, 3, 6);

const GROUP: ErrorGroupView = {
  fingerprint: "0123456789abcdef",
  kind: "node",
  task: "api",
  message: "TypeError: x is not a function",
  count: 12,
  first: "2026-11-20T12:02:04.500Z",
  last: "2026-11-20T12:03:04.000Z",
  frame: { file: "src/server.ts", line: 41, column: 7, function: "handler" },
  sample: ["TypeError: x is not a function", "    at handler (src/server.ts)"],
};

function answerOf(changes: Partial<ErrorAnswer>): ErrorAnswer {
  return {
    ok: true,
    groups: [],
    omitted_groups: 0,
    cursor: "c",
    dropped: 0,
    scanned: { lines: 9, bytes: 900, skipped_bytes: 0, since: null },
    ...changes,
  };
}

function linesOf(answer: ErrorAnswer, colours = false): string[] {
  return errorDigestLines(answer, { paint: makePaint(colours), nowMs: NOW_MS });
}

Deno.test("errorDigestLines() shows each error with its place and its times", () => {
  const once = { ...GROUP, count: 1, frame: null, first: GROUP.last };
  assert.deepEqual(linesOf(answerOf({ groups: [GROUP, once] })), [
    "×12  TypeError: x is not a function  api  src/server.ts:41:7 (handler)  node, first 12:02:04Z, last 2s ago",
    "    TypeError: x is not a function",
    "        at handler (src/server.ts)",
    "",
    "×1  TypeError: x is not a function  api  node, 2s ago",
    "    TypeError: x is not a function",
    "        at handler (src/server.ts)",
  ]);
});

Deno.test("errorDigestLines() says what it leaves out, and when there is nothing", () => {
  assert.deepEqual(linesOf(answerOf({})), ["No errors found"]);
  const lines = linesOf(answerOf({
    omitted_groups: 3,
    scanned: {
      lines: 9,
      bytes: 3 * 1024 * 1024,
      skipped_bytes: 5,
      since: "2026-11-20T12:00:00.000Z",
    },
  }));
  assert.deepEqual(lines, [
    "(3 more errors)",
    "(only the newest 3.0 MiB of the logs were read, since 2026-11-20T12:00:00.000Z; --since reads more)",
  ]);
});

Deno.test("errorDigestLines() gives a terminal nothing to act on but its own colours", () => {
  const bad = "a\x1b[2Jb\x07c\x9b2Jd\x1b]0;title\x07e\u202e";
  const lines = linesOf(
    answerOf({
      groups: [{
        ...GROUP,
        message: bad,
        task: bad,
        frame: { ...GROUP.frame!, file: bad, function: bad },
        sample: [bad],
      }],
    }),
    true,
  );
  for (const line of lines) {
    // deno-lint-ignore no-control-regex -- they are what is looked for
    const rest = line.replaceAll(/\x1b\[\d+m/g, "");
    // deno-lint-ignore no-control-regex -- they are what is looked for
    assert.doesNotMatch(rest, /[\x00-\x1f\x7f-\x9f]/);
  }
});
