import assert from "node:assert/strict";
import { AnswerRedactor, isLong } from "../../../src/domain/answer_redactor.ts";
import { Redactor } from "../../../src/domain/redactor.ts";

const PURE = { permissions: "none" } as const;

const SECRET = "hunter2-value";

function redacted<T>(answer: T): T {
  return new AnswerRedactor(new Redactor([SECRET])).redact(answer);
}

Deno.test("every text of an answer is redacted, wherever it is", PURE, () => {
  assert.deepEqual(
    redacted({
      ok: false,
      error: `it said ${SECRET}`,
      hint: SECRET,
      details: { output_tail: `a\n${SECRET}\nb`, list: [[SECRET], 7, null] },
    }),
    {
      ok: false,
      error: "it said ***",
      hint: "***",
      details: { output_tail: "a\n***\nb", list: [["***"], 7, null] },
    },
  );
});

Deno.test("names, keys, numbers, cursors and paths stay", PURE, () => {
  const answer = {
    task: SECRET,
    tasks: [SECRET],
    session: SECRET,
    cursor: `c:${SECRET}`,
    fingerprint: SECRET,
    path: `/tmp/${SECRET}`,
    cwd: `/tmp/${SECRET}`,
    event: SECRET,
    [SECRET]: 1,
    pid: 123456,
  };
  assert.equal(redacted(answer), answer);
});

Deno.test("a list of records is looked into whatever its key is", PURE, () => {
  assert.deepEqual(
    redacted({ tasks: [{ name: "web", command: `run ${SECRET}` }] }),
    { tasks: [{ name: "web", command: "run ***" }] },
  );
});

Deno.test(
  "of an environment the names tell, however short a value is",
  PURE,
  () => {
    assert.deepEqual(
      redacted({
        env: {
          DB_PASSWORD: "x",
          API_KEY: "true",
          EMPTY_TOKEN: "",
          DATABASE_URL: "postgres://u:pw@h/d",
          COPY: SECRET,
          KEY_FILE: "/k",
        },
      }),
      {
        env: {
          DB_PASSWORD: "***",
          API_KEY: "***",
          EMPTY_TOKEN: "",
          DATABASE_URL: "postgres://u:**@h/d",
          COPY: "***",
          KEY_FILE: "/k",
        },
      },
    );
  },
);

Deno.test("what holds no secret is not copied", PURE, () => {
  const answer = { lines: ["a", { ts: "1", task: "web", text: "b" }], env: {} };
  assert.equal(redacted(answer).lines, answer.lines);
});

const BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

Deno.test(
  "a key over several records is followed for each task alone",
  PURE,
  () => {
    const record = (task: string, text: string) => ({ ts: "t", task, text });
    assert.deepEqual(
      redacted({
        lines: [
          record("web", "-----BEGIN PRIVATE KEY-----"),
          record("api", "ready"),
          record("web", "abCd1234"),
          record("web", "-----END PRIVATE KEY-----"),
          record("web", "done"),
        ],
      }).lines.map(({ text }) => text),
      [
        "-----BEGIN PRIVATE KEY-----",
        "ready",
        "***",
        "-----END PRIVATE KEY-----",
        "done",
      ],
    );
  },
);

Deno.test(
  "a key that ends on the page and began before it is hidden",
  PURE,
  () => {
    const end = "-----END PRIVATE KEY-----";
    assert.deepEqual(redacted({ lines: ["abCd12==", end, "x"] }).lines, [
      "***",
      end,
      "x",
    ]);
    const record = (task: string, text: string) => ({ ts: "t", task, text });
    assert.deepEqual(
      redacted({
        lines: [
          record("api", "word"),
          record("web", "abCd12=="),
          { omitted: { lines: 3, bytes: 9 } },
          record("web", end),
        ],
      }).lines.map((line) => "text" in line ? line.text : line.omitted),
      ["word", "***", { lines: 3, bytes: 9 }, end],
    );
  },
);

Deno.test("items of a stream are followed from one to the next", PURE, () => {
  const stream = new AnswerRedactor(new Redactor());
  const texts = ["-----BEGIN PRIVATE KEY-----", BODY, "abCd12=="].map((text) =>
    stream.redact({ ts: "t", task: "web", text }).text
  );
  assert.deepEqual(texts, ["-----BEGIN PRIVATE KEY-----", "***", "***"]);
});

Deno.test("a long list is redacted as a short one, and others have their turn", async () => {
  const texts = Array.from({ length: 1_000 }, (_, n) => `line ${n}`);
  texts[7] = SECRET;
  texts.splice(500, 0, "-----BEGIN PRIVATE KEY-----", BODY, "abCd1234");
  const answers = [
    { ok: true, lines: texts, note: SECRET },
    { lines: texts.map((text) => ({ ts: "t", task: "web", text })) },
    { tasks: texts, cursor: "c" },
  ];
  for (const answer of answers) {
    let turns = 0;
    const redactor = new AnswerRedactor(new Redactor([SECRET]));
    const safe = await redactor.redactInTurns<object>(answer, () => {
      turns++;
      return Promise.resolve();
    });
    assert.deepEqual(safe, redacted(answer));
    assert.deepEqual(Object.keys(safe), Object.keys(answer));
    assert.equal(turns >= 5, "lines" in answer);
  }
  await assert.rejects(
    new AnswerRedactor(new Redactor()).redactInTurns(
      { lines: texts },
      () => Promise.reject(new Error("nobody waits")),
    ),
    { message: "nobody waits" },
  );
});

Deno.test("a few huge lines are as long as many short ones", async () => {
  const huge = "x".repeat(64 * 1024);
  const lines = Array.from({ length: 40 }, () => huge);
  lines[33] = `${huge} ${SECRET}`;
  const records = lines.map((text) => ({ ts: "t", task: "web", text }));
  for (const answer of [{ lines }, { lines: records }]) {
    assert(isLong(answer.lines));
    let turns = 0;
    const redactor = new AnswerRedactor(new Redactor([SECRET]));
    const safe = await redactor.redactInTurns<object>(answer, () => {
      turns++;
      return Promise.resolve();
    });
    assert.deepEqual(safe, redacted(answer));
    assert(turns >= 10, `${turns} turns`);
  }
});

Deno.test("an odd answer stays what it is", PURE, () => {
  const answer = JSON.parse('{"__proto__":{"a":"hunter2-value"},"x":[]}');
  assert.equal(
    JSON.stringify(redacted(answer)),
    '{"__proto__":{"a":"***"},"x":[]}',
  );
  let deep: unknown = SECRET;
  for (let n = 0; n < 10_000; n++) deep = [deep];
  assert(!JSON.stringify(redacted({ deep })).includes(SECRET));
});
