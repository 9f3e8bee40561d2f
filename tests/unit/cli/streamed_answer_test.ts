import assert from "node:assert/strict";
import { Output } from "../../../src/cli/output.ts";
import { StreamedAnswer } from "../../../src/cli/streamed_answer.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";

function answerInto(pieces: string[]): StreamedAnswer {
  const sink = {
    write: (bytes: Uint8Array) => {
      pieces.push(new TextDecoder().decode(bytes));
      return Promise.resolve(bytes.length);
    },
    isTerminal: () => false,
  };
  const output = new Output({
    json: true,
    stdout: sink,
    stderr: sink,
    noColor: true,
    terminalSize: () => null,
  });
  return new StreamedAnswer(output, "lines");
}

const LONG = "é".repeat(100_000);

Deno.test("a short answer leaves in one piece, with ok first", async () => {
  const pieces: string[] = [];
  const answer = answerInto(pieces);
  await answer.add(["a"]);
  await answer.add([]);
  await answer.add([{ text: 'b"' }]);
  assert.deepEqual(pieces, []);
  await answer.end({ ok: true, dropped: 0 });
  const expected = { ok: true, dropped: 0, lines: ["a", { text: 'b"' }] };
  assert.equal(pieces.join(""), `${JSON.stringify(expected)}\n`);
  const none: string[] = [];
  await answerInto(none).end({ ok: true });
  assert.deepEqual(JSON.parse(none.join("")), { ok: true, lines: [] });
});

Deno.test("a long answer leaves in pieces and is one JSON value", async () => {
  const pieces: string[] = [];
  const answer = answerInto(pieces);
  for (let n = 0; n < 7; n++) await answer.add([LONG, n]);
  assert(pieces.length > 0);
  await answer.end({ ok: true, cursor: "c" });
  assert(pieces.every((piece) => piece.length <= 256 * 1024));
  const value = JSON.parse(pieces.join(""));
  assert.equal(value.ok, true);
  assert.equal(value.cursor, "c");
  assert.deepEqual(
    value.lines,
    Array.from({ length: 7 }, (_, n) => [LONG, n]).flat(),
  );
});

Deno.test("an error ends a long answer and takes the place of a short one", async () => {
  const error = new TaskmuxError("E500", "Cannot go on", { hint: "stop" });
  const short: string[] = [];
  const held = answerInto(short);
  await held.add(["a"]);
  await assert.rejects(held.fail(error), error);
  assert.deepEqual(short, []);

  const pieces: string[] = [];
  const answer = answerInto(pieces);
  for (let n = 0; n < 5; n++) await answer.add([LONG]);
  assert.equal(await answer.fail(error), 2);
  const value = JSON.parse(pieces.join(""));
  assert.equal(value.ok, false);
  assert.equal(value.error_code, "E500");
  assert.equal(value.lines.length, 5);
  await assert.rejects(answer.fail(new Error("a defect")), /a defect/);
});
