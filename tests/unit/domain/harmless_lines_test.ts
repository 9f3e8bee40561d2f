import assert from "node:assert/strict";
import fc from "fast-check";
import { RecordRedactor } from "../../../src/domain/record_redactor.ts";
import { Redactor } from "../../../src/domain/redactor.ts";

const KEY_LINE =
  "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

const STAMP = "2026-11-20T10:00:00.000";

const piece = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[a-z ]{0,12}$/) },
  fc.stringMatching(/^[A-Za-z0-9+/=_.-]{10,70}$/),
  fc.constantFrom(
    ...[" ", "\t", "token=", "Token: ", "TOKEN ", "secret=", "passwd=x1y2z3"],
    ...["PWD=a1b2c3", "api_key=", '"key":"v4lue"', "Authorization: x1 y2"],
    ...["SENTRY_DSN=https://a1:b2@c", "Bearer abcdefgh1", "Basic dTpwdw=="],
    ...["credential=q1w2e3", "curl -u a:b1c2", "curl --user=a:b1c2"],
    ...["eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "ghp_", "glpat-", "hvs.", "SG."],
    ...["ya29.", "r8_", "sk-", "AKIA", "AIza", "https://u:p@h", "hunter2"],
    ...[KEY_LINE, "dGhlIHF1aWNrIGJyb3duIDF=", "a1B2c3D4e5F6g7H8==  "],
    ...["-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"],
  ),
);

const line = fc.tuple(fc.boolean(), fc.array(piece, { maxLength: 6 }))
  .map(([isStamped, parts]) => (isStamped ? `${STAMP} ` : "") + parts.join(""));

Deno.test("lines that are said to be harmless stay as they are", () => {
  let harmless = 0;
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), (lines) => {
      const redactor = new Redactor(["hunter2-and-more"]);
      const text = lines.join("\n");
      if (!redactor.lines().areHarmless(text)) return;
      harmless++;
      const own = redactor.lines();
      for (const each of lines) assert.equal(own.line(each), each, text);
      const bare = redactor.lines();
      for (const each of lines) {
        const said = each.startsWith(STAMP)
          ? each.slice(STAMP.length + 1)
          : each;
        assert.equal(bare.line(said), said, text);
      }
    }),
    { numRuns: 10_000 },
  );
  assert(harmless > 200, `only ${harmless} were`);
});

Deno.test("records that come together are redacted as one after the other", () => {
  let changed = 0;
  const lines = fc.array(
    fc.tuple(fc.constantFrom("api", "web"), line, fc.nat({ max: 120 })),
    { minLength: 1, maxLength: 12 },
  );
  fc.assert(
    fc.property(lines, (blocks) => {
      const redactor = new Redactor(["hunter2-and-more"]);
      const records = blocks.flatMap(([task, text, count]) => [
        ...Array.from({ length: count }, (_, n) => ({ task, text: `ok ${n}` })),
        { task, text },
      ]);
      const single = new RecordRedactor(redactor);
      for (const [task, own] of Map.groupBy(records, ({ task }) => task)) {
        single.of(task).expect(own.map(({ text }) => text));
      }
      const safe = new RecordRedactor(redactor).lines(records);
      assert.deepEqual(safe, records.map((each) => single.line(each)));
      if (safe !== records) changed++;
    }),
    { numRuns: 500 },
  );
  assert(changed > 50, `only ${changed} were`);
});

Deno.test("ordinary output is harmless, a line of a key in it is not", () => {
  const ordinary = Array.from(
    { length: 500 },
    (_, n) => `${STAMP} GET /api/orders/${n} 200 in ${n % 7} ms - "Mozilla"`,
  );
  const lines = new Redactor(["hunter2-and-more"]).lines();
  assert(lines.areHarmless(ordinary.join("\n")));
  for (const at of [0, 250, 499]) {
    for (
      const other of [KEY_LINE, `${STAMP} ${KEY_LINE}`, "hunter2-and-more"]
    ) {
      const text = ordinary.with(at, other).join("\n");
      assert(!lines.areHarmless(text), other);
    }
  }
  lines.line("-----BEGIN PRIVATE KEY-----");
  assert(!lines.areHarmless("abc"), "it goes on");
});
