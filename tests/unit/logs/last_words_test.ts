import assert from "node:assert/strict";
import { Redactor } from "../../../src/domain/redactor.ts";
import { type Quoting, tellingLines } from "../../../src/logs/last_words.ts";

const PURE = { permissions: "none" } as const;

const SECRET = "tok_9f8e7d6c5b4a3210";

function quoting(count: number): Quoting {
  return { count, redactor: new Redactor([SECRET]) };
}

Deno.test(
  "tellingLines() prefers lines that speak of errors, with their frames",
  PURE,
  () => {
    assert.deepEqual(
      tellingLines([
        "listening",
        "TypeError: x is not a function",
        "    at main (server.js:3:4)",
        "    at other (server.js:9:1)",
        "",
        "Node.js v22.1.0",
      ], quoting(4)),
      ["TypeError: x is not a function", "    at main (server.js:3:4)"],
    );
    assert.deepEqual(
      tellingLines([
        "Traceback (most recent call last):",
        '  File "app.py", line 3, in <module>',
        "ValueError: no port",
      ], quoting(2)),
      ["Traceback (most recent call last):", "ValueError: no port"],
    );
  },
);

Deno.test("tellingLines() takes the newest errors, in order", PURE, () => {
  const lines = ["error: 1", "ok", "error: 2", "ok", "error: 3"];
  assert.deepEqual(tellingLines(lines, quoting(2)), ["error: 2", "error: 3"]);
});

Deno.test(
  "tellingLines() knows errors as --level does, and what small programs say",
  PURE,
  () => {
    const errors = [
      '{"level":50,"msg":"down"}',
      "2026-11-20 10:00:00 [ERROR] no answer",
      "sh: 1: vite: not found",
      "cat: x: No such file or directory",
      "listen EADDRINUSE: 127.0.0.1:80",
    ];
    const others = [
      "Found 0 errors. Watching for file changes.",
      "INFO retrying: connection refused",
      "GET /error.html 200",
      '{"level":"warn","msg":"login failed"}',
    ];
    const lines = errors.flatMap((line, n) => [line, others[n] ?? "ok"]);
    assert.deepEqual(tellingLines(lines, quoting(9)), errors);
  },
);

Deno.test("tellingLines() without errors is the end", PURE, () => {
  assert.deepEqual(tellingLines(["a", "b", "", "c", " "], quoting(2)), [
    "b",
    "c",
  ]);
  assert.deepEqual(tellingLines([], quoting(2)), []);
});

Deno.test("tellingLines() cuts long lines", PURE, () => {
  const [line] = tellingLines(["x".repeat(1_000)], quoting(1));
  assert.equal(line?.length, 300);
  assert(line?.endsWith("…"));
});

Deno.test("tellingLines() cuts no secret in two", PURE, () => {
  const [cut] = tellingLines(
    [`${"x".repeat(290)}${SECRET} and more`],
    quoting(1),
  );
  assert.equal(cut, `${"x".repeat(290)}*** and m…`);
  const whole = `password is ${SECRET}`;
  assert.deepEqual(tellingLines([whole], quoting(1)), [whole]);
});
