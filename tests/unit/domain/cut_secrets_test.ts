import assert from "node:assert/strict";
import { MAX_LINE_BYTES } from "../../../src/domain/cut_secrets.ts";
import {
  type ReadLine,
  RecordRedactor,
} from "../../../src/domain/record_redactor.ts";
import { Redactor } from "../../../src/domain/redactor.ts";
import { LineAssembler } from "../../../src/logs/line_assembler.ts";

const PURE = { permissions: "none" } as const;

const SECRET = "hunter2/of production";

/** The lines that are stored of an output, without their times. */
function stored(output: string): ReadLine[] {
  let text = "";
  const assembler = new LineAssembler((lines) => {
    text += new TextDecoder().decode(lines);
  });
  assembler.push(new TextEncoder().encode(output), 0);
  assembler.finish(0);
  return text.trimEnd().split("\n")
    .map((line) => ({ task: "a", text: line.slice(24) }));
}

function shown(lines: readonly ReadLine[]): string[] {
  const records = new RecordRedactor(new Redactor([SECRET]));
  return records.lines(lines).map(({ text }) => text);
}

Deno.test("a secret is hidden wherever a long line is split", PURE, () => {
  for (const filler of ["x", "ü", "\x1b[31mx\x1b[0m"]) {
    const size = new TextEncoder().encode(filler).length;
    for (let length = 1; length < SECRET.length; length++) {
      const room = MAX_LINE_BYTES - length;
      const count = Math.floor(room / size);
      const before = filler.repeat(count) + ".".repeat(room - count * size);
      const lines = stored(`${before}${SECRET} rest\n`);
      assert.equal(lines.length, 2);
      assert.equal(lines[1]?.text, `${SECRET.slice(length)} rest`);
      const [first = "", second = ""] = shown(lines);
      assert.equal(second.replace(/^\*+/, ""), " rest", `${length}`);
      const left = first.slice(before.length);
      assert.match(
        left,
        length < 6 ? /^(?:hunte?|hunt?|hun?|hu?)$/ : /^\*\*\*$/,
      );
      // One by one, and far apart, it is the same.
      const one = new RecordRedactor(new Redactor([SECRET]));
      assert.deepEqual(lines.map((line) => one.line(line).text), [
        first,
        second,
      ]);
    }
  }
});

Deno.test("what is split elsewhere, or goes on otherwise, stays", PURE, () => {
  const full = "x".repeat(MAX_LINE_BYTES - 3);
  const cases: readonly (readonly string[])[] = [
    [`${full}hun`, "gry"],
    ["short hunter2/", "of production"],
    [`${full}xxx`, SECRET.slice(3)],
    [`${full}hun`, "between", SECRET.slice(3)],
  ];
  for (const texts of cases) {
    const lines = texts.map((text) => ({ task: "a", text }));
    assert.deepEqual(shown(lines), texts);
  }
  const redactor = new Redactor([SECRET]).lines();
  assert(!redactor.areHarmless(`a\n${full}hun\nb`));
  assert(redactor.areHarmless(`a\n${"short\n".repeat(20_000)}`));
});
