/**
 * The skill against the convention of agentskills.io and against what taskmux has. Its command lines are run by
 * tests/e2e/readme_test.ts.
 */

import assert from "node:assert/strict";
import { SKILL_TEXT } from "../../src/agents/skill.ts";
import { COMMANDS, findEntry } from "../../src/cli/command_table.ts";
import deno from "../../deno.json" with { type: "json" };

/** Read whole by an agent each time. */
const MAX_BYTES = 6 * 1024;

/** The keys of the convention. */
const KEYS = ["name", "description", "license", "compatibility", "metadata"];

/** `key: value` lines; those of `metadata` as `metadata.key`. */
function frontMatter(text: string): Record<string, string> {
  const [, head = ""] = /^---\n(.*?)\n---\n/s.exec(text) ?? [];
  let parent = "";
  return Object.fromEntries(
    head.split("\n").map((line) => {
      const match = /^( {2})?([a-z]+):(?: (.+))?$/.exec(line);
      assert(match, `"${line}" is beyond the plainest YAML`);
      const [, indent, key = "", value = ""] = match;
      if (indent === undefined) parent = key;
      // Else it would have to be quoted.
      assert(/^"[^"\\]*"$/.test(value) || !/: |#|^["'[{&*!|>%@`]/.test(value));
      return [
        indent === undefined ? key : `${parent}.${key}`,
        value.replace(/^"(.*)"$/, "$1"),
      ];
    }),
  );
}

Deno.test("the skill has the front matter of the convention, and this version", () => {
  const { "metadata.version": version, ...front } = frontMatter(SKILL_TEXT);
  assert.deepEqual(Object.keys(front), KEYS);
  assert.equal(front["name"], "taskmux");
  assert.equal(version, deno.version);
  assert.equal(front["license"], deno.license);
  const description = front["description"] ?? "";
  assert(description.length <= 1024);
  assert.match(description, /Use when /);
  assert.match(description, /Not for /);
  assert((front["compatibility"] ?? "").length <= 500);
});

Deno.test("the skill is short and names only commands that there are", () => {
  const bytes = new TextEncoder().encode(SKILL_TEXT).length;
  assert(bytes <= MAX_BYTES, `${bytes} bytes`);
  const named = [...SKILL_TEXT.matchAll(/(?:^|`)taskmux ([a-z][a-z-]*)/gm)]
    .map(([, name = ""]) => name);
  assert(named.length > 10);
  for (const name of named) assert(findEntry(name, COMMANDS), name);
});
