import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type GateRequest,
  loggedPath,
  parseRequestLine,
  requestLine,
} from "../../../src/domain/request_line.ts";

const AT = 1_790_000_000_000;

const REQUEST: GateRequest = {
  at: AT,
  method: "GET",
  path: "/cart?page=2",
  status: 200,
  verdict: "passed",
  durationMs: 12.4,
  visitor: "203.0.113.7",
  userAgent: "Mozilla/5.0 (X11; Linux x86_64)",
};

Deno.test("a request is one line, and can be read again", () => {
  const line = requestLine(REQUEST);
  assert.equal(
    line,
    "GET /cart?page=2 200 passed 12ms 203.0.113.7 Mozilla/5.0 (X11; Linux x86_64)",
  );
  assert.deepEqual(parseRequestLine(line, AT), { ...REQUEST, durationMs: 12 });
  const unknown = { ...REQUEST, visitor: null, userAgent: null };
  const short = requestLine(unknown);
  assert.equal(short, "GET /cart?page=2 200 passed 12ms - -");
  assert.deepEqual(parseRequestLine(short, AT), { ...unknown, durationMs: 12 });
  assert.equal(parseRequestLine("listening on port 3000", AT), null);
});

Deno.test("whatever a visitor sends, it stays one visible line with every part in its place", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 3_000 }),
    fc.constantFrom(
      "-",
      " ",
      "a\nGET / 200 passed 1ms - x",
      "\x1b[2J",
      "\u202e",
      "\ud800",
    ),
  );
  fc.assert(
    fc.property(text, text, text, text, (method, path, visitor, userAgent) => {
      const line = requestLine({
        ...REQUEST,
        method,
        path,
        visitor,
        userAgent,
      });
      assert.match(line, /^[ -~…]+$/);
      assert.ok(line.length < 1_500);
      const read = parseRequestLine(line, AT);
      assert.equal(read?.status, 200);
      assert.equal(read?.verdict, "passed");
      assert.equal(read?.durationMs, 12);
      assert.equal(requestLine(read ?? REQUEST), line);
    }),
  );
});

Deno.test("a path is kept without what would let others in", () => {
  const token = "s".repeat(43);
  const cases: readonly (readonly [string, string])[] = [
    ["/a?b=c&d", "/a?b=c&d"],
    [`/.taskmux/link/${token}`, "/.taskmux/link/***"],
    [
      `/.taskmux/link/${token}/x?token=${token}`,
      "/.taskmux/link/***?token=***",
    ],
    ["/cb?code=1&state=2&next=/x", "/cb?code=***&state=***&next=/x"],
    [
      "/?access_token=1&apiKey=2&client%5Fsecret=3&page=4",
      "/?access_token=***&apiKey=***&client%5Fsecret=***&page=4",
    ],
    ["/?%zz=1&sig=2", "/?%zz=1&sig=***"],
    ["/?password=a=b&x", "/?password=***&x"],
  ];
  for (const [path, kept] of cases) assert.equal(loggedPath(path), kept);
  assert.equal(loggedPath(`/?${"a".repeat(5_000)}`).length, 1_000);
});
