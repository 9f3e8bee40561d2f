import assert from "node:assert/strict";
import type { OptionSpecs } from "../../../src/cli/command.ts";
import {
  type GlobalArguments,
  parsePlain,
  splitGlobals,
  wantsHelp,
  wantsJson,
  wantsReveal,
  wantsVersion,
} from "../../../src/cli/globals.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";

const NOTHING: GlobalArguments = {
  help: false,
  version: false,
  folder: null,
  config: null,
  caller: null,
  reveal: false,
  command: null,
  rest: [],
};

function check(line: string, expected: Partial<GlobalArguments>): void {
  Deno.test(`splitGlobals() understands "${line}"`, () => {
    const argv = line.split(" ").filter((word) => word !== "");
    assert.deepEqual(splitGlobals(argv), { ...NOTHING, ...expected });
  });
}

check("", {});
check("--json", {});
check("status", { command: "status" });
check("status --json", { command: "status", rest: ["--json"] });
check("--json status", { command: "status" });
check("-h", { help: true });
check("--version", { version: true });
check("-V status", { version: true, command: "status" });
check("-C web status", { folder: "web", command: "status" });
check("--config a.toml --json ls", { config: "a.toml", command: "ls" });
check("--config=a.toml ls", { config: "a.toml", command: "ls" });
check("--caller ci-7 status", { caller: "ci-7", command: "status" });
check("--caller=ci-7 --reveal ls", {
  caller: "ci-7",
  reveal: true,
  command: "ls",
});
// After the command, -C belongs to it.
check("logs -C 3", { command: "logs", rest: ["-C", "3"] });
check("-C a -C b status", { folder: "b", command: "status" });

for (
  const [line, message] of [
    ["-C", 'Cannot use option "-C": no value'],
    ["-C --json status", 'Cannot use option "-C": no value'],
    ["--config", 'Cannot use option "--config": no value'],
    ["--caller", 'Cannot use option "--caller": no value'],
    ["--jsn status", 'Cannot use option "--jsn"'],
    ["-x", 'Cannot use option "-x"'],
  ]
) {
  Deno.test(`splitGlobals() refuses "${line}"`, () => {
    assert.throws(() => splitGlobals(line!.split(" ")), (error) => {
      assert(error instanceof TaskmuxError);
      assert.equal(error.code, "E500");
      assert(error.message.startsWith(message!), error.message);
      return true;
    });
  });
}

Deno.test("wantsReveal() finds --reveal anywhere before --", () => {
  assert.equal(wantsReveal(["--reveal", "status"]), true);
  assert.equal(wantsReveal(["logs", "--reveal"]), true);
  assert.equal(wantsReveal(["run", "x", "--", "y", "--reveal"]), false);
});

Deno.test("wantsJson() finds --json anywhere before --", () => {
  assert.equal(wantsJson(["status", "--json"]), true);
  assert.equal(wantsJson(["logs", "-g", "--json"]), true);
  assert.equal(wantsJson(["run", "x", "--", "y", "--json"]), false);
  assert.equal(wantsJson(["status", "--jsonx"]), false);
});

Deno.test("wantsHelp() and wantsVersion() leave the words after -- alone", () => {
  assert.equal(wantsHelp(["x", "-h"]), true);
  assert.equal(wantsHelp(["x", "--", "--help"]), false);
  assert.equal(wantsVersion(["x", "-V"]), true);
  assert.equal(wantsVersion(["x", "--", "--version"]), false);
});

const OPTIONS = {
  json: { type: "boolean", summary: "" },
  grep: { type: "string", summary: "" },
  type: { type: "string", multiple: true, summary: "" },
} as const satisfies OptionSpecs;

Deno.test("parsePlain() reads a line of words and --json", () => {
  assert.deepEqual(parsePlain(["a", "--json", "-", "b"], OPTIONS), {
    values: { json: true, grep: null, type: [] },
    positionals: ["a", "-", "b"],
    words: null,
  });
});

Deno.test("parsePlain() leaves every other option to the real parser", () => {
  for (const arg of ["--grep", "-g", "--", "--json=1", "-n5"]) {
    assert.equal(parsePlain(["a", arg], OPTIONS), null, arg);
  }
});
