/**
 * `deno task faults [NAME…] [--peers]`: tries what goes wrong on taskmux, and with `--peers` on the managers beside it.
 *
 * Without a name the fault tests come first. A name, such as `F2`, tries that one; `--only NAME` limits the subjects. With
 * `--peers` the results are kept and `docs/reliability.md` is written anew from what is kept. Linux; as root each try has
 * a pid and mount namespace of its own, in which nothing can be left behind.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { REPOSITORY } from "../../tests/support/deno_flags.ts";
import { describeMachine, loadText } from "../harness/machine.ts";
import type { Subject } from "../subjects/subject.ts";
import type { FaultScenario } from "./fault_scenario.ts";
import { renderMatrix, writeMatrix } from "./matrix.ts";
import { cellOf } from "./namespace.ts";
import { keepResults } from "./results.ts";
import { SCENARIOS } from "./scenarios.ts";
import { findFaultSubjects } from "./subjects.ts";

const TESTS = ["tests/e2e/faults", "tests/e2e/model"];

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => interrupted.abort());
}
Deno.exit(await main(interrupted.signal));

async function main(signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      peers: { type: "boolean", default: false },
      only: { type: "string" },
      "no-tests": { type: "boolean", default: false },
    },
  });
  const isWhole = positionals.length === 0;
  const scenarios = chosen(positionals);
  const isGood = !isWhole || values["no-tests"] || await runTests(signal);
  const found = findFaultSubjects(Deno.env.toObject());
  const only = values.only?.split(",");
  const subjects = found.subjects.filter(({ name }) =>
    only?.includes(name) ?? (values.peers || name === "taskmux")
  );
  const versions = await found.versions(signal);
  const column = (subject: Subject): string =>
    `${subject.name} ${versions[found.subjects.indexOf(subject)]}`;
  const isKept = values.peers && only === undefined;
  const absent = values.peers
    ? found.missing.map((name) => [name, "not installed here"] as const)
    : [];
  const settings = found.subjects.map(({ name, settings }) =>
    [name, settings] as const
  );
  for (const scenario of scenarios) {
    const cells: [string, string][] = [];
    for (const subject of subjects) {
      const cell = await cellOf(scenario.name, subject.name, signal);
      console.log(`${scenario.name} ${subject.name}: ${cell}`);
      cells.push([column(subject), cell]);
    }
    if (!isKept) continue;
    // After each: hours of work are not lost to the last minute.
    const results = await keepResults({
      [scenario.name]: {
        facts: await facts(),
        cells: Object.fromEntries([...cells, ...absent]),
      },
    });
    await writeMatrix(
      renderMatrix({ scenarios: SCENARIOS, results, settings }),
    );
  }
  return isGood ? 0 : 1;
}

async function facts(): Promise<string> {
  const date = new Date().toISOString().slice(0, 10);
  const known = new Map(await describeMachine());
  const names = ["system", "processor", "memory", "commit"];
  return `Tried on ${date}: ` +
    `${names.map((name) => known.get(name)).join("; ")}; load ${loadText()}.`;
}

function chosen(names: readonly string[]): readonly FaultScenario[] {
  const unknown = names.find((name) =>
    !SCENARIOS.some((scenario) => scenario.name === name)
  );
  if (unknown !== undefined) {
    const known = SCENARIOS.map(({ name }) => name).join(", ");
    throw new Error(`There is no fault "${unknown}", only ${known}`);
  }
  if (names.length === 0) return SCENARIOS;
  return SCENARIOS.filter(({ name }) => names.includes(name));
}

/** @returns Whether all passed. */
async function runTests(signal: AbortSignal): Promise<boolean> {
  const paths = TESTS.filter((path) => exists(`${REPOSITORY}/${path}`));
  const { success } = await new Deno.Command("deno", {
    args: ["test", "-P", "--no-prompt", "--parallel", ...paths],
    cwd: REPOSITORY,
    signal,
  }).spawn().status;
  return success;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
