import assert from "node:assert/strict";
import fc from "fast-check";
import {
  bytesOf,
  ChunkScanner,
  textOf,
} from "../../../src/proxy/chunk_scanner.ts";

/** Pushes the text in pieces. Null = it was refused. */
function scan(
  text: string,
  cuts: readonly number[] = [],
): { readonly said: string; readonly rest: string } | null {
  const scanner = new ChunkScanner();
  const places = [...cuts.map((cut) => cut % (text.length + 1)), text.length]
    .toSorted((a, b) => a - b);
  let said = "";
  let from = 0;
  for (const to of places) {
    const bytes = bytesOf(text.slice(from, to));
    const scanned = scanner.push(bytes);
    if (scanned === null) return null;
    for (const part of scanned.parts) said += textOf(part);
    if (scanned.isOver) {
      return { said, rest: text.slice(from + scanned.length) };
    }
    from = to;
  }
  return { said, rest: "" };
}

Deno.test("ChunkScanner passes chunks as they are, wherever they are torn", () => {
  const chunk = fc.string({
    minLength: 1,
    maxLength: 40,
    unit: "binary-ascii",
  });
  fc.assert(fc.property(
    fc.array(chunk, { maxLength: 6 }),
    fc.array(fc.nat(400), { maxLength: 8 }),
    fc.constantFrom("", "HTTP/1.1 200 OK\r\n"),
    (chunks, cuts, next) => {
      const body = chunks.map((text) =>
        `${text.length.toString(16)}\r\n${text}\r\n`
      ).join("") + "0\r\n\r\n";
      const scanned = scan(body + next, cuts);
      assert.equal(scanned?.said, body);
      assert.ok((body + next).endsWith(scanned.rest));
      assert.ok(next.startsWith(scanned.rest) || scanned.rest === next);
    },
  ));
});

Deno.test("ChunkScanner leaves extensions behind, and trailers of one hop", () => {
  assert.deepEqual(
    scan(
      "3 ;a=b\r\nabc\r\n0;x\r\nX-Sum: 1 \r\nConnection: Y\r\nY: 2\r\n\r\nrest",
    ),
    { said: "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", rest: "rest" },
  );
});

Deno.test("ChunkScanner refuses what is no chunked body", () => {
  for (
    const text of [
      "x\r\n",
      "-1\r\n",
      "0x3\r\nabc\r\n",
      "3\nabc\r\n",
      "3\r\nabcd\r\n",
      " 3\r\nabc\r\n",
      "\r\n",
      "0\r\nbad trailer\r\n\r\n",
      "0\r\nA: b\r\n folded\r\n\r\n",
      "fffffffffffffff\r\n",
      `1;${"x".repeat(5_000)}\r\n`,
      `0\r\nA: ${"x".repeat(70_000)}\r\n\r\n`,
    ]
  ) assert.equal(scan(text), null, text.slice(0, 40));
});
