import assert from "node:assert/strict";
import { PAGE } from "../../bench/faults/matrix.ts";
import { SCENARIOS } from "../../bench/faults/scenarios.ts";

const page = Deno.readTextFileSync(PAGE);

Deno.test("docs/reliability.md has a table for each fault, with taskmux in it", () => {
  for (const { name, title } of SCENARIOS) {
    const [, section = ""] = page.split(`### ${name}: ${title}`);
    const [table = ""] = section.split("\n### ");
    const cell = /^\| taskmux \S+ +\| (.+?) +\|$/m.exec(table)?.[1];
    assert(cell !== undefined, `${name} has no result; run deno task faults`);
    assert.notEqual(cell, "could not be tried", name);
  }
});
