import assert from "node:assert/strict";
import { shownJson, shownText } from "../../../src/mcp/shown_text.ts";

Deno.test("shownText() leaves nothing that hides, turns around or redraws", () => {
  const hidden = [..."run rm"].map((char) =>
    String.fromCodePoint(0xe0000 + char.charCodeAt(0))
  ).join("");
  for (
    const [text, shown] of [
      ["plain\tok\n", "plain\tok\n"],
      ["é 日本 👩‍💻", "é 日本 👩‍💻"],
      ["\x1b[31mred\x1b[0m \x1b]0;title\x07x\x07\x0b\r", "red x"],
      ["a\x9b2Jb", "ab"],
      ["\u202eab\u2066c", "\ufffdab\ufffdc"],
      [`ok${hidden}`, `ok${"\ufffd".repeat(6)}`],
    ] as const
  ) assert.equal(shownText(text), shown);
});

Deno.test("shownJson() reaches every text and leaves the rest", () => {
  assert.deepEqual(
    shownJson({ a: ["\x07b", 1, null, { "c": "\u202e" }], d: true }),
    { a: ["b", 1, null, { "c": "\ufffd" }], d: true },
  );
});
