import assert from "node:assert/strict";
import fc from "fast-check";
import {
  hasComments,
  readJson,
  removeMember,
  setMember,
} from "../../../src/agents/json_text.ts";
import type { Json } from "../../../src/kit/json.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";

const JSONC = { comments: true, trailingCommas: true };
const STRICT = { comments: false, trailingCommas: false };
const KEYS = ["servers", "ours"];
const ENTRY = { type: "http", url: "http://localhost:8765/mcp?session=a&b=c" };

function put(text: string, value: Json = ENTRY): string {
  return setMember(text, { keys: KEYS, value, syntax: JSONC, path: "f" });
}

function drop(text: string): string {
  return removeMember(text, { keys: KEYS, syntax: JSONC, path: "f" });
}

Deno.test("a member goes below the last one, and looks like those around it", () => {
  const cases: [before: string, after: string][] = [
    ["", `{\n  "servers": {\n    "ours": 1\n  }\n}\n`],
    ["{}", `{\n  "servers": {\n    "ours": 1\n  }\n}`],
    ["{}\n", `{\n  "servers": {\n    "ours": 1\n  }\n}\n`],
    [`{"a":1}`, `{"a":1,"servers":{"ours":1}}`],
    [`{"a": 1, "b": 2}`, `{"a": 1, "b": 2, "servers": { "ours": 1 }}`],
    [`{ "servers": {} }`, `{ "servers": {\n  "ours": 1\n} }`],
    [
      `{\n\t"servers": {\n\t\t"x": {}\n\t}\n}\n`,
      `{\n\t"servers": {\n\t\t"x": {},\n\t\t"ours": 1\n\t}\n}\n`,
    ],
    [
      `{\n    "servers": {\n        "x": {} // why\n    },\n}`,
      `{\n    "servers": {\n        "x": {}, // why\n        "ours": 1\n    },\n}`,
    ],
    [
      `{\n  "servers": {\n    "x": {}, /* why */\n    // more\n  },\n}`,
      `{\n  "servers": {\n    "x": {}, /* why */\n    "ours": 1,\n    // more\n  },\n}`,
    ],
    [
      `{\n  "servers": {\n    // none yet\n  }\n}\n`,
      `{\n  "servers": {\n    // none yet\n    "ours": 1\n  }\n}\n`,
    ],
    [
      `{ // top\n  "a": 1\n}\n`,
      `{ // top\n  "a": 1,\n  "servers": {\n    "ours": 1\n  }\n}\n`,
    ],
    [
      "// only a comment",
      `// only a comment\n{\n  "servers": {\n    "ours": 1\n  }\n}\n`,
    ],
    [`{"servers":{"ours": 0 /* old */}}`, `{"servers":{"ours": 1 /* old */}}`],
  ];
  for (const [before, after] of cases) {
    for (const mark of ["", "\uFEFF"]) {
      assert.equal(put(mark + before, 1), mark + after, before);
      const windows = (text: string) => mark + text.replaceAll("\n", "\r\n");
      if (!before.includes("\n")) continue;
      assert.equal(put(windows(before), 1), windows(after), before);
    }
  }
});

Deno.test("a member goes with its comma and its lines, comments stay", () => {
  const cases: [before: string, after: string][] = [
    [`{"servers":{"ours":1}}`, `{"servers":{}}`],
    [`{"servers":{"ours":1,"x":2}}`, `{"servers":{"x":2}}`],
    [`{"servers":{"x":2,"ours":1}}`, `{"servers":{"x":2}}`],
    [`{"servers":{"x":2, "ours":1, "y":3}}`, `{"servers":{"x":2, "y":3}}`],
    [`{"servers":{"x":2, "ours":1, }}`, `{"servers":{"x":2,  }}`],
    [
      `{\n  "servers": {\n    "x": 2, // x\n    "ours": 1\n  }\n}\n`,
      `{\n  "servers": {\n    "x": 2 // x\n  }\n}\n`,
    ],
    [
      `{\n  "servers": {\n    // of ours\n    "ours": 1,\n    "y": 2,\n  }\n}\n`,
      `{\n  "servers": {\n    // of ours\n    "y": 2,\n  }\n}\n`,
    ],
    [
      `{\n  "servers": {\n    "ours": 1\n  }\n}\n`,
      `{\n  "servers": {}\n}\n`,
    ],
    [`{"servers":{"ours":1,"x":2,"ours":3}}`, `{"servers":{"x":2}}`],
    [`{"other": 1}`, `{"other": 1}`],
    [`{"servers": 1}`, `{"servers": 1}`],
    ["", ""],
  ];
  for (const [before, after] of cases) assert.equal(drop(before), after);
});

Deno.test("what is no JSON of that kind is refused with line and column", () => {
  const cases: [text: string, syntax: typeof JSONC, place: string][] = [
    [`{"a": 1,}`, STRICT, "line 1, column 9"],
    [`{\n  // c\n  "a": 1\n}`, STRICT, "line 2, column 3"],
    [`{\n  "a" 1\n}`, JSONC, "line 2, column 7"],
    [`{\n  "a": 1`, JSONC, "line 2, column 9"],
    [`[]`, JSONC, "line 1, column 1"],
    [`{} {}`, JSONC, "line 1, column 4"],
    ["[".repeat(200_000), JSONC, "line 1, column"],
  ];
  for (const [text, syntax, place] of cases) {
    const edit = { keys: KEYS, syntax, path: "/f.json" };
    const acts = [
      () => readJson(text, syntax, "/f.json"),
      () => setMember(text, { ...edit, value: 1 }),
      () => removeMember(text, edit),
    ];
    for (const act of acts) {
      assert.throws(act, (error) => {
        assert.ok(error instanceof TaskmuxError);
        assert.equal(error.code, "E101");
        assert.ok(error.message.includes(place), error.message);
        return true;
      });
    }
  }
  assert.throws(() => put(`{"servers": []}`), { code: "E104" });
  assert.throws(() => put(`{"servers": null}`), { code: "E104" });
});

Deno.test("plain JSON says what JSON.parse says", () => {
  const value = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(value, fc.constantFrom(0, 2, "\t"), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const read = readJson(text, STRICT, "f");
      assert.deepEqual(JSON.parse(JSON.stringify(read)), JSON.parse(text));
    }),
  );
});

Deno.test("comments are told from text", () => {
  assert.equal(hasComments(`{"a": "// none"}`), false);
  assert.equal(hasComments(`{"a": 1} // one`), true);
});

const blank = fc.constantFrom(
  "",
  " ",
  "\n",
  "\n  ",
  " /* c */ ",
  "// c\n",
  "\t",
);
const name = fc.constantFrom("a", "b\\n", "servers", "ours", "__proto__", "ü");

/** JSON texts with comments and blanks anywhere, some of them with our places in them. */
const { object } = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom("1", "null", '"x // y"', "[]", "[1, {}]", "-1.50"),
    tie("object"),
  ),
  object: fc.tuple(
    fc.uniqueArray(fc.tuple(name, blank, tie("value"), blank), {
      maxLength: 4,
      selector: ([key]) => key,
    }),
    blank,
    fc.boolean(),
  ).map(([members, space, comma]) => {
    const written = members.map(([key, before, value, after]) =>
      `${before}"${key}":${after}${value}${before}`
    );
    const last = comma && members.length > 0 ? "," : "";
    return `{${space}${written.join(",")}${last}${space}}`;
  }),
}));

function commentsOf(text: string): number {
  return text.split("/* c */").length + text.split("// c\n").length;
}

Deno.test("whatever the text, only our member changes, and comments stay", () => {
  fc.assert(
    fc.property(object, (text) => {
      const before = readJson(text, JSONC, "f")!;
      const servers = before["servers"];
      const isObject = typeof servers === "object" && servers !== null &&
        !Array.isArray(servers);
      if (servers !== undefined && !isObject) {
        assert.throws(() => put(text), { code: "E104" });
        return;
      }
      const after = put(text);
      const read = readJson(after, JSONC, "f")!;
      assert.deepEqual(
        JSON.parse(JSON.stringify(read)),
        JSON.parse(JSON.stringify({
          ...before,
          servers: { ...servers as object, ours: ENTRY },
        })),
      );
      assert.equal(put(after), after);
      const hadOurs = isObject && Object.hasOwn(servers, "ours");
      if (!hadOurs) assert.ok(commentsOf(after) >= commentsOf(text));
      const gone = drop(after);
      if (!hadOurs) assert.equal(commentsOf(gone), commentsOf(text), gone);
      assert.equal(drop(gone), gone);
    }),
    { numRuns: 500 },
  );
});

Deno.test("a damaged text is refused, or changed as a sound one", () => {
  const damage = fc.tuple(
    fc.nat(),
    fc.nat({ max: 3 }),
    fc.constantFrom("", ",", '"', "{", "}", "[", "/*", "//", "\\", "\0", ":"),
  );
  fc.assert(
    fc.property(object, damage, (text, [at, length, piece]) => {
      const start = at % (text.length + 1);
      const damaged = text.slice(0, start) + piece + text.slice(start + length);
      let after: string;
      try {
        after = put(damaged);
      } catch (error) {
        assert(error instanceof TaskmuxError, String(error));
        assert(["E101", "E104"].includes(error.code), String(error));
        return;
      }
      const before = readJson(damaged, JSONC, "f");
      assert.deepEqual(
        JSON.parse(JSON.stringify(readJson(after, JSONC, "f"))),
        JSON.parse(JSON.stringify({
          ...before,
          servers: { ...before?.["servers"] as object, ours: ENTRY },
        })),
      );
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("what was put beside others and taken out again leaves the same bytes", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
      fc.constantFrom("  ", "\t", "    "),
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      (names, unit, eol, comma) => {
        const members = names.filter((key) => key !== "ours").map((key) =>
          `${unit}${unit}"${key}": {}`
        ).join(`,${eol}`);
        if (members === "") return;
        const text = [
          "{",
          `${unit}"servers": {`,
          members + (comma ? "," : ""),
          `${unit}}`,
          "}",
          "",
        ].join(eol);
        assert.equal(drop(put(text)), text);
      },
    ),
  );
});
