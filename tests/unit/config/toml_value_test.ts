import assert from "node:assert/strict";
import { parse } from "smol-toml";
import {
  formatKey,
  formatPath,
  formatValue,
  sameValue,
} from "../../../src/config/toml_value.ts";
import type { TomlValue } from "../../../src/config/toml_value.ts";

Deno.test("formatValue writes what reads as the same", () => {
  const values: readonly TomlValue[] = [
    "",
    "plain",
    'with "quotes"',
    "with 'both' \"kinds\"",
    "back\\slash",
    "a\nb\r\tc\u0000\u001f\u007f\u2028",
    "'''",
    '"""',
    "日本 🎉",
    0,
    -0,
    -5,
    1.5,
    1e21,
    123456789012345680000,
    5e-324,
    Infinity,
    -Infinity,
    NaN,
    true,
    [],
    [1, "a", [true]],
    {},
    { a: 1, "b c": { "": "x" }, "d.e": [] },
    new Date("2020-01-02T03:04:05.678Z"),
  ];
  for (const value of values) {
    const written = formatValue(value);
    const read = parse(`x = ${written}`)["x"] as TomlValue;
    assert.ok(sameValue(read, value), `${written} for ${String(value)}`);
    assert.ok(!written.includes("\n"));
  }
});

Deno.test("formatValue prefers the quotes that need no escape", () => {
  assert.equal(formatValue("plain"), '"plain"');
  assert.equal(formatValue('say "hi"'), "'say \"hi\"'");
  assert.equal(formatValue("\\d+"), "'\\d+'");
  assert.equal(formatValue('it\'s "\\"'), '"it\'s \\"\\\\\\""');
});

Deno.test("formatValue makes a lone half of a pair writable", () => {
  assert.equal(formatValue("a\ud800"), '"a\ufffd"');
});

Deno.test("formatKey quotes what is not bare", () => {
  assert.equal(formatKey("a-b_9"), "a-b_9");
  assert.equal(formatKey("a.b"), '"a.b"');
  assert.equal(formatKey(""), '""');
  assert.equal(
    formatPath(["tasks", "a.b", "depends_on", 2]),
    'tasks."a.b".depends_on[2]',
  );
});

Deno.test("sameValue tells differences", () => {
  const different: readonly (readonly [TomlValue, TomlValue])[] = [
    [1, "1"],
    [1, true],
    [[], {}],
    [[1], [1, 2]],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: 1, b: 1 }],
    [{ a: 1 }, 1],
    [new Date(0), new Date(1)],
    [new Date(0), "x"],
    ["x", [new Date(0)]],
  ];
  for (const [a, b] of different) {
    assert.equal(sameValue(a, b), false);
    assert.equal(sameValue(b, a), false);
  }
  assert.ok(sameValue({ a: 1, b: [2] }, { b: [2], a: 1 }));
});
