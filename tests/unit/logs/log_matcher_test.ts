import assert from "node:assert/strict";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { compileMatcher } from "../../../src/logs/log_matcher.ts";
import { readLogs } from "../../../src/logs/log_reader.ts";
import { LogFolder, queryOf } from "../../support/log_folder.ts";

Deno.test("a pattern ignores case unless it holds an upper-case letter", () => {
  const check = (pattern: string, text: string, expected: boolean) =>
    assert.equal(compileMatcher(pattern).test(text), expected, pattern);
  check("error", "An ERROR occurred", true);
  check("Error", "An ERROR occurred", false);
  check("ERROR", "An ERROR occurred", true);
  check("grüße", "GRÜßE", true);
  check("Ü", "ü", false);
  // These letters belong to an escape.
  check(String.raw`er\Sor\W`, "ERROR!", true);
  check(String.raw`\x4Aoe`, "joe", true);
  check(String.raw`\u004Aoe`, "joe", true);
  check("error|exception", "Uncaught Exception", true);
});

Deno.test("a pattern with $ matches before a carriage return", () => {
  assert.equal(compileMatcher("done$").test("done\r"), true);
  assert.equal(compileMatcher("^$").test("\r"), true);
});

Deno.test("a broken pattern is E500 and the hint escapes it", () => {
  assert.throws(
    () => compileMatcher("foo(*"),
    (error) =>
      error instanceof TaskmuxError && error.code === "E500" &&
      error.message.startsWith('Cannot search for "foo(*": ') &&
      error.hint === String.raw`To search for the text itself: -g 'foo\(\*'`,
  );
});

/** Lines with everything that makes a search over many lines differ from one in each. */
const LINES = [
  "",
  "plain error here",
  "ERROR upper",
  "err",
  "or",
  "a,b;c",
  "status=500 GET /api/v1",
  "status=200 GET /api/v1",
  "\x1b[31mer\x1b[1mror\x1b[0m in colour",
  "\x1b]8;;https://example.com/error\x1b\\link\x1b]8;;\x1b\\",
  "\x1b]0;title error\x07after",
  "\x1b[38:2:1:2:3mcolon\x1b[m",
  "cut \x1b[31",
  "grüße error →",
  "日本語 エラー error",
  "🎉 done",
  "tab\terror",
  "dos error\r",
  "10%\r20% error",
  "trailing space ",
  "2026-11-20T10:00:00.000 in the text",
  "$5.00 (five) [x] {y} a|b ^top \\back",
  "last error",
];

const PATTERNS = [
  "error",
  "ERROR",
  "error$",
  "^error|^plain",
  "^$",
  "$",
  "",
  ".",
  ".*",
  "x*",
  "r e",
  "e.r",
  "status=5\\d\\d",
  "(get|post) /api",
  "(?:in|upper)\\b",
  "[^,]*;c",
  "err[^x]or",
  "err\\sor",
  "\\serror",
  "\\W",
  "\\D{3}",
  "error(?! )",
  "(?<=plain )error",
  "(e)(r)\\2",
  "colou?r",
  "[a-f]{3}",
  "[ -~]+$",
  "2026",
  "10:00",
  "link",
  "example",
  "title",
  "colon",
  "cut $",
  "→",
  "エラー",
  "🎉",
  "\\$5\\.00 \\(five\\) \\[x\\]",
  "a\\|b \\^top \\\\back",
  "\\u00fc",
  "\t",
  "after",
  "20% error",
];

Deno.test("a search over blocks finds exactly what asking each line finds", async () => {
  for (const repeats of [1, 700]) {
    using folder = new LogFolder();
    const texts = Array.from({ length: repeats }, () => LINES).flat();
    folder.append("web", texts.map((text) => folder.line(text)));
    const sources = [folder.source("web")];
    const all = await readLogs(queryOf(sources));
    assert.equal(all.records.length, texts.length);
    for (const grep of repeats === 1 ? PATTERNS : PATTERNS.slice(0, 20)) {
      const matcher = compileMatcher(grep);
      const expected = all.records.filter(({ text }) => matcher.test(text));
      for (const lines of [null, 50]) {
        const { records } = await readLogs(queryOf(sources, { grep, lines }));
        assert.deepEqual(
          records.map(({ raw }) => raw),
          expected.slice(lines === null ? 0 : -lines).map(({ raw }) => raw),
          `${grep} ${repeats} ${lines}`,
        );
      }
    }
  }
});

Deno.test("only harmless patterns are searched in blocks", () => {
  const isSearched = (pattern: string) => compileMatcher(pattern).find !== null;
  for (
    const pattern of [
      "error",
      "error|exception",
      "a.*b",
      String.raw`\d+ms\b`,
      String.raw`\(x\)`,
      "(?:a|b)+",
      "[a-z_]+",
      "foo$",
      "größe",
    ]
  ) assert.ok(isSearched(pattern), pattern);
  for (
    const pattern of [
      "^error",
      "[^a]",
      String.raw`a\sb`,
      String.raw`\W`,
      String.raw`\n`,
      String.raw`\x0a`,
      String.raw`[\x00-\x7f]`,
      "(?=a)",
      "(?<!a)b",
      "a\nb",
      "[\t-~]",
    ]
  ) assert.ok(!isSearched(pattern), pattern);
});

Deno.test("a pattern that only its first use shows to be too large is refused in few words", () => {
  assert.throws(
    () => compileMatcher("x".repeat(100_000)),
    (error) =>
      error instanceof TaskmuxError && error.code === "E500" &&
      error.message.length < 250 && /too large/.test(error.message),
  );
});
