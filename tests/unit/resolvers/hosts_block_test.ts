import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type HostsBlock,
  namesInHosts,
  ownersInHosts,
  withHosts,
} from "../../../src/resolvers/hosts_block.ts";

const BOTH = ["127.0.0.1", "::1"];

function block(
  names: readonly string[],
  owner = "/home/ann/.taskmux",
): HostsBlock {
  return { owner, names, addresses: BOTH };
}

Deno.test("a block stands at the end, sorted, behind an empty line", () => {
  const before = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n";
  const names = ["web.shop.localhost", "api.shop.localhost", "*.x.localhost"];
  const after = withHosts(before, block(names));
  assert.equal(
    after,
    `${before}
# BEGIN taskmux managed
# of /home/ann/.taskmux
127.0.0.1\tapi.shop.localhost
127.0.0.1\tweb.shop.localhost
::1\tapi.shop.localhost
::1\tweb.shop.localhost
# END taskmux managed
`,
  );
  assert.equal(withHosts(after, block([])), before);
});

Deno.test("a block without an end takes nothing with it", () => {
  const text = "# BEGIN taskmux managed\n127.0.0.1\ta.b.localhost\n" +
    "10.0.0.1 build\n# BEGIN taskmux managed\n10.0.0.2 db\n";
  const after = withHosts(text, block(["x.y.localhost"]));
  assert.ok(after.startsWith(text), after);
  const again = withHosts(after, block(["z.y.localhost"]));
  assert.ok(again.startsWith(text), again);
  assert.deepEqual(namesInHosts(again, "/home/ann/.taskmux"), [
    "z.y.localhost",
  ]);
  assert.equal(withHosts(again, block([])), text);
});

Deno.test("the block of the first taskmux becomes ours, what a user wrote into it stays", () => {
  const text = "10.0.0.1 build\n\n# BEGIN taskmux managed\n" +
    "127.0.0.1\told.x.localhost\n10.0.0.9 mine # note\n" +
    "# END taskmux managed\n10.0.0.2 db\n";
  assert.equal(
    withHosts(text, {
      ...block(["new.x.localhost"]),
      addresses: ["127.0.0.1"],
    }),
    "10.0.0.1 build\n\n10.0.0.9 mine # note\n# BEGIN taskmux managed\n" +
      "# of /home/ann/.taskmux\n127.0.0.1\tnew.x.localhost\n" +
      "# END taskmux managed\n10.0.0.2 db\n",
  );
});

Deno.test("line ends of Windows and a missing last one are kept", () => {
  const after = withHosts("10.0.0.1 build\r\n10.0.0.2 db", block(["a.b.test"]));
  assert.ok(after.startsWith("10.0.0.1 build\r\n10.0.0.2 db\r\n\r\n# BEGIN"));
  assert.ok(!/[^\r]\n/.test(after), JSON.stringify(after));
  assert.ok(withHosts("10.0.0.1 x", block(["a.b.test"])).includes("x\n\n# B"));
});

Deno.test("any state folder is named on one line and found again", () => {
  for (const owner of ["/home/zoë x/.taskmux", "/a%20b", "/a\nb", "/tab\t"]) {
    const text = withHosts("", block(["a.b.test"], owner));
    assert.ok(/^[\x20-\x7e\t\n]*$/.test(text), text);
    assert.deepEqual(ownersInHosts(text), [owner]);
    assert.deepEqual(namesInHosts(text, owner), ["a.b.test"]);
  }
  const odd = "# BEGIN taskmux managed\n# of %zz\n# END taskmux managed\n";
  assert.deepEqual(ownersInHosts(odd), [null]);
});

Deno.test("names cannot bring lines of their own", () => {
  const text = withHosts("", block(["a.b\n10.0.0.1 bank.example", "a b", ""]));
  assert.equal(text, "");
});

const OURS =
  /^(?:# (?:BEGIN|END) taskmux managed|# of .*|(?:127\.0\.0\.1|::1)\t[a-z0-9_.-]+|\s*)$/;

/** Lines as they may stand in a hosts file, ours among them in any order. */
const anyLine = fc.oneof(
  fc.constantFrom(
    "# BEGIN taskmux managed",
    "# END taskmux managed",
    "# of /home/ann/.taskmux",
    "# of /home/bob/.taskmux",
    "127.0.0.1\tapi.shop.localhost",
    "",
    "  # BEGIN taskmux managed",
    "127.0.0.1\tlocalhost loopback",
    "127.0.0.1 api.shop.localhost",
  ),
  fc.string({ unit: "binary", maxLength: 12 })
    .map((line) => line.replaceAll(/[\r\n]/g, "")),
);

const anyText = fc.record({
  lines: fc.array(fc.tuple(anyLine, fc.constantFrom("\n", "\r\n"))),
  isOpen: fc.boolean(),
}).map(({ lines, isOpen }) => {
  const text = lines.map(([line, end]) => line + end).join("");
  return isOpen ? text.replace(/\r?\n$/, "") : text;
});

const anyNames = fc.subarray([
  "api.shop.localhost",
  "shop.localhost",
  "a-b.c.test",
  "*.wild.test",
]);

function foreignLines(text: string): string[] {
  return text.split("\n").map((line) => line.replace(/\r$/, ""))
    .filter((line) => !OURS.test(line));
}

Deno.test("no line of a user is ever lost, moved or changed", () => {
  fc.assert(
    fc.property(anyText, anyNames, (text, names) => {
      const after = withHosts(text, block(names));
      assert.deepEqual(foreignLines(after), foreignLines(text));
      assert.equal(withHosts(after, block(names)), after, "once more");
      const there = namesInHosts(after, "/home/ann/.taskmux") ?? [];
      const wanted = names.filter((name) => !name.startsWith("*")).sort();
      assert.deepEqual(there, wanted);
      const without = withHosts(after, block([]));
      assert.deepEqual(foreignLines(without), foreignLines(text));
      assert.equal(namesInHosts(without, "/home/ann/.taskmux"), null);
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("what was there before comes back byte for byte", () => {
  const plain = fc.array(anyLine.filter((line) => !line.includes("taskmux")))
    .map((lines) => lines.map((line) => `${line}\n`).join(""));
  fc.assert(
    fc.property(plain, anyNames, (text, names) => {
      const after = withHosts(text, block(names));
      assert.ok(after.startsWith(text));
      assert.equal(withHosts(after, block([])), text);
    }),
    { numRuns: 500 },
  );
});

Deno.test("two state folders never undo each other", () => {
  fc.assert(
    fc.property(anyText, anyNames, anyNames, (text, mine, theirs) => {
      const bob = block(theirs, "/home/bob/.taskmux");
      const both = withHosts(withHosts(text, block(mine)), bob);
      assert.equal(withHosts(both, block(mine)), both, "ann again");
      assert.equal(withHosts(both, bob), both, "bob again");
      const later = withHosts(both, block(["later.shop.localhost"]));
      assert.equal(withHosts(later, bob), later, "bob after ann's change");
    }),
    { numRuns: 500 },
  );
});
