/**
 * The tables of the README and of the pages it leads to against what they describe.
 */

import assert from "node:assert/strict";
import { type CommandEntry, COMMANDS } from "../../src/cli/command_table.ts";
import {
  describeHostConfig,
  parseHostConfig,
} from "../../src/config/host_config.ts";
import { HOST_FIELDS } from "../../src/config/host_keys.ts";
import { resolvePaths } from "../../src/config/paths.ts";
import { cliFlags } from "../../src/config/permissions.ts";
import { ERROR_CODES, EXIT } from "../../src/domain/error_codes.ts";
import { REPOSITORY } from "../support/deno_flags.ts";
import { codeBlocks, codeNames, tables } from "../support/markdown.ts";

const README = read("README.md");
const CONFIGURATION = read("docs/configuration.md");
const PROGRAMS = read("docs/programs.md");

interface Schema {
  readonly default?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
}

function read(path: string): string {
  return Deno.readTextFileSync(`${REPOSITORY}/${path}`);
}

/** Keys of the schema with their defaults as the README writes them; null = none that could be written. */
function keysOf(schema: Schema): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([key, value]) => [
      key,
      value.default === undefined ? null : JSON.stringify(value.default),
    ]),
  );
}

/** A table of keys as {@linkcode keysOf} tells them. Prose instead of a value is for a default that is none. */
function documentedKeys(
  rows: readonly (readonly string[])[],
): Record<string, string | null> {
  return Object.fromEntries(
    rows.map(([key, value]) => [
      codeNames(key!)[0]!,
      /^`[^`]+`$/.test(value!) ? codeNames(value!)[0]! : null,
    ]),
  );
}

Deno.test("docs/configuration.md names every key of taskmux.toml with its default", () => {
  const schema: Schema = JSON.parse(read("schema/taskmux.schema.json"));
  const task = schema.properties?.["tasks"]?.additionalProperties?.anyOf
    ?.find(({ properties }) => properties !== undefined);
  const [project, ofTask, ...others] = tables(
    CONFIGURATION,
    "key",
    "default",
    "meaning",
  );
  assert(task && project && ofTask);
  assert.deepEqual(others, []);
  assert.deepEqual(documentedKeys(project.rows), keysOf(schema));
  // The default of `shell` is the system's, not a value in the schema.
  assert.deepEqual(documentedKeys(ofTask.rows), {
    ...keysOf(task),
    shell: "/bin/sh",
  });
});

Deno.test("docs/configuration.md names every setting of the machine with its default", () => {
  const settings = tables(CONFIGURATION, "key", "default")
    .find(({ header }) => header.length === 2);
  const { config } = parseHostConfig("", "config.toml");
  const values = describeHostConfig(config, { reveal: false });
  const expected = Object.keys(HOST_FIELDS).map((key) => {
    const value = values[key];
    const isPlain = ["string", "number", "boolean"].includes(typeof value);
    return [key, isPlain ? JSON.stringify(value) : null];
  });
  assert.deepEqual(
    documentedKeys(settings!.rows),
    Object.fromEntries(expected),
  );
});

Deno.test("README names every command with its summary", () => {
  const [table] = tables(README, "command", "what");
  const documented = table!.rows.map(([names, what]) => [
    codeNames(names!).join(", "),
    what,
  ]);
  const line = (
    { name, aliases = [], summary }: CommandEntry,
    parent = "",
  ): [string, string] => [
    [name, ...aliases].map((each) => `${parent}${each}`).join(", "),
    summary,
  ];
  const expected = COMMANDS.flatMap((entry) => [
    ...(entry.load === undefined ? [] : [line(entry)]),
    ...(entry.subcommands ?? []).map((sub) => line(sub, `${entry.name} `)),
  ]);
  assert.deepEqual(documented, expected);
});

Deno.test("docs/programs.md names every error code and every exit code", () => {
  const [errors] = tables(PROGRAMS, "code", "exit", "meaning");
  assert.deepEqual(
    errors!.rows.map(([code, exit]) => [code, Number(exit)]),
    Object.entries(ERROR_CODES).map(([code, { exit }]) => [code, exit]),
  );
  const exits = tables(PROGRAMS, "code", "meaning")
    .find(({ header }) => header.length === 2);
  assert.deepEqual(
    exits!.rows.map(([code]) => Number(code)),
    Object.values(EXIT),
  );
});

Deno.test("docs/programs.md names every type of event", () => {
  const [table] = tables(PROGRAMS, "event", "when");
  const documented = table!.rows.flatMap(([types]) => codeNames(types!));
  const [, union] = /type EventType =([^;]+);/.exec(
    read("src/domain/event.ts"),
  )!;
  const types = [...union!.matchAll(/"(\w+)"/g)].map((match) => match[1]!);
  assert.deepEqual(documented.toSorted(), types.toSorted());
});

Deno.test("README installs taskmux with exactly the permissions of the CLI", () => {
  const flags = cliFlags(resolvePaths({ HOME: "/HOME" }))
    .map((flag) => flag.replaceAll("/HOME", "$HOME"));
  const installs = codeBlocks(README).map(({ text }) => text)
    .filter((text) => text.startsWith("deno install"));
  assert.equal(installs.length, 2);
  for (const text of installs) {
    const words = text.replaceAll('"', "").split(/[\s\\]+/);
    const given = words.filter((word) =>
      /^--(?:no-prompt|allow-|unstable-|v8-flags)/.test(word)
    );
    assert.deepEqual(given, flags);
  }
});

Deno.test("pages link only to files and headings that are there", async (t) => {
  const pages = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "ARCHITECTURE.md",
    "skills/taskmux/SKILL.md",
    ...[...Deno.readDirSync(`${REPOSITORY}/docs`)]
      .filter(({ name }) => name.endsWith(".md"))
      .map(({ name }) => `docs/${name}`),
  ];
  for (const page of pages) {
    await t.step(page, () => {
      for (const [, target] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target!)) continue;
        const { pathname, hash } = new URL(target!, `file:///${page}`);
        const linked = pathname.slice(1);
        Deno.statSync(`${REPOSITORY}/${linked}`);
        if (hash !== "") {
          assert(anchors(read(linked)).includes(hash.slice(1)), target);
        }
      }
    });
  }
});

/** The headings of a page as links name them. */
function anchors(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map((match) =>
    match[1]!.toLowerCase().replace(/[^\w\s-]/g, "").replaceAll(" ", "-")
  );
}
