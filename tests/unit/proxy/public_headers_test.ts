import assert from "node:assert/strict";
import {
  answerFields,
  answerHeadText,
  forwardedFields,
  requestFields,
  visitorOf,
  withOwnOrigin,
} from "../../../src/proxy/public_headers.ts";

const NAMES = {
  publicUrl: "https://shop.example.com",
  authority: "api.shop.localhost:8443",
};

function answered(name: string, value: string, names = NAMES): string | null {
  const fields = answerFields([name, value], { names, isGuarded: false });
  return fields[0] === name ? fields[1] ?? null : null;
}

Deno.test("the visitor is the last hop that is told, or whom Cloudflare tells of", () => {
  const cases: readonly (readonly [readonly string[], string | null])[] = [
    [[], null],
    [["X-Forwarded-For", "203.0.113.7"], "203.0.113.7"],
    [["x-forwarded-for", "1.1.1.1, 2.2.2.2 "], "2.2.2.2"],
    [["X-Forwarded-For", "1.1.1.1", "X-Forwarded-For", "2.2.2.2"], "2.2.2.2"],
    [["X-Forwarded-For", "2001:DB8::1"], "2001:db8::1"],
    // A visitor can send the one through providers that do not know it.
    [["CF-Connecting-IP", "9.9.9.9", "X-Forwarded-For", "2.2.2.2"], "2.2.2.2"],
    [["CF-Connecting-IP", "9.9.9.9"], "9.9.9.9"],
    [["X-Forwarded-For", "203.0.113.7:4711"], "203.0.113.7"],
    [["X-Forwarded-For", "[2001:db8::1]:4711"], "2001:db8::1"],
    [["X-Forwarded-For", "::FFFF:203.0.113.7"], "203.0.113.7"],
    [["X-Forwarded-For", "<script>"], null],
    [["X-Forwarded-For", `1.1.1.1, ${"1".repeat(60)}`], null],
  ];
  for (const [raw, visitor] of cases) assert.equal(visitorOf(raw), visitor);
});

Deno.test("fields by which a visitor could be another do not pass, however they are written", () => {
  const raw = [
    ...["X-FORWARDED-HOST", "a", "X_Forwarded_User", "a", "Forwarded", "for=a"],
    ...["x-real_ip", "1.1.1.1", "Proxy", "http://a", "X-Original-URL", "/a"],
    ...["True-Client-IP", "2.2.2.2", "X-Request-Id", "a", "Cookie", "a=1"],
  ];
  assert.deepEqual(requestFields(raw, { visitor: "2.2.2.2" }), [
    ...["True-Client-IP", "2.2.2.2", "X-Request-Id", "a", "Cookie", "a=1"],
  ]);
});

Deno.test("what a task is told has one form with and without an address and a public name", () => {
  assert.deepEqual(forwardedFields(NAMES, "2001:db8::1"), [
    ...["X-Forwarded-For", "2001:db8::1", "X-Forwarded-Proto", "https"],
    ...["X-Forwarded-Host", "shop.example.com", "X-Forwarded-Port", "443"],
    "Forwarded",
    'for="[2001:db8::1]";host="shop.example.com";proto=https',
  ]);
  const odd = { ...NAMES, publicUrl: "https://shop.example.com:10000" };
  assert.deepEqual(forwardedFields(odd, null), [
    ...["X-Forwarded-Proto", "https", "X-Forwarded-Host"],
    ...["shop.example.com:10000", "X-Forwarded-Port", "10000", "Forwarded"],
    'for=unknown;host="shop.example.com:10000";proto=https',
  ]);
  const unnamed = forwardedFields({ ...NAMES, publicUrl: null }, null);
  assert.equal(unnamed[3], NAMES.authority);
});

Deno.test("only the public origin becomes the task's own, with the scheme it has on this machine", () => {
  const origin = (value: string, authority = NAMES.authority) =>
    withOwnOrigin(["Origin", value], { ...NAMES, authority })[1];
  assert.equal(
    origin("https://shop.example.com"),
    "https://api.shop.localhost:8443",
  );
  assert.equal(
    origin("https://SHOP.example.com", "localhost:5173"),
    "http://localhost:5173",
  );
  for (
    const other of [
      "https://shop.example.com.evil.example",
      "http://shop.example.com",
      "null",
    ]
  ) {
    assert.equal(origin(other), other);
  }
});

Deno.test("an address that names the task names the public site, and no other does", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["https://api.shop.localhost:8443/a?b#c", "https://shop.example.com/a?b#c"],
    ["http://API.shop.localhost:8443", "https://shop.example.com"],
    ["//api.shop.localhost:8443?x", "https://shop.example.com?x"],
    ["/relative", "/relative"],
    ["https://api.shop.localhost:84430/", "https://api.shop.localhost:84430/"],
    ["https://api.shop.localhost/", "https://api.shop.localhost/"],
    [
      "https://user@api.shop.localhost:8443/",
      "https://user@api.shop.localhost:8443/",
    ],
    [
      "https://elsewhere.example/?u=https://api.shop.localhost:8443/",
      "https://elsewhere.example/?u=https://api.shop.localhost:8443/",
    ],
    ["ftp://api.shop.localhost:8443/", "ftp://api.shop.localhost:8443/"],
  ];
  for (const [value, changed] of cases) {
    assert.equal(answered("Location", value), changed);
  }
  const usual = { ...NAMES, authority: "api.shop.localhost" };
  assert.equal(
    answered("Location", "https://api.shop.localhost:443/a", usual),
    "https://shop.example.com/a",
  );
  const unknown = { ...NAMES, publicUrl: null } as unknown as typeof NAMES;
  const [[own = ""] = []] = cases;
  assert.equal(answered("Location", own, unknown), own);
  assert.equal(answered("Refresh", "3", NAMES), "3");
  assert.equal(
    answered("Refresh", "0;URL='https://api.shop.localhost:8443/a'"),
    "0;URL='https://shop.example.com/a'",
  );
});

Deno.test("cookies lose domains of this machine alone, and none takes the name of ours", () => {
  const cookie = (value: string) => answered("Set-Cookie", value);
  assert.equal(cookie("a=1; domain=api.shop.localhost"), "a=1");
  assert.equal(cookie("a=1; Domain=localhost; Secure"), "a=1; Secure");
  assert.equal(cookie("a=1; Domain=op.localhost"), "a=1; Domain=op.localhost");
  assert.equal(
    cookie("a=Domain=localhost; Path=/"),
    "a=Domain=localhost; Path=/",
  );
  assert.equal(cookie("__Host-taskmux=x; Path=/"), null);
});

Deno.test("behind a guard no cache between keeps an answer", () => {
  const guarded = (...raw: string[]) =>
    answerFields(raw, { names: NAMES, isGuarded: true });
  const ours = ["CDN-Cache-Control", "no-store", "X-Robots-Tag", "noindex"];
  assert.deepEqual(guarded(), ["Cache-Control", "private", ...ours]);
  assert.deepEqual(
    guarded(
      "Cache-Control",
      "PUBLIC, s-maxage=9, max-age=1",
      "cache-control",
      "immutable",
      "Surrogate-Control",
      "x",
    ),
    ["Cache-Control", "private, max-age=1, immutable", ...ours],
  );
  assert.deepEqual(
    guarded("Cache-Control", 'private="set-cookie", no-store'),
    ["Cache-Control", "private, no-store", ...ours],
  );
});

Deno.test("the head of an upgrade is changed as other answers are", () => {
  const options = { names: NAMES, isGuarded: false };
  assert.equal(
    answerHeadText(
      "HTTP/1.1 302 Found\r\nlocation:https://api.shop.localhost:8443/a\r\nX: caf\xe9\r\nConnection: close\r\n\r\n",
      options,
    ),
    "HTTP/1.1 302 Found\r\nlocation: https://shop.example.com/a\r\nX: caf\xe9\r\nConnection: close\r\n" +
      "CDN-Cache-Control: no-store\r\nX-Robots-Tag: noindex\r\n\r\n",
  );
});
