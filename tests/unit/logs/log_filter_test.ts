import assert from "node:assert/strict";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { isContinuation } from "../../../src/logs/continuation.ts";
import { compileFilter } from "../../../src/logs/log_filter.ts";

const ALL = { grep: null, level: null, fields: [] };

function hasFields(text: string, ...fields: string[]): boolean {
  const filter = compileFilter({ ...ALL, fields });
  assert(filter !== null);
  const passes = filter.test(text);
  // What is skipped by a search through many lines must not be wanted.
  if (passes) assert(filter.find === null || filter.find(text, 0) !== -1, text);
  return passes;
}

Deno.test("a field of a JSON line is found by its value", () => {
  const line = JSON.stringify({
    level: "error",
    status: 500,
    ratio: 0.5,
    ok: false,
    user: null,
    path: "/a b",
    tags: ["x", "db"],
    http: { method: "GET", "status.code": 404 },
    "log.level": "warn",
  });
  const found = [
    "level=error",
    "status=500",
    "status=500.0",
    "ratio=0.5",
    "ok=false",
    "user=null",
    "path=/a b",
    "tags=db",
    "http.method=GET",
    "http.status.code=404",
    "log.level=warn",
  ];
  for (const field of found) assert(hasFields(line, field), field);
  const missed = [
    "level=err",
    "Level=error",
    "status=50",
    "status=",
    "http=GET",
    "http.method.x=GET",
    "toString=x",
    "none=null",
    "tags=x,db",
  ];
  for (const field of missed) assert(!hasFields(line, field), field);
  assert(hasFields(`api | ${line}`, "status=500"), "after a prefix");
  assert(hasFields('{"msg":"caf\\u00e9"}', "msg=café"), "escaped");
  assert(hasFields('{"url":"a\\/b"}', "url=a/b"), "escaped");
  assert(!hasFields('{"msg":"status=500"}', "status=500"), "text of a string");
});

Deno.test("a field of a logfmt line is found by its value", () => {
  const line =
    'time=2026-11-20T10:00:00Z level=error msg="say \\"hi\\" a=b" status=500 empty= http.code=3';
  const found = [
    "level=error",
    "status=500",
    'msg=say "hi" a=b',
    "empty=",
    "http.code=3",
  ];
  for (const field of found) assert(hasFields(line, field), field);
  for (const field of ["a=b", "level=err", "code=3", "status=5"]) {
    assert(!hasFields(line, field), field);
  }
  assert(!hasFields("GET /x?status=500", "status=500"), "a query");
});

Deno.test("everything that is asked for must hold", () => {
  const filter = compileFilter({
    grep: "boom",
    level: "error",
    fields: ["user=7", "zone=eu"],
  });
  assert(filter !== null);
  const of = (fields: object): boolean => filter.test(JSON.stringify(fields));
  const all = { level: "fatal", msg: "boom", user: 7, zone: "eu" };
  assert(of(all));
  assert(!of({ ...all, msg: "x" }));
  assert(!of({ ...all, level: "warn" }));
  assert(!of({ ...all, user: 8 }));
  assert(!of({ ...all, zone: "us" }));
  assert.equal(compileFilter(ALL), null);
  assert.equal(compileFilter({ ...ALL, grep: "" }), null);
});

Deno.test("a filter that means nothing is E500 with a way on", () => {
  for (
    const wrong of [{ level: "loud" }, { fields: ["x"] }, { fields: ["=x"] }]
  ) {
    assert.throws(
      () => compileFilter({ ...ALL, ...wrong }),
      (error) =>
        error instanceof TaskmuxError && error.code === "E500" &&
        error.hint !== undefined,
    );
  }
  assert(compileFilter({ ...ALL, level: "ERROR" })?.test("error: x"));
});

Deno.test("what goes on with an error is told from what comes next", () => {
  const on = [
    "    at Object.<anonymous> (/app/a.js:3:7)",
    "at com.example.App.main(App.java:3)",
    "Caused by: java.net.ConnectException: refused",
    "... 23 more",
    '  File "/app/a.py", line 3, in <module>',
    "}",
    "^",
    "goroutine 1 [running]:",
    "main.main()",
    "main.(*T).run(0x1, {0x2, 0x3})",
    "\t/app/main.go:5 +0x1d",
    "exit status 2",
    "#0 /app/a.php(3): foo()",
    "5 |     let x: u8 = 300;",
    "--> src/main.rs:2:5",
    "  code: 'ENOENT',",
  ];
  for (const line of on) assert(isContinuation(line), line);
  const next = [
    "",
    "listening on 3000",
    "GET / 200",
    "Error: again",
    '{"level":30}',
    "done.",
  ];
  for (const line of next) assert(!isContinuation(line), line);
  const filter = compileFilter({ ...ALL, level: "error" });
  assert(filter?.continues?.("    at x (y.js:1:1)"));
  assert(filter?.continues?.("Caused by: java.lang.Error: x"));
  assert(!filter?.continues?.("  WARN something else"));
});
