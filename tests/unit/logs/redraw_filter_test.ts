/**
 * What is drawn over by moving the cursor is gone. The sequences are those that the named programs print.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ALL_TASKS_FORM,
  type JsonElement,
  ONE_TASK_FORM,
} from "../../../src/logs/budget_form.ts";
import { REPOSITORY } from "../../support/deno_flags.ts";
import { LogBudget } from "../../../src/logs/log_budget.ts";
import {
  AMPLE_BYTES,
  budgetOf,
  isErrorText,
  recordOf,
  withoutStamp,
} from "../../support/budget_lines.ts";

function check(
  lines: readonly string[],
  expected: readonly JsonElement[],
): void {
  const budget = budgetOf(lines);
  const { elements, omitted } = budget.choose(AMPLE_BYTES, ONE_TASK_FORM);
  assert.deepEqual(elements.map(withoutStamp), expected);
  assert.deepEqual(omitted, { lines: 0, bytes: 0 });
}

Deno.test("frames that erase the rows above them, as log-update and Ink do", () => {
  const up = "\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K\x1b[G";
  check([
    "before",
    "⠋ build",
    "⠋ test",
    `${up}⠙ build`,
    "⠙ test",
    `${up}✔ build`,
    "✔ test",
    "after",
  ], ["before", { redrawn: 4 }, "✔ build", "✔ test", "after"]);
});

Deno.test("rows that are rewritten one by one, as docker compose does", () => {
  check([
    "[+] Running 0/2",
    " ⠋ db  Pulling",
    " ⠋ web Pulling",
    "\x1b[3A\x1b[0G\x1b[?25l[+] Running 1/2",
    "\x1b[2K \x1b[32m✔\x1b[0m db  Pulled",
    "\x1b[2K ⠙ web Pulling",
    "\x1b[3A\x1b[0G[+] Running 2/2",
    "\x1b[2K ✔ db  Pulled",
    "\x1b[2K ✔ web Pulled",
    "\x1b[?25hready",
  ], [
    { redrawn: 2 },
    "[+] Running 2/2",
    { redrawn: 2 },
    " ✔ db  Pulled",
    { redrawn: 2 },
    " ✔ web Pulled",
    "ready",
  ]);
});

Deno.test("rows that are written without newlines, as docker pull does", () => {
  check([
    "aaa: Waiting",
    "bbb: Waiting",
    "\x1b[2A\x1b[2K\raaa: Downloading\x1b[2B\x1b[1A\x1b[2K\rbbb: Done\x1b[1B" +
    "\x1b[2A\x1b[2K\raaa: Done\x1b[2B",
    "Status: Downloaded",
  ], ["aaa: Done", "bbb: Done", { redrawn: 1 }, "Status: Downloaded"]);
});

Deno.test("a spinner in one row, as npm draws it", () => {
  check(
    ["⠙\x1b[1G\x1b[0K⠹\x1b[1G\x1b[0K\x1b[1G\x1b[0Kadded 1 package"],
    ["added 1 package"],
  );
});

Deno.test("a list that gets shorter leaves nothing behind", () => {
  check([
    "one",
    "two",
    "three",
    "\x1b[3A\x1b[Jall done",
  ], [{ redrawn: 3 }, "all done"]);
});

Deno.test("a screen that is cleared takes nothing away, as tsc and Vite clear it", () => {
  const lines = ["first build", "\x1b[2J\x1b[3J\x1b[Hsecond build"];
  check(lines, ["first build", "second build"]);
  check(["first", "\x1bcsecond"], ["first", "second"]);
});

Deno.test("an error that something else is drawn over stays", () => {
  check([
    "ERROR no such module",
    "⠋ waiting",
    "\x1b[2A\x1b[J⠙ waiting",
  ], ["ERROR no such module", { redrawn: 1 }, "⠙ waiting"]);
  // One that says the same does not.
  check(["ERROR in 1 file", "\x1b[1A\x1b[2KERROR in 2 files"], [
    "ERROR in 1 file",
    "ERROR in 2 files",
  ]);
  check(["ERROR after 1 s", "\x1b[1A\x1b[2KERROR after 2 s"], [
    { redrawn: 1 },
    "ERROR after 2 s",
  ]);
});

Deno.test("the cursor of one task does not touch the rows of another", () => {
  const budget = new LogBudget({
    maxBytes: AMPLE_BYTES,
    isWhole: true,
    isError: isErrorText,
  });
  const lines: [string, string][] = [
    ["a", "a 1"],
    ["b", "b one"],
    ["a", "\x1b[1A\x1b[2Ka 2"],
    ["b", "b two"],
  ];
  for (const [at, [task, line]] of lines.entries()) {
    budget.add(recordOf(line, { task, at }));
  }
  budget.end();
  const { elements } = budget.choose(AMPLE_BYTES, ALL_TASKS_FORM);
  assert.deepEqual(elements.map((each) => Object(each).text), [
    "b one",
    "a 2",
    "b two",
  ]);
});

Deno.test("a cursor that goes far up, or ends the log up there, harms nothing", () => {
  check(["\x1b[99Aone", "two"], ["one", "two"]);
  check(["one", "two", "\x1b[2A\x1b[2K"], [{ redrawn: 2 }, "two"]);
  check(["one", "\x1b[1A\x1b[2K"], [{ redrawn: 1 }, ""]);
  const many = Array.from({ length: 600 }, (_, n) => `${"x".repeat(n)}!`);
  const { elements } = budgetOf([...many, "\x1b[600A\x1b[2Kend"]).choose(
    AMPLE_BYTES,
    ONE_TASK_FORM,
  );
  assert.equal(withoutStamp(elements.at(-1)!), "end");
});

Deno.test("without all lines nobody can tell what is drawn over", () => {
  const budget = budgetOf(["one", "\x1b[1A\x1b[2Ktwo"], { isWhole: false });
  const { elements } = budget.choose(AMPLE_BYTES, ONE_TASK_FORM);
  assert.deepEqual(elements.map(withoutStamp), ["one", "two"]);
});

/**
 * Logs of real programs: listr2 9, cli-progress 3, ora 9, Ink 6 and npm, run as tasks. The frames are theirs, and what
 * must stay is what their terminals showed at the end.
 */
const RECORDED: Readonly<Record<string, readonly string[]>> = {
  listr: ["✔ build", "✔ test", "✔ pack", "listr done", ""],
  bars: [
    `a [${"█".repeat(40)}] 100%`,
    `b [${"█".repeat(20)}${"░".repeat(20)}] 50%`,
    "bars done",
  ],
  ora: ["✔ loaded", "ora done", ""],
  ink: [
    "PASS test 0",
    "PASS test 7",
    "PASS test 14",
    "running 20",
    "of twenty",
    "",
  ],
  npm: ["", "added 3 packages in 2s", ""],
};

for (const [name, expected] of Object.entries(RECORDED)) {
  Deno.test(`of what ${name} drew there is what its terminal showed at the end`, async () => {
    const path = `${REPOSITORY}/tests/fixtures/redraws/${name}.log`;
    const lines = (await Deno.readTextFile(path)).split("\n").slice(0, -1);
    const budget = budgetOf(lines.map((line) => line.slice(24)));
    const { elements } = budget.choose(AMPLE_BYTES, ONE_TASK_FORM);
    const shown = elements.filter((each) => typeof each === "string");
    assert.deepEqual(shown.map(withoutStamp), expected);
    const gone = elements.reduce(
      (sum, each) => sum + (Object(each)["redrawn"] ?? 0),
      0,
    );
    assert.equal(shown.length + gone, lines.length);
  });
}
