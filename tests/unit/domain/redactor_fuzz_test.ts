import assert from "node:assert/strict";
import fc from "fast-check";
import { AnswerRedactor } from "../../../src/domain/answer_redactor.ts";
import { Redactor } from "../../../src/domain/redactor.ts";
import { isRecognizable } from "../../../src/domain/secret_values.ts";

/** Longest time for one hostile line of 64 KiB. A quadratic search takes seconds; a busy machine is slow, too. */
const HOSTILE_LINE_MS = 1_500;

/** The same for a rule, of which logs are full: each of its characters took so much when it was looked at alone. */
const RULE_MS = 15;

const secret = fc.oneof(
  fc.string({ minLength: 6, maxLength: 40 }),
  fc.string({ unit: "grapheme", minLength: 6, maxLength: 20 }),
  fc.string({ unit: "binary", minLength: 6, maxLength: 20 }),
  fc.stringMatching(/^[A-Za-z0-9+/=_-]{6,64}$/),
).map((text) => text.trim()).filter((text) =>
  isRecognizable(text) && !text.includes("*") && !text.includes("\n")
);

/** Text as logs have it: words, tokens, quotes, colours, control characters. */
const piece = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.constantFrom(
    " ",
    "\n",
    "token=",
    '"password":"',
    "Bearer ",
    "https://u:",
    "@host",
    "\x1b[31m",
    "\x1b]0;",
    "\r",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "eyJ",
    "***",
  ),
);

Deno.test("no answer holds a known secret, whatever stands around it", () => {
  fc.assert(
    fc.property(
      fc.array(secret, { minLength: 1, maxLength: 5 }),
      fc.array(fc.tuple(piece, fc.nat()), { maxLength: 12 }),
      fc.boolean(),
      (secrets, parts, isArray) => {
        const text = parts.map(([before, which]) =>
          before + secrets[which % secrets.length]
        ).join("");
        const answer = isArray
          ? { lines: text.split("\n"), n: 1 }
          : { ok: true, details: { output_tail: text } };
        const redactor = new AnswerRedactor(new Redactor(secrets));
        const json = JSON.stringify(redactor.redact(answer));
        const told = JSON.stringify(JSON.parse(json));
        assert.equal(told, json, "valid");
        const texts = isArray
          ? JSON.parse(json).lines.join("\n")
          : JSON.parse(json).details.output_tail;
        for (const each of secrets) {
          assert(!texts.includes(each), JSON.stringify({ each, texts }));
        }
        assert(texts.length <= text.length, "never longer");
      },
    ),
    { numRuns: 3_000 },
  );
});

Deno.test("what is around a secret stays", () => {
  const word = fc.stringMatching(/^[a-z]{1,12}$/);
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 20 }),
      fc.array(word, { maxLength: 20 }),
      fc.stringMatching(/^[A-Z0-9]{10,40}$/).filter(isRecognizable),
      (before, after, value) => {
        const redactor = new Redactor([value]);
        const text = [...before, value, ...after].join(" ");
        const safe = [...before, "***", ...after].join(" ");
        assert.equal(redactor.text(text), safe);
      },
    ),
  );
});

Deno.test("a secret with control sequences anywhere in it does not get through", () => {
  const control = fc.constantFrom(
    "\x1b[31m",
    "\x1b[0m",
    "\x1b[1;38;5;7m",
    "\x1b[K",
    "\x1b]8;;http://x\x07",
    "\x08",
    "\r",
    "\x00",
    "\x9b1m",
  );
  fc.assert(
    fc.property(
      fc.stringMatching(/^[A-Za-z0-9]{8,30}$/).filter(isRecognizable),
      fc.array(fc.tuple(fc.nat(), control), { minLength: 1, maxLength: 5 }),
      (value, cuts) => {
        let text = value;
        // From the end, so that no cut is within another one.
        const places = cuts.map(([at, code]) =>
          [at % (value.length + 1), code] as const
        ).sort(([a], [b]) => b - a);
        for (const [at, code] of places) {
          text = text.slice(0, at) + code + text.slice(at);
        }
        const safe = new Redactor([value]).text(`<${text}>`);
        // What a terminal or a program makes of it.
        const shown = safe
          // deno-lint-ignore no-control-regex -- control sequences are what is taken out
          .replace(/\x1b\[[0-9;]*[A-Za-z]|\x1b\].*?\x07|\x9b1m/g, "")
          // deno-lint-ignore no-control-regex -- the other control characters
          .replace(/[\x00-\x1f]/g, "");
        assert.equal(shown, "<***>");
      },
    ),
  );
});

Deno.test("a line of JSON stays JSON, and what is no secret in it the same", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.stringMatching(/^[a-z \n\t"\\]{0,20}$/),
  );
  const name = fc.constantFrom("token", "password", "api_key", "clientSecret");
  fc.assert(
    fc.property(
      fc.stringMatching(/^[A-Za-z0-9 \n"\\/]{8,30}$/).filter((value) =>
        isRecognizable(value) && value.trim() === value
      ),
      text,
      text,
      name,
      (value, before, after, key) => {
        const line = JSON.stringify({
          level: "info",
          n: 12345,
          msg: before + value + after,
          [key]: after,
          plain: "stays as it is",
        });
        const safe = new Redactor([value]).text(line);
        const parsed = JSON.parse(safe) as Record<string, unknown>;
        assert.equal(parsed["level"], "info");
        assert.equal(parsed["n"], 12345);
        assert.equal(parsed["plain"], "stays as it is");
        assert(!String(parsed["msg"]).includes(value), safe);
        // What says that there is no secret may stay.
        if (/^[a-z]{3,}$/.test(after) && !/^(?:null|true|nil)$/.test(after)) {
          assert.notEqual(parsed[key], after);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

// Not for any text at all: a mask over half of what says where a secret is changes what the other half means.
Deno.test("redacting again changes nothing", () => {
  const word = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9]{1,20}$/),
    fc.constantFrom(
      " token=",
      ' "password":"',
      " Bearer ",
      " https://u:",
      "@host ",
      "hunter2-value",
    ),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 15 }), (parts) => {
      const redactor = new Redactor(["hunter2-value"]);
      const once = redactor.text(parts.join(" "));
      assert.equal(redactor.text(once), once);
    }),
  );
});

const HOSTILE = [
  "eyJ",
  "eyJ.",
  "eyJaaaaaaaaaa.",
  "sk-",
  "sk-a",
  "token",
  "token=",
  "token:",
  "token: ",
  "tokenSecret",
  "Basic ",
  "Basic+",
  "Bearer+",
  "://",
  "://a:b",
  "://a:b@",
  "authorization:",
  "authorization: ",
  'password: "',
  '\\"token\\":\\"',
  "\\",
  '"',
  "=",
  " ",
  "A",
  "curl -u a",
  " -u ",
  "--token ",
  "token %20",
  "github_pat_",
  "SG.",
  "AKIA",
  "secret={",
  "secret(",
  "a.b-c_",
  "\x1b[",
  "\x1b]",
  "\x9b",
  "-----BEGIN PRIVATE KEY-----",
  "-----END PRIVATE KEY-----",
  "known-",
];

Deno.test("a hostile line of 64 KiB costs little", () => {
  const redactor = new Redactor([
    "known-value",
    "a".repeat(4_000) + "b",
    "k".repeat(20) + "nown",
  ]);
  for (const part of HOSTILE) {
    for (const before of ["", "-----BEGIN PRIVATE KEY-----\n", "token="]) {
      const text = before +
        part.repeat(Math.ceil(65_536 / part.length)).slice(0, 65_536);
      const began = performance.now();
      redactor.text(text);
      const ms = performance.now() - began;
      assert(
        ms < HOSTILE_LINE_MS,
        `${JSON.stringify(before + part)}: ${ms} ms`,
      );
    }
  }
});

Deno.test("a rule of 64 KiB costs hardly more than a word", () => {
  const redactor = new Redactor(["known-value"]);
  for (const rule of ["-", "_", "-_", "."]) {
    const text = `ERROR ${rule.repeat(65_536 / rule.length)}`;
    const times = Array.from({ length: 5 }, () => {
      const began = performance.now();
      redactor.text(text);
      return performance.now() - began;
    });
    const ms = Math.min(...times);
    assert(ms < RULE_MS, `${JSON.stringify(rule)}: ${ms} ms`);
  }
});
