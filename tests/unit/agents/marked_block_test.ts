import assert from "node:assert/strict";
import fc from "fast-check";
import {
  BLOCK_END,
  BLOCK_START,
  contextBlock,
} from "../../../src/agents/context_block.ts";
import { projectName } from "../../../src/config/project_name.ts";
import { putBlock, takeBlock } from "../../../src/agents/marked_block.ts";

const BLOCK = contextBlock("shop");
const TEXT = BLOCK.join("\n") + "\n";
const OLD = `${BLOCK_START}\n# Taskmux — old\n\nstale $& \\1\n${BLOCK_END}\n`;

function put(text: string, append = true): string {
  return putBlock(text, BLOCK, { append }).text;
}

Deno.test("contextBlock is short, of constant size, and free of what ages", () => {
  const many = fc.sample(fc.string().map(projectName), 1_000);
  const names = ["a", "a-".repeat(31) + "b", "$&", "\\1", ...many];
  const empty = contextBlock("").join("\n").length;
  for (const name of names) {
    const text = contextBlock(name).join("\n") + "\n";
    assert.equal(text.length, empty + name.length + 1);
    assert(new TextEncoder().encode(text).length <= 900, `${text.length}`);
    assert.match(text, /^<!-- taskmux:start -->\n# Taskmux — /);
  }
  assert.doesNotMatch(BLOCK.join(), /https?:|localhost|\b(?!1500)\d{4,5}\b/);
});

Deno.test("putBlock appends after an empty line and is content the second time", () => {
  for (
    const [text, wanted] of [
      ["", TEXT],
      ["\uFEFF", `\uFEFF${TEXT}`],
      ["# Mine\n", `# Mine\n\n${TEXT}`],
      ["# Mine", `# Mine\n\n${TEXT}`],
      ["# Mine\n\n", `# Mine\n\n\n${TEXT}`],
      ["a\r\nb\r\n", `a\r\nb\r\n\r\n${TEXT.replaceAll("\n", "\r\n")}`],
    ] as const
  ) {
    assert.equal(put(text), wanted);
    assert.equal(put(wanted), wanted);
  }
});

Deno.test("putBlock replaces in place what is between the markers, and nothing else", () => {
  assert.equal(put(`a $1\n${OLD}b \\0`), `a $1\n${TEXT}b \\0`);
  assert.equal(put(`\uFEFF${OLD}`), `\uFEFF${TEXT}`);
  assert.equal(put(`a\n${OLD.trimEnd()}`), `a\n${TEXT.trimEnd()}`);
  assert.equal(put(`a\n${BLOCK_START}\n${BLOCK_END}\nb\n`), `a\n${TEXT}b\n`);
  const crlf = `a\r\n${OLD.replaceAll("\n", "\r\n")}b\r\n`;
  assert.equal(put(crlf), `a\r\n${TEXT.replaceAll("\n", "\r\n")}b\r\n`);
  // An indented marker is one as well.
  assert.equal(
    put(`  ${BLOCK_START}\n# Taskmux\n ${BLOCK_END} \nb`),
    `${TEXT}b`,
  );
});

Deno.test("putBlock keeps the first of several blocks", () => {
  assert.equal(put(`${OLD}\nmine\n\n${OLD}`), `${TEXT}\nmine\n`);
  assert.equal(put(`a\n\n${OLD}\nb\n\n${OLD}\nc\n`), `a\n\n${TEXT}\nb\n\nc\n`);
});

Deno.test("markers without a partner stay with all that follows, and are told", () => {
  const unclosed = `a\n${BLOCK_START}\n# Taskmux — old\nmine\n`;
  const edit = putBlock(unclosed, BLOCK, { append: true });
  assert.equal(edit.text, `${unclosed}\n${TEXT}`);
  assert.deepEqual(edit.strays, [2]);
  // Not once more at each call.
  assert.equal(put(edit.text), edit.text);
  assert.equal(takeBlock(edit.text).text, unclosed);

  const nested = `${BLOCK_START}\nmine\n${OLD}more\n${BLOCK_END}\n`;
  const inner = putBlock(nested, BLOCK, { append: true });
  assert.equal(
    inner.text,
    `${BLOCK_START}\nmine\n${TEXT}more\n${BLOCK_END}\n`,
  );
  assert.deepEqual(inner.strays, [1, 9]);

  const lone = `${BLOCK_END}\nmine\n`;
  assert.deepEqual(takeBlock(lone), {
    text: lone,
    hadBlock: false,
    strays: [1],
  });
});

Deno.test("what is only called a marker is none", () => {
  const quoted = "Between `" + BLOCK_START + "` and `" + BLOCK_END + "`.\n";
  const fenced = "```md\n" + OLD + "```\n";
  const tilde = "~~~~\n```\n" + OLD + "~~~~~\n";
  const foreign = `${BLOCK_START}\n# My own notes\n${BLOCK_END}\n`;
  for (const text of [quoted, fenced, tilde, foreign]) {
    assert.equal(put(text), `${text}\n${TEXT}`);
    assert.equal(put(put(text)), put(text));
    assert.equal(takeBlock(put(text)).text, text);
    assert.equal(put(text, false), text);
  }
  // A fence that nobody closed hides nothing.
  assert.equal(put("```sh\nmine\n" + OLD), "```sh\nmine\n" + TEXT);
});

Deno.test("takeBlock undoes putBlock, and no line of others is ever lost", () => {
  const line = fc.constantFrom(
    ...[BLOCK_START, BLOCK_END, "# Taskmux — x", "```", "~~~", "", "mine"],
    ...["$&", "\\0", " text\t", "> q", "é", "\u2028"],
  );
  const eol = fc.constantFrom("\n", "\r\n");
  const text = fc.tuple(fc.array(line), eol, fc.boolean()).map(
    ([lines, end, hasLast]) =>
      lines.map((each) => each + end).join("") + (hasLast ? "last" : ""),
  );
  fc.assert(
    fc.property(text, (before) => {
      const after = put(before);
      assert.equal(put(after), after);
      const taken = takeBlock(before);
      if (taken.hadBlock) {
        assert.deepEqual(filled(takeBlock(after).text), filled(taken.text));
      } else {
        assert(after.startsWith(before));
        const undone = takeBlock(after).text;
        const isWhole = before === "" || before.endsWith("\n");
        assert.equal(undone, isWhole ? before : undone);
        assert(undone.startsWith(before));
        assert.equal(undone.trimEnd(), before.trimEnd());
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("putBlock takes its time line by line, whatever the lines are", () => {
  const text = "```js\n~~~ x\n".repeat(300_000) + OLD;
  // A search to the end for each line would take an hour.
  assert.equal(put(text), text.slice(0, -OLD.length) + TEXT);
});

/** The lines that say something. */
function filled(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}
