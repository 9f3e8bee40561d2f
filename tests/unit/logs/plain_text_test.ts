import assert from "node:assert/strict";
import { plainText } from "../../../src/logs/plain_text.ts";

Deno.test("plainText takes out what a terminal would not show", () => {
  const check = (text: string, expected: string) =>
    assert.equal(plainText(text), expected);
  check("nothing to do", "nothing to do");
  check("\x1b[31mred\x1b[0m", "red");
  check("\x1b[1;38;5;200mbold\x1b[m", "bold");
  check("\x1b[38:2:1:2:3mcolons\x1b[0m", "colons");
  check("\x1b[?25lhidden cursor\x1b[?25h", "hidden cursor");
  check("\x1b[2K\x1b[1Gredraw", "redraw");
  check("\x1b]0;title\x07text", "text");
  check("\x1b]8;;https://x.y/z\x1b\\link\x1b]8;;\x1b\\ end", "link end");
  check("\x1bP1$r0m\x1b\\after", "after");
  check("\x1b(Bcharset \x1b7\x1b8\x1b=", "charset ");
  check("\x9b31meight bit\x9b0m", "eight bit");
  // Cut short, as at the end of a line that was split.
  check("cut \x1b", "cut ");
  check("cut \x1b[31", "cut ");
  check("cut \x1b]0;tit", "cut ");
  check("tab\tbell\x07return\r", "tab\tbell\x07return\r");
  check("grüße \x1b[32m日本語 🎉\x1b[0m", "grüße 日本語 🎉");
});

Deno.test("plainText of many lines is the plain text of each line", () => {
  const lines = [
    "\x1b]0;never ends",
    "next \x1b[3",
    "1m not a parameter",
    "\x1b",
    "[31m text",
    "\x1bP",
    "end\x9b",
    "0m",
  ];
  assert.equal(
    plainText(lines.join("\n")),
    lines.map(plainText).join("\n"),
  );
});

Deno.test("plainText is quick on hostile text", () => {
  for (
    const text of ["\x1b[".repeat(1e6), "\x1b]".repeat(1e6), "\x1b".repeat(2e6)]
  ) {
    const before = performance.now();
    plainText(text);
    assert.ok(performance.now() - before < 2000);
  }
});
