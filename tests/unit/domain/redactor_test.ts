import assert from "node:assert/strict";
import { Redactor } from "../../../src/domain/redactor.ts";

const PURE = { permissions: "none" } as const;

const JWT =
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g";
const KEY_LINE =
  "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

/** What looks like a secret, whoever's it is. */
const SHAPES: readonly (readonly [text: string, safe: string])[] = [
  ["Authorization: Bearer abc.def done", "Authorization: Bearer *** done"],
  ["authorization: token abc123", "authorization: token ***"],
  ['"Authorization": "Basic dXNlcjpwYXNz",', '"Authorization": "Basic ***",'],
  ["-H 'authorization: s3cret' url", "-H 'authorization: ***' url"],
  ["sent Basic dXNlcjpwYXNz, ok", "sent Basic ***, ok"],
  ["Bearer abcdefgh1", "Bearer ***"],
  ["Bearer%20abcdefgh1&x=1", "Bearer%20***&x=1"],
  ["GET /?access_token=abc&page=2", "GET /?access_token=***&page=2"],
  [
    "GET /?next=x%3Faccess_token%3Dabc123&y",
    "GET /?next=x%3Faccess_token%3D***&y",
  ],
  ["DB_PASSWORD=a,b;c next", "DB_PASSWORD=*** next"],
  ["PGPASSWORD='a b' psql", "PGPASSWORD='***' psql"],
  ['{"api_key":"abc","n":1}', '{"api_key":"***","n":1}'],
  ['{"password": "a\\"b", "n": 1}', '{"password": "***", "n": 1}'],
  [
    '"{\\"secret\\":\\"a\\\\\\"b\\",\\"n\\":1}"',
    '"{\\"secret\\":\\"***\\",\\"n\\":1}"',
  ],
  ["{ clientSecret: 'abc' }", "{ clientSecret: '***' }"],
  ["password: hunter2", "password: ***"],
  ["api_key = 'abc'", "api_key = '***'"],
  ["'password' => 'abc'", "'password' => '***'"],
  ["psql --password abc -h db", "psql --password *** -h db"],
  ["run --api-key=abc x", "run --api-key=*** x"],
  ["taskmux tunnel up web --auth basic", "taskmux tunnel up web --auth basic"],
  [
    "tunnel up TASK [--auth open|basic|link] [--user NAME]",
    "tunnel up TASK [--auth open|basic|link] [--user NAME]",
  ],
  ["up --auth=link --expires 2h", "up --auth=link --expires 2h"],
  ["login --auth hunter22", "login --auth ***"],
  ['run --token "a b" x', 'run --token "***" x'],
  ["curl -sS -u bob:hunter2 http://h/", "curl -sS -u bob:*** http://h/"],
  ["curl --user 'bob:h 2' http://h/", "curl --user 'bob:***' http://h/"],
  ["X-Api-Key: 3f3f3f", "X-Api-Key: ***"],
  [`jwt ${JWT} end`, "jwt *** end"],
  ["postgres://shop:pass@db:5432/shop", "postgres://shop:***@db:5432/shop"],
  ["redis://:pass@cache/0", "redis://:***@cache/0"],
  ["amqp://u:p/w@host/v", "amqp://u:***@host/v"],
  ["https://0123456789abcdef0@github.com/x", "https://***@github.com/x"],
  [
    `clone https://ghp_${"a".repeat(36)}@github.com/x`,
    "clone https://***@github.com/x",
  ],
  [`ghp_${"a1".repeat(18)}!`, "***!"],
  [`gho_${"a1".repeat(18)}`, "***"],
  [`github_pat_${"a1_".repeat(20)}`, "***"],
  ["glpat-aB3dE6gH9jK2mN5pQ8sT", "***"],
  ["xoxb-123456789012-abcdefABCDEF", "***"],
  ["id AKIAIOSFODNN7EXAMPLE.", "id ***."],
  [`AIza${"Sy0-_".repeat(7)}`, "***"],
  ["key sk-proj-abcDEF0123456789xyz", "key ***"],
  ["sk-ant-api03-abcDEF-0123456789", "***"],
  [`npm_${"aB3".repeat(12)}`, "***"],
  ["sk_live_abcDEF0123456789", "***"],
  ["rk_live_abcDEF0123456789", "***"],
  [`hf_${"aBcD".repeat(8)}`, "***"],
  [`"a\\nghp_${"a1".repeat(18)}\\n"`, '"a\\n***\\n"'],
  ['"x\\napi_key=abc\\nb"', '"x\\napi_key=***\\nb"'],
  ["AccountKey=abc==;EndpointSuffix=x", "AccountKey=***;EndpointSuffix=x"],
  [
    `-----BEGIN PRIVATE KEY-----\\n${KEY_LINE}\\n-----END PRIVATE KEY-----\\n`,
    "-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----\\n",
  ],
];

for (const [text, safe] of SHAPES) {
  Deno.test(`a secret is known by its looks: ${text}`, PURE, () => {
    const redactor = new Redactor();
    assert.equal(redactor.text(text), safe);
    assert.equal(redactor.text(safe), safe, "again");
  });
}

/** What only sounds like one. */
const HARMLESS = [
  "Bearer token is missing",
  "Basic TypeScript",
  "basic authentication failed",
  "auth failed: missing",
  "SyntaxError: Unexpected token: }",
  "Invalid token: missing",
  "const token = req.headers.get('x')",
  "token == null",
  "token::new()",
  "password: string",
  "password = ",
  "password=$DB_PASSWORD psql",
  "token=${TOKEN:-none}",
  "password=***",
  '"token": null, "password": 12345',
  "max_tokens: 400, tokens=12",
  "author: Bob, key: value",
  "KEYBOARD=us MONKEY=2",
  "docker run -u 1000:1000 app",
  "task-1 disk-2 risk-free-investment-of-money",
  "npm_config_registry=http://localhost:4873",
  "http://localhost:3000/@vite/client",
  "http://h:80/@x mail a@b.c",
  "sha 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
  "--password-file /run/secrets/db",
  "secret: [object Object]",
  "at Object.<anonymous> (/app/auth.ts:10:3)",
  "eyJ is how it begins, eyJabc.",
];

for (const text of HARMLESS) {
  Deno.test(`no secret is seen in: ${text}`, PURE, () => {
    assert.equal(new Redactor().text(text), text);
  });
}

const VALUE = 'p/w "ü<&> 100%';

Deno.test("a known value is found in every way of writing it", PURE, () => {
  const redactor = new Redactor([VALUE, "plain-value"]);
  const json = JSON.stringify(VALUE);
  const written = [
    VALUE,
    json.slice(1, -1),
    JSON.stringify(json.slice(1, -1)).slice(1, -1),
    json.slice(1, -1).replaceAll("/", "\\/"),
    json.slice(1, -1).replace("ü", "\\u00fc"),
    json.slice(1, -1).replace(
      /[<>&]/g,
      (c) => `\\u00${c.charCodeAt(0).toString(16)}`,
    ),
    encodeURIComponent(VALUE),
    encodeURIComponent(VALUE).replace(/%../g, (code) => code.toLowerCase()),
    new URLSearchParams({ q: VALUE }).toString().slice(2),
    new TextEncoder().encode(VALUE).toBase64(),
    new TextEncoder().encode(`${VALUE}\n`).toBase64(),
    new TextEncoder().encode(VALUE).toBase64({ alphabet: "base64url" }),
  ];
  for (const text of written) {
    assert.equal(redactor.text(`x ${text} y`), "x *** y", text);
  }
  assert.equal(redactor.text("aplain-valueb"), "a***b");
});

Deno.test("overlapping values leave nothing", PURE, () => {
  const redactor = new Redactor(["abcdef123", "123xyz789", "abcabcabc"]);
  assert.equal(redactor.text("<abcdef123xyz789>"), "<***>");
  assert.equal(redactor.text("<abcabcabcabc>"), "<***>");
});

Deno.test("of many values the longest are looked for", PURE, () => {
  const values = Array.from({ length: 700 }, (_, n) => `value-${n}`);
  const long = "a much longer value than those";
  const redactor = new Redactor([...values, long]);
  assert.equal(redactor.text(`${long} value-100`), "*** ***");
});

Deno.test("a mask is never longer than what it hides", PURE, () => {
  const redactor = new Redactor();
  assert.equal(redactor.text("password=a"), "password=*");
  assert.equal(redactor.text("password=ab"), "password=**");
});

Deno.test(
  "a secret with colours and control characters in it is found",
  PURE,
  () => {
    const redactor = new Redactor(["hunter2-value"]);
    assert.equal(
      redactor.text("<hun\x1b[31mter2-val\x1b[0mue>"),
      "<***\x1b[31m\x1b[0m>",
    );
    assert.equal(redactor.text("hunter2\x08\x00-value"), "***");
    assert.equal(redactor.text("hunter2\r-value"), "***");
    assert.equal(redactor.text("hun\x9b31mter2-value"), "***");
    assert.equal(
      redactor.text("\x1b[1mtoken\x1b[0m=abc"),
      "\x1b[1mtoken\x1b[0m=***",
    );
    // In what is not shown it is there all the same.
    assert.equal(redactor.text("\x1b]0;hunter2-value\x07x"), "\x1b]0;***\x07x");
    assert.equal(redactor.text("\x1b[32mready\x1b[0m"), "\x1b[32mready\x1b[0m");
  },
);

Deno.test(
  "a private key over several lines is hidden, what is around it is not",
  PURE,
  () => {
    const stamp = "2026-11-20T10:00:00.000 ";
    const lines = [
      "before",
      "-----BEGIN RSA PRIVATE KEY-----",
      KEY_LINE,
      "interleaved: request took 12ms here",
      `app | ${KEY_LINE}`,
      "abCd12==",
      "-----END RSA PRIVATE KEY-----",
      "after it",
    ];
    const safe = [
      "before",
      "-----BEGIN RSA PRIVATE KEY-----",
      "***",
      "interleaved: request took 12ms here",
      "app | ***",
      "***",
      "-----END RSA PRIVATE KEY-----",
      "after it",
    ];
    const redactor = new Redactor();
    assert.deepEqual(redactor.text(lines.join("\n")), safe.join("\n"));
    const each = redactor.lines();
    assert.deepEqual(
      lines.map((line) => each.line(stamp + line)),
      safe.map((line) => stamp + line),
    );
  },
);

Deno.test("a private key that began before the page is hidden", PURE, () => {
  const redactor = new Redactor();
  const before = ["GET /usr/local/lib/node/modules", "ready", "done 12"];
  const end = "-----END PRIVATE KEY-----";
  assert.equal(
    redactor.text([...before, KEY_LINE, "abCd12==", end, "word"].join("\n")),
    [...before, "***", "***", end, "word"].join("\n"),
  );
  // Neither its beginning nor its end is in sight.
  const lines = redactor.lines();
  assert.deepEqual(
    [KEY_LINE, KEY_LINE, "abCd12==", "and then text"].map((line) =>
      lines.line(line)
    ),
    ["***", "***", "***", "and then text"],
  );
});

Deno.test(
  "a private key that is cut off does not hide everything after it",
  PURE,
  () => {
    const lines = new Redactor().lines();
    lines.line("-----BEGIN PRIVATE KEY-----");
    for (let n = 0; n < 400; n++) lines.line(KEY_LINE);
    assert.equal(lines.line("a word"), "a word");
  },
);
