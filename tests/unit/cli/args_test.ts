import assert from "node:assert/strict";
import { parseArguments } from "../../../src/cli/args.ts";
import type { OptionSpecs } from "../../../src/cli/command.ts";
import { COMMON_OPTIONS } from "../../../src/cli/globals.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";

const OPTIONS: OptionSpecs = {
  ...COMMON_OPTIONS,
  follow: { type: "boolean", short: "f", summary: "" },
  lines: { type: "string", short: "n", value: "N", summary: "" },
  grep: { type: "string", short: "g", value: "REGEXP", summary: "" },
  type: { type: "string", multiple: true, summary: "" },
  "if-stopped": { type: "boolean", summary: "" },
};

const EMPTY = {
  json: false,
  config: null,
  caller: null,
  reveal: false,
  help: false,
  version: false,
  follow: false,
  lines: null,
  grep: null,
  type: [],
  "if-stopped": false,
};

interface Expected {
  readonly values?: Readonly<Record<string, unknown>>;
  readonly positionals?: readonly string[];
  readonly words?: readonly string[] | null;
}

function check(args: readonly string[], expected: Expected): void {
  Deno.test(`parseArguments() reads ${JSON.stringify(args)}`, () => {
    assert.deepEqual(parseArguments(args, OPTIONS), {
      values: { ...EMPTY, ...expected.values },
      positionals: expected.positionals ?? [],
      words: expected.words ?? null,
    });
  });
}

check([], {});
check(["a", "-f", "b"], { values: { follow: true }, positionals: ["a", "b"] });
check(["-n", "5"], { values: { lines: "5" } });
check(["-n5"], { values: { lines: "5" } });
check(["--lines=5"], { values: { lines: "5" } });
check(["-fn", "5"], { values: { follow: true, lines: "5" } });
check(["-n", "5", "-n", "6"], { values: { lines: "6" } });
check(["--type", "a", "--type=b"], { values: { type: ["a", "b"] } });
check(["--grep=--json"], { values: { grep: "--json" } });
check(["--grep=-x"], { values: { grep: "-x" } });
check(["-g", "-"], { values: { grep: "-" } });
check(["--if-stopped", "--json"], {
  values: { "if-stopped": true, json: true },
});
check(["x", "--", "--json", "-f"], {
  positionals: ["x"],
  words: ["--json", "-f"],
});
check(["--"], { words: [] });

for (
  const [args, message, hint] of [
    [
      ["-g", "--json"],
      'Cannot use option "-g": no value',
      "Write --grep=--json",
    ],
    [
      ["--grep", "-f"],
      'Cannot use option "--grep": no value',
      "Write --grep=-f",
    ],
    [["-n"], 'Cannot use option "-n": no value', "Write --lines=N"],
    [["--lines="], 'Cannot use option "--lines": no value', "Write --lines=N"],
    [
      ["--folow"],
      'Cannot use option "--folow": there is none of that name',
      "did you mean --follow?",
    ],
    [
      ["--if-stoped"],
      'Cannot use option "--if-stoped": there is none of that name',
      "did you mean --if-stopped?",
    ],
    [
      ["--zzz"],
      'Cannot use option "--zzz": there is none of that name',
      "Add --help to see the options",
    ],
    [
      ["-C", "web"],
      'Cannot use option "-C": there is none of that name',
      "Write -C DIR before the command",
    ],
    [
      ["--follow=yes"],
      'Cannot use option "--follow" with a value: it takes none',
      "Write --follow",
    ],
    [
      ["--constructor"],
      'Cannot use option "--constructor": there is none of that name',
      "Add --help to see the options",
    ],
  ] as const
) {
  Deno.test(`parseArguments() refuses ${JSON.stringify(args)}`, () => {
    assert.throws(() => parseArguments(args, OPTIONS), (error) => {
      assert(error instanceof TaskmuxError);
      assert.equal(error.code, "E500");
      assert.equal(error.message, message);
      assert.equal(error.hint, hint);
      return true;
    });
  });
}
