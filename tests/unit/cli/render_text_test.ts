import assert from "node:assert/strict";
import { tableLines } from "../../../src/cli/render/table.ts";
import {
  colouredText,
  cutText,
  padText,
  plainText,
  strippedText,
  textWidth,
} from "../../../src/cli/render/text.ts";
import { PLAIN } from "./_samples.ts";

Deno.test("textWidth() counts columns, not code units", () => {
  for (
    const [text, width] of [
      ["", 0],
      ["abc", 3],
      ["é", 1],
      ["e\u0301", 1],
      ["日本", 4],
      ["🚀", 2],
      ["a\u200bb", 2],
    ] as const
  ) assert.equal(textWidth(text), width, text);
});

Deno.test("cutText() never exceeds the columns and marks the cut", () => {
  assert.equal(cutText("abc", 3), "abc");
  assert.equal(cutText("abcd", 3), "ab…");
  assert.equal(cutText("ab cd", 4), "ab…");
  assert.equal(cutText("日本語", 4), "日…");
  assert.equal(cutText("abc", 1), "…");
  assert.equal(cutText("abc", 0), "");
});

Deno.test("padText() fills up to the columns", () => {
  assert.equal(padText("日", 4), "日  ");
  assert.equal(padText("abc", 2), "abc");
});

Deno.test("plainText() leaves one line that no terminal acts on", () => {
  assert.equal(plainText(" a\r\nb\t\x1b[1mc\x1b[0m "), "a b c");
  assert.equal(plainText("\x1b]0;title\x07x\x9b2Jy"), "xy");
});

Deno.test("colouredText() keeps colours and nothing else", () => {
  assert.equal(
    colouredText("\x1b[1;31mred\x1b[2J\x1b[H\x1b]0;t\x07 x\x07"),
    "\x1b[1;31mred x\x1b[0m",
  );
  assert.equal(colouredText("plain\ttext"), "plain\ttext");
});

Deno.test("strippedText() keeps text and tabs", () => {
  assert.equal(strippedText("\x1b[31ma\tb\x1b[0m\x00\x07"), "a\tb");
});

const COLUMNS = [{ title: "A" }, { title: "B", min: 3 }, {
  title: "C",
  min: 3,
}];

Deno.test("tableLines() leaves out columns without text", () => {
  assert.deepEqual(
    tableLines(COLUMNS, [["a", "", "c"]], { width: 80, paint: PLAIN }),
    ["  A  C", "  a  c"],
  );
});

Deno.test("tableLines() shrinks columns in the order in which they yield", () => {
  const rows = [["aaaa", "bbbbbbbb", "cccccccc"]];
  const table = (width: number): string[] =>
    tableLines(COLUMNS, rows, { width, paint: PLAIN, yielding: [2, 1] });
  assert.equal(table(80)[1], "  aaaa  bbbbbbbb  cccccccc");
  assert.equal(table(24)[1], "  aaaa  bbbbbbbb  ccccc…");
  assert.equal(table(19)[1], "  aaaa  bbbbb…  cc…");
  assert.equal(table(16)[1], "  aaaa  bb…  cc…");
  assert.equal(table(12)[1], "  aaaa  bb…");
  assert.equal(table(3)[1], "  aaaa");
});
