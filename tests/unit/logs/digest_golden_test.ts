/**
 * The digest of what tools really print, `tests/fixtures/errors`, compared with what a human found in it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { RecordRedactor } from "../../../src/domain/record_redactor.ts";
import { Redactor } from "../../../src/domain/redactor.ts";
import { isDeepStrictEqual } from "node:util";
import {
  DEFAULT_SCAN_BYTES,
  digestLogs,
} from "../../../src/logs/digest/digest_logs.ts";
import type { ErrorGroup } from "../../../src/logs/digest/error_group.ts";
import { digestErrors } from "../../../src/logs/digest/mod.ts";
import { TIMESTAMP_LENGTH } from "../../../src/logs/log_line.ts";
import { plainLine } from "../../../src/logs/plain_line.ts";
import { REPOSITORY } from "../../support/deno_flags.ts";

const CAPTURES = `${REPOSITORY}/tests/fixtures/errors`;

/** A group as the README of the captures describes it. */
interface Expected {
  readonly kind: string;
  readonly count: number;
  /** A part of the message. */
  readonly message: string;
  /** `FILE:LINE`, `FILE` where no line is told, or null. */
  readonly frame: string | null;
  /** Lines from 1; times once they are resolved. */
  readonly first: number | string;
  readonly last: number | string;
}

/** Every file of a tool that ends like this, without that end. */
function namesOf(tool: string, suffix: string): string[] {
  return [...Deno.readDirSync(`${CAPTURES}/${tool}`)]
    .flatMap(({ name }) =>
      name.endsWith(suffix) && name !== "cases.json"
        ? [name.slice(0, -suffix.length)]
        : []
    ).sort();
}

async function groupsOf(
  tool: string,
  name: string,
): Promise<readonly ErrorGroup[]> {
  const root = `/tmp/errors/${tool}`;
  const { groups, omittedGroups } = await digestLogs({
    sources: [{
      task: name,
      path: `${CAPTURES}/${tool}/${name}.log`,
      folder: root,
    }],
    root,
    sinceMs: null,
    untilMs: null,
    cursor: null,
    maxBytes: DEFAULT_SCAN_BYTES,
    nowMs: Date.UTC(2030, 0, 1),
    // As every answer is made: what looks like a secret is taken out first.
    secrets: new RecordRedactor(new Redactor([])),
  });
  assert.equal(omittedGroups, 0);
  return groups;
}

/** Line numbers as times. */
function resolved(expected: Expected, lines: readonly string[]): Expected {
  const time = (line: number | string) =>
    `${lines[Number(line) - 1]?.slice(0, TIMESTAMP_LENGTH)}Z`;
  return {
    ...expected,
    first: time(expected.first),
    last: time(expected.last),
  };
}

/** A group in the form of what is expected. */
function told(group: ErrorGroup, message = group.message): Expected {
  const { kind, count, frame, first, last } = group;
  return {
    kind,
    count,
    message,
    frame: frame === null
      ? null
      : frame.line === null
      ? frame.file
      : `${frame.file}:${frame.line}`,
    first,
    last,
  };
}

/** How much of what is expected a group has; 0 if it is another one. */
function likeness(group: ErrorGroup, expected: Expected): number {
  if (!group.message.includes(expected.message)) return 0;
  const actual = told(group);
  return 1 + Number(actual.frame === expected.frame) +
    Number(actual.first === expected.first);
}

/** The groups in the order of those that are expected, each in its words; what nobody expected comes last. */
function inOrder(
  groups: readonly ErrorGroup[],
  expected: readonly Expected[],
): Expected[] {
  const left = new Set(groups);
  const found = expected.flatMap((each) => {
    const [best] = [...left].filter((group) => likeness(group, each) > 0)
      .sort((a, b) => likeness(b, each) - likeness(a, each));
    if (best === undefined) return [];
    left.delete(best);
    return [told(best, each.message)];
  });
  return [...found, ...[...left].map((group) => told(group))];
}

/** Captures whose errors have to be found whatever was printed before them. */
const PROBES = [
  "go/nil",
  "java/cause",
  "logs/bunyan",
  "next/runtime",
  "node/uncaught",
  "python/chained",
  "ruby/uncaught",
  "rust/panic",
  "tsc/pretty",
];

/** The texts of a capture. */
async function textsOf(name: string): Promise<readonly string[]> {
  const text = await Deno.readTextFile(`${CAPTURES}/${name}.log`);
  return text.trimEnd().split("\n").map((line) =>
    plainLine(line.slice(TIMESTAMP_LENGTH + 1))
  );
}

/** How often each error occurs in one output. */
async function countsOf(
  ...outputs: (readonly string[])[]
): Promise<Map<string, number>> {
  const lines = outputs.flat().map((text) => ({ task: "", ts: "", text }));
  const { groups } = await digestErrors(lines, { root: "/tmp/errors" });
  return new Map(groups.map(({ fingerprint, count }) => [fingerprint, count]));
}

const TOOLS = [...Deno.readDirSync(CAPTURES)]
  .flatMap(({ name, isDirectory }) => isDirectory ? [name] : []).sort();

for (const tool of TOOLS) {
  const captures = namesOf(tool, ".log");

  Deno.test(`each capture of ${tool} has its command and what is expected of it`, async () => {
    const { cases } = JSON.parse(
      await Deno.readTextFile(`${CAPTURES}/${tool}/cases.json`),
    );
    assert.deepEqual(captures, Object.keys(cases).sort());
    assert.deepEqual(captures, namesOf(tool, ".json"));
  });

  for (const name of captures) {
    Deno.test(`the digest of ${tool}/${name} is what a human found in it`, async () => {
      const path = `${CAPTURES}/${tool}/${name}`;
      const lines = (await Deno.readTextFile(`${path}.log`)).split("\n");
      const { groups } = JSON.parse(
        await Deno.readTextFile(`${path}.json`),
      ) as {
        readonly groups: readonly Expected[];
      };
      const expected = groups.map((group) => resolved(group, lines));
      assert.deepEqual(inOrder(await groupsOf(tool, name), expected), expected);
    });
  }
}

Deno.test("an error is found and counted whatever was printed before it", async () => {
  const lost: string[] = [];
  for (const tool of TOOLS) {
    for (const capture of namesOf(tool, ".log")) {
      const before = await textsOf(`${tool}/${capture}`);
      const earlier = await countsOf(before);
      for (const name of PROBES) {
        const probe = await textsOf(name);
        const expected = new Map(earlier);
        for (const [fingerprint, count] of await countsOf(probe)) {
          expected.set(fingerprint, (expected.get(fingerprint) ?? 0) + count);
        }
        const actual = await countsOf(before, probe);
        if (!isDeepStrictEqual(sorted(actual), sorted(expected))) {
          lost.push(`${tool}/${capture} + ${name}`);
        }
      }
    }
  }
  assert.deepEqual(lost, []);
});

function sorted(counts: Map<string, number>): [string, number][] {
  return [...counts].sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
}
