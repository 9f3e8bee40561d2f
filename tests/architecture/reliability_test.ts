import assert from "node:assert/strict";
import { PAGE } from "../../bench/faults/matrix.ts";
import { SCENARIOS } from "../../bench/faults/scenarios.ts";
import { REPOSITORY } from "../support/deno_flags.ts";
import { sourceFiles } from "./_module_graph.ts";

const page = Deno.readTextFileSync(PAGE);

Deno.test("docs/reliability.md names only tests that are there", () => {
  const named = [...page.matchAll(/`(\w+_test\.ts)`/g)].map(([, name]) => name);
  assert(named.length > 5);
  const there = new Set(
    sourceFiles(["tests"]).map((path) => path.split("/").at(-1)),
  );
  assert.deepEqual(named.filter((name) => !there.has(name)), []);
});

Deno.test("docs/reliability.md names every test of a fault", () => {
  const silent = sourceFiles(["tests/e2e/faults"])
    .filter((path) => !page.includes(`\`${path.split("/").at(-1)}\``));
  assert.deepEqual(silent, []);
});

Deno.test("docs/reliability.md has a table for each fault, with taskmux in it", () => {
  for (const { name, title } of SCENARIOS) {
    const [, section = ""] = page.split(`### ${name}: ${title}`);
    const [table = ""] = section.split("\n### ");
    const cell = /^\| taskmux +\| (.+?) +\|$/m.exec(table)?.[1];
    assert(cell !== undefined, `${name} has no result; run deno task faults`);
    assert.notEqual(cell, "could not be tried", `${name} on ${REPOSITORY}`);
  }
});
