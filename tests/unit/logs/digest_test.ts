/**
 * How errors in output become groups, whoever printed them. What each tool prints is in the recognisers' tests.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import type {
  DigestLine,
  ErrorGroup,
} from "../../../src/logs/digest/error_group.ts";
import { digestErrors } from "../../../src/logs/digest/mod.ts";

const ROOT = "/work/shop";

const TYPE_ERROR = [
  "TypeError: Cannot read properties of undefined (reading 'id')",
  "    at handler (/work/shop/src/server.ts:41:7)",
  "    at Layer.handle (/work/shop/node_modules/express/lib/layer.js:95:5)",
  "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
];

const KEY_ERROR = [
  "Traceback (most recent call last):",
  '  File "/work/shop/worker.py", line 12, in main',
  "    run(job)",
  '  File "/usr/lib/python3.11/runpy.py", line 3, in run',
  "    raise KeyError(job)",
  "KeyError: 'job-81'",
];

function stamped(
  texts: readonly string[],
  { task = "api", fromMs = Date.UTC(2026, 10, 20, 10) } = {},
): DigestLine[] {
  return texts.map((text, index) => ({
    task,
    ts: new Date(fromMs + index).toISOString(),
    text,
  }));
}

async function digest(
  lines: readonly DigestLine[],
): Promise<readonly ErrorGroup[]> {
  const { groups } = await digestErrors(lines, { root: ROOT });
  return groups;
}

async function digestTexts(...texts: string[]): Promise<readonly ErrorGroup[]> {
  return await digest(stamped(texts));
}

Deno.test("digestErrors() tells kind, message, place and times of an error", async () => {
  const lines = stamped(["listening", ...TYPE_ERROR, "GET / 200"]);
  const [group, ...others] = await digest(lines);
  assert.deepEqual(others, []);
  assert.match(group!.fingerprint, /^[0-9a-f]{16}$/);
  assert.deepEqual(group, {
    fingerprint: group!.fingerprint,
    kind: "node",
    task: "api",
    message: TYPE_ERROR[0],
    count: 1,
    first: lines[1]!.ts,
    last: lines[1]!.ts,
    frame: { file: "src/server.ts", line: 41, column: 7, function: "handler" },
    sample: [TYPE_ERROR[0]!, TYPE_ERROR[1]!, "… 2 more lines"],
  });
});

Deno.test("digestErrors() counts the same error with other ids once, and keeps different ones apart", async () => {
  const groups = await digestTexts(
    "[ERROR] order 17 of user 8f14e45f-ceea-467f-9538-1e8d7f0b7d1c failed after 120ms",
    "[ERROR] order 18 of user 3b241101-e2bb-4255-8caf-4136c566a962 failed after 3.5s",
    "[ERROR] payment 18 was refused",
    "[ERROR] cannot open '/var/data/17.json': deadbeef01 at 0x7ffe12",
    "[ERROR] cannot open '/var/data/a/18.json': cafebabe99 at 0x10",
    "[ERROR] Cannot find module '/work/shop/a.js'",
    "[ERROR] Cannot find module '/work/shop/b.js'",
  );
  assert.deepEqual(
    groups.map(({ count, message }) => [count, message.slice(8, 34)]),
    [
      [1, "Cannot find module '/work/"],
      [1, "Cannot find module '/work/"],
      [2, "cannot open '/var/data/a/1"],
      [1, "payment 18 was refused"],
      [2, "order 18 of user 3b241101-"],
    ],
  );
});

Deno.test("digestErrors() knows an error again after its lines have moved, and tells where it is now", async () => {
  const moved = TYPE_ERROR.map((line) => line.replace("41:7", "44:9"));
  const elsewhere = TYPE_ERROR.map((line) => line.replace("handler", "other"));
  const [other, group] = await digestTexts(
    ...TYPE_ERROR,
    "edited",
    ...moved,
    "ok",
    ...elsewhere,
  );
  assert.equal(group!.count, 2);
  assert.equal(group!.frame?.line, 44);
  assert.notEqual(other!.fingerprint, group!.fingerprint);
  const [alone] = await digestTexts(...TYPE_ERROR);
  assert.equal(alone!.fingerprint, group!.fingerprint);
});

Deno.test("digestErrors() keeps tasks apart whose lines interleave", async () => {
  const node = stamped(TYPE_ERROR, { task: "api" });
  const python = stamped(KEY_ERROR, { task: "worker" });
  const other = stamped(TYPE_ERROR, { task: "web" });
  const lines = python.flatMap((line, index) =>
    [line, node[index], other[index]].filter((each) => each !== undefined)
  );
  const groups = await digest(lines);
  assert.deepEqual(
    groups.map(({ task, kind, message, frame }) =>
      `${task} ${kind} ${message.slice(0, 9)} ${frame?.file}:${frame?.line}`
    ).sort(),
    [
      "api node TypeError src/server.ts:41",
      "web node TypeError src/server.ts:41",
      "worker python KeyError: worker.py:12",
    ],
  );
  assert.equal(new Set(groups.map((group) => group.fingerprint)).size, 2);
});

Deno.test("digestErrors() ends an error where another one begins", async () => {
  const groups = await digestTexts(
    ...KEY_ERROR,
    ...KEY_ERROR,
    ...TYPE_ERROR,
    ...TYPE_ERROR,
    ...KEY_ERROR,
  );
  assert.deepEqual(
    groups.map(({ kind, count }) => [kind, count]),
    [["python", 3], ["node", 2]],
  );
});

Deno.test("digestErrors() does not take what comes much later for a part of an error", async () => {
  const groups = await digest([
    ...stamped(TYPE_ERROR.slice(0, 2)),
    ...stamped(TYPE_ERROR.slice(2), { fromMs: Date.UTC(2026, 10, 20, 11) }),
  ]);
  assert.equal(groups.length, 1);
  assert.deepEqual(groups[0]!.sample, TYPE_ERROR.slice(0, 2));
});

Deno.test("digestErrors() tells the newest first", async () => {
  const groups = await digestTexts(
    "ERROR: one",
    "ERROR: two",
    "ERROR: one",
  );
  assert.deepEqual(
    groups.map(({ message, count }) => [message, count]),
    [["ERROR: one", 2], ["ERROR: two", 1]],
  );
  assert.ok(groups[0]!.first < groups[1]!.first);
  assert.ok(groups[0]!.last > groups[1]!.last);
});

Deno.test("digestErrors() finds nothing in ordinary output", async () => {
  assert.deepEqual(
    await digestTexts(
      "Found 0 errors. Watching for file changes.",
      "[10:00:00 AM] Found 3 errors. Watching for file changes.",
      "webpack 5.99.0 compiled with 2 errors in 120 ms",
      "compiled successfully, no errors",
      "✓ 12 passed, 0 failed, 0 errors",
      '127.0.0.1 - - [20/Nov/2026:10:00:00 +0000] "GET /error HTTP/1.1" 500 12',
      " GET /api/errors 500 in 12ms",
      "  VITE v7.1.0  ready in 312 ms",
      "10:00:00 AM [vite] (client) hmr update /src/ErrorBoundary.tsx, /src/error.css",
      "info: registered ErrorHandler and FailureDetector",
      'level=info msg="error budget is fine" errors=0',
      '{"level":30,"msg":"error_page served","err":null}',
      "[INFO] error handling is set up",
      "(node:12) ExperimentalWarning: The fs.promises API is experimental",
      "    at emitWarning (node:internal/process/warning:12:3)",
      "Trace: here",
      "    at main (/work/shop/src/server.ts:1:1)",
      "DeprecationWarning: error.toString is deprecated",
      "warning: unused variable: `error`",
      " --> src/main.rs:3:9",
      "  |",
      "3 |     let error = 1;",
      "PHP Warning:  Undefined variable $error in /work/shop/a.php on line 3",
      "test error_is_told ... ok",
      "   at the end of the day (nothing:1:2)",
      "Node.js v22.1.0",
    ),
    [],
  );
});

Deno.test("digestErrors() lets what failed in consequence not hide the cause", async () => {
  const lifecycle = [
    "npm error Lifecycle script `dev` failed with error:",
    "npm error code 1",
    "npm error path /work/shop",
    "npm error workspace shop@1.0.0",
    "npm error command failed",
    "npm error command sh -c node server.js",
  ];
  const known = await digestTexts(...TYPE_ERROR, "", ...lifecycle);
  assert.deepEqual(known.map(({ kind }) => kind), ["node"]);
  const alone = await digestTexts(...lifecycle);
  assert.deepEqual(alone.map(({ kind, count }) => [kind, count]), [["npm", 1]]);
  const own = await digestTexts(
    "npm error code ENOENT",
    "npm error syscall open",
    "npm error enoent Could not read package.json: no such file",
  );
  assert.equal(
    own[0]!.message,
    "enoent Could not read package.json: no such file",
  );
});

Deno.test("digestErrors() reads the stack in a structured line", async () => {
  const stack = TYPE_ERROR.join("\n");
  const [group, ...others] = await digestTexts(
    JSON.stringify({ level: 50, msg: "request failed", err: { stack } }),
    JSON.stringify({ level: "error", message: "request failed", stack }),
  );
  assert.deepEqual(others, []);
  assert.equal(group!.count, 2);
  assert.equal(group!.message, TYPE_ERROR[0]);
  assert.equal(group!.frame?.file, "src/server.ts");
  assert.equal(group!.sample[0], "request failed");
  const [java] = await digestTexts(JSON.stringify({
    level: "ERROR",
    message: "order failed",
    stack_trace: "com.acme.OrderException: no stock\n" +
      "\tat com.acme.Orders.show(Orders.java:41)\n",
  }));
  assert.equal(java!.kind, "java");
  assert.equal(java!.frame?.line, 41);
  const [plain] = await digestTexts(
    '{"severity":"ERROR","msg":"cannot reach db","error":"timeout after 3s"}',
  );
  assert.equal(plain!.message, "cannot reach db: timeout after 3s");
  const [logfmt] = await digestTexts(
    'time=2026-11-20T10:00:00Z level=error msg="cannot reach db" err="timeout"',
  );
  assert.equal(logfmt!.message, "cannot reach db: timeout");
});

Deno.test("digestErrors() keeps a bounded sample of an endless error", async () => {
  const frames = Array.from(
    { length: 20_000 },
    (_, index) =>
      `    at deeper${index} (/work/shop/src/deep.ts:${index + 1}:1)`,
  );
  const groups = await digestTexts(
    "RangeError: Maximum call stack size exceeded",
    ...frames,
    "ERROR: after it",
  );
  const group = groups.at(-1)!;
  assert.equal(group.message, "RangeError: Maximum call stack size exceeded");
  assert.ok(groups.every(({ sample }) => sample.length <= 12));
  assert.equal(group.frame?.function, "deeper0");
  assert.equal(groups[0]!.message, "ERROR: after it");
});

Deno.test("digestErrors() keeps the newest thousand groups and counts the others", async () => {
  const words = (index: number) =>
    [...String(index)].map((digit) => "abcdefghij"[Number(digit)]).join("");
  const { groups, omittedGroups } = await digestErrors(
    stamped(
      Array.from({ length: 1500 }, (_, index) => `ERROR: no ${words(index)}`),
    ),
    { root: ROOT },
  );
  assert.equal(groups.length, 1000);
  assert.equal(omittedGroups, 500);
  assert.equal(groups[0]!.message, `ERROR: no ${words(1499)}`);
});

Deno.test("digestErrors() stops when its signal aborts", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(
    digestErrors(stamped(["x"]), { root: ROOT, signal }),
    /enough/,
  );
});

/** Pieces of what tools print, put together at random. */
const PIECES = [
  ...TYPE_ERROR,
  ...KEY_ERROR,
  "error: Uncaught (in promise) Error: x {",
  "  [cause]: Error: y",
  "}",
  "panic: boom",
  "goroutine 1 [running]:",
  "main.main()",
  "\t/work/shop/main.go:3 +0x1d",
  "thread 'main' panicked at src/main.rs:4:5:",
  "stack backtrace:",
  "error[E0425]: cannot find value",
  " --> src/main.rs:2:5",
  "⨯ ./app/page.tsx:3:1",
  "✘ [ERROR] no",
  "[vite] Internal server error: x",
  "src/a.ts(1,2): error TS2322: no",
  "PHP Fatal error:  Uncaught Exception: x in /a.php:3",
  "#0 {main}",
  "a.rb:3:in `f': x (RuntimeError)",
  "\tfrom a.rb:4:in `<main>'",
  "________ test_x ________",
  "E   assert 1 == 2",
  "npm error code 1",
  'Exception in thread "main" java.lang.Error: x',
  "\tat a.B.c(B.java:3)",
  "",
  "   ",
];

Deno.test("digestErrors() takes whatever comes, and every group is whole", async () => {
  const text = fc.oneof(
    fc.constantFrom(...PIECES),
    fc.string(),
    fc.tuple(fc.constantFrom(...PIECES), fc.string()).map((pair) =>
      pair.join("")
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 60 }), async (texts) => {
      const groups = await digestTexts(...texts);
      for (const group of groups) {
        assert.ok(group.count >= 1);
        assert.ok(group.count <= texts.length);
        assert.ok(group.first <= group.last);
        assert.ok(group.sample.length <= 12);
        assert.ok(!group.message.includes("\n"));
        assert.notEqual(group.task, "");
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("digestErrors() needs no more than milliseconds for a line made to be slow", async () => {
  const hostile = [
    "    at ",
    "    at x (",
    "ERROR: ",
    "[vite] error ",
    "a.a.",
    "Error: ",
    "(((",
    "1 1 ",
    "a.rb:1: (",
    "src/a.ts:1:1 - ",
    'File "',
    "0123456789abcdef",
    "'/",
    "A",
  ].flatMap((piece) => {
    const long = piece.repeat(Math.ceil(100_000 / piece.length));
    return [long, `error ${long}`, `    at ${long}`, `${long}) {`];
  });
  const start = performance.now();
  await digestTexts(...hostile, ...hostile);
  const ms = (performance.now() - start) / (2 * hostile.length);
  assert.ok(ms < 100, `${ms} ms for each line`);
});

Deno.test("digestErrors() does not try a long word of PHP's at each of its letters", async () => {
  const lines = Array.from(
    { length: 20 },
    () => `PHP Fatal error: ${"FAIL".repeat(1_000)}`,
  );
  await digestTexts(...lines);
  const start = performance.now();
  await digestTexts(...lines);
  const ms = (performance.now() - start) / lines.length;
  assert.ok(ms < 10, `${ms} ms for each line`);
});
