import assert from "node:assert/strict";
import {
  LineAssembler,
  STAMP_BYTES,
} from "../../../src/logs/line_assembler.ts";
import { MAX_LINE_BYTES } from "../../../src/domain/cut_secrets.ts";

const AT = Date.UTC(2026, 10, 20, 7, 8, 9, 45);
const STAMP = "2026-11-20T07:08:09.045 ";

const encoder = new TextEncoder();

/** An assembler whose lines are collected. */
class Collected {
  readonly assembler = new LineAssembler((lines) => {
    this.log += new TextDecoder("utf-8", { ignoreBOM: true }).decode(lines);
  });
  log = "";

  push(output: string | Uint8Array, at = AT): this {
    const bytes = typeof output === "string" ? encoder.encode(output) : output;
    this.assembler.push(bytes, at);
    return this;
  }

  /** The texts of all lines so far; checks that each is stamped. */
  get texts(): string[] {
    this.assembler.drain();
    const lines = this.log.split("\n");
    assert.equal(lines.pop(), "", "the last line is whole");
    return lines.map((line) => {
      assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} /);
      return line.slice(STAMP_BYTES);
    });
  }

  finish(): string[] {
    this.assembler.finish(AT);
    return this.texts;
  }
}

/** The lines of a stream, however it is cut. */
function check(output: string | Uint8Array, lines: readonly string[]): void {
  const bytes = typeof output === "string" ? encoder.encode(output) : output;
  assert.deepEqual(new Collected().push(bytes).finish(), lines, "in one chunk");
  const torn = new Collected();
  for (const byte of bytes) torn.push(Uint8Array.of(byte));
  assert.deepEqual(torn.finish(), lines, "byte by byte, at one moment");
  const late = new Collected();
  for (const [index, byte] of bytes.entries()) {
    late.push(Uint8Array.of(byte), AT + index);
  }
  assert.deepEqual(late.finish(), lines, "byte by byte, over time");
}

Deno.test("LineAssembler stamps each line with the moment it was finished", () => {
  const collected = new Collected().push("a\r\nb", AT).push("c\r\n", AT + 1955);
  assert.deepEqual(collected.texts, ["a", "bc"]);
  assert.equal(collected.log, `${STAMP}a\n2026-11-20T07:08:11.000 bc\n`);
});

Deno.test("LineAssembler finds lines in every kind of output", () => {
  check("", []);
  check("\n", [""]);
  check("a\n\nb\n", ["a", "", "b"]);
  check("crlf\r\nlf\ncrcrlf\r\r\n", ["crlf", "lf", "crcrlf"]);
  check("no newline at the end", ["no newline at the end"]);
  check("\x1b[31mred\x1b[0m\r\n", ["\x1b[31mred\x1b[0m"]);
  check("tab\tbell\x07\r\n", ["tab\tbell\x07"]);
});

Deno.test("LineAssembler collapses redraws to what stands at the end", () => {
  check("10%\r50%\r100%\r\n", ["100%"]);
  check("long progress\rok\n", ["ok"]);
  check("\r\x1b[Kspinner\r\n", ["\x1b[Kspinner"]);
  check("half\r", ["half"]);
  check("a\rb\r\nc\rd\r\n", ["b", "d"]);
  check("a\r\rb\n", ["b"]);
});

Deno.test("LineAssembler repairs what is not UTF-8 and never tears what is", () => {
  check("grüße 🦕 日本\n", ["grüße 🦕 日本"]);
  check("\ufeffbom\n", ["\ufeffbom"]);
  check(Uint8Array.of(0x61, 0xff, 0x62, 10), ["a\ufffdb"]);
  check(Uint8Array.of(0xf0, 0x9f, 0xa6, 10), ["\ufffd"]);
  check(Uint8Array.of(0xf0, 0x9f, 0xa6), ["\ufffd"]);
  check(Uint8Array.of(0x80, 0x80, 10), ["\ufffd\ufffd"]);
  check("nul\0nul\n", ["nul\u2400nul"]);
});

Deno.test("LineAssembler splits long lines between two characters", () => {
  const max = MAX_LINE_BYTES;
  const long = "x".repeat(max);
  assert.deepEqual(new Collected().push(`${long}\n`).finish(), [long]);
  assert.deepEqual(new Collected().push(`${long}y\r\n`).finish(), [long, "y"]);
  const dinosaurs = "🦕".repeat(max / 4);
  assert.deepEqual(
    new Collected().push(`x${dinosaurs}\n`).finish(),
    [`x${dinosaurs.slice(2)}`, "🦕"],
  );
  const three = "x".repeat(3 * max + 1);
  const collected = new Collected();
  for (const character of three.match(/.{1,1000}/g) ?? []) {
    collected.push(character);
  }
  assert.deepEqual(
    collected.finish().map((line) => line.length),
    [max, max, max, 1],
  );
});

Deno.test("LineAssembler makes a line of unfinished text after silence", () => {
  const collected = new Collected().push("Compiling… ");
  assert.deepEqual(collected.texts, []);
  assert.ok(collected.assembler.hasUnfinished);
  collected.assembler.finishLine(AT);
  assert.deepEqual(collected.texts, ["Compiling… "]);
  assert.ok(!collected.assembler.hasUnfinished);
  assert.deepEqual(collected.push("\r\n").texts, ["Compiling… "]);
  assert.deepEqual(
    collected.push("\r\ndone\r\n").texts,
    ["Compiling… ", "", "done"],
  );
});

Deno.test("LineAssembler keeps a torn character over silence", () => {
  const [head, ...tail] = encoder.encode("é");
  const collected = new Collected().push("caf").push(Uint8Array.of(head ?? 0));
  collected.assembler.finishLine(AT);
  assert.deepEqual(
    collected.push(Uint8Array.from(tail)).push("\n").texts,
    ["caf", "é"],
  );
});

/** What the rules say, without any regard for speed or chunks. */
function reference(output: Uint8Array): string[] {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(output)
    .replaceAll("\0", "\u2400");
  const lines = text.split("\n");
  if (lines.at(-1)?.replaceAll("\r", "") === "") lines.pop();
  return lines.map((line) => line.replace(/\r+$/, "").split("\r").at(-1) ?? "");
}

Deno.test("LineAssembler agrees with the rules on any output in any chunks", () => {
  let seed = 1;
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor(seed / 2 ** 31 * below);
  };
  const pieces = [
    "\r\n",
    "\r\n",
    "\n",
    "\r",
    "abc ",
    "é",
    "🦕",
    "\0",
    "\x1b[0m",
  ]
    .map((piece) => encoder.encode(piece));
  pieces.push(Uint8Array.of(0xe2, 0x82), Uint8Array.of(0xff));
  const plain = encoder.encode(
    "a plain line of output, as most of them are\r\n",
  );
  for (let round = 0; round < 300; round++) {
    const isWild = round % 2 === 0;
    const parts = Array.from(
      { length: random(400) },
      () =>
        random(20) < (isWild ? 15 : 1) ? pieces[random(pieces.length)]! : plain,
    );
    const output = new Uint8Array(parts.flatMap((part) => [...part]));
    const collected = new Collected();
    for (let at = 0; at < output.length;) {
      const size = 1 + random(round % 3 === 0 ? 5000 : 50);
      collected.push(output.subarray(at, at + size), AT + random(3));
      at += size;
    }
    assert.deepEqual(collected.finish(), reference(output), `round ${round}`);
  }
});
