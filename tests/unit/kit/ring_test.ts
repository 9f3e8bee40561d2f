import assert from "node:assert/strict";
import { ByteRing } from "../../../src/kit/ring.ts";

function check(limit: number, chunks: readonly string[], held: string): void {
  const ring = new ByteRing(limit);
  for (const chunk of chunks) ring.write(new TextEncoder().encode(chunk));
  assert.equal(new TextDecoder().decode(ring.snapshot()), held);
  assert.equal(ring.length, held.length);
  const all = chunks.join("");
  assert.equal(ring.hasDropped, all.length > limit);
  assert.equal(ring.written, all.length);
  for (let position = 0; position <= all.length + 1; position++) {
    assert.equal(
      new TextDecoder().decode(ring.since(position)),
      all.slice(Math.max(position, all.length - limit)),
    );
  }
}

Deno.test("ByteRing holds the last bytes, oldest first", () => {
  check(4, [], "");
  check(4, ["ab"], "ab");
  check(4, ["ab", "cd"], "abcd");
  check(4, ["abcd"], "abcd");
  check(4, ["ab", "cde"], "bcde");
  check(4, ["abcdefgh"], "efgh");
  check(4, ["abc", "defghij"], "ghij");
  check(4, ["abcd", "e", "f", "g", "h", "i"], "fghi");
  check(4, ["abcd", "", "efgh"], "efgh");
});

Deno.test("ByteRing agrees with a string over many writes", () => {
  const ring = new ByteRing(10_000);
  let all = "";
  for (let index = 0; index < 500; index++) {
    const chunk = `${index};`.repeat(index % 37);
    ring.write(new TextEncoder().encode(chunk));
    all += chunk;
    assert.equal(
      new TextDecoder().decode(ring.snapshot()),
      all.slice(-10_000),
    );
  }
});

Deno.test("ByteRing does not keep the chunk it was given", () => {
  const ring = new ByteRing(8);
  const chunk = Uint8Array.of(1, 2, 3);
  ring.write(chunk);
  chunk.fill(9);
  assert.deepEqual([...ring.snapshot()], [1, 2, 3]);
});
