/**
 * Another version of taskmux: a copy of this one in which the numbers that tell versions apart are different.
 *
 * @module
 */

import assert from "node:assert/strict";
import { REPOSITORY } from "./deno_flags.ts";
import type { TempHome } from "./temp_home.ts";

/** What is different. */
export interface OtherNumbers {
  readonly version: string;
  readonly wireProtocol?: number;
  readonly keeperProtocol?: number;
  readonly oldestKeeperProtocol?: number;
  /** Steps that the state database gets beyond those of this version. */
  readonly moreMigrations?: number;
}

/** What a program needs at run time. */
const PARTS = ["main.ts", "src", "schema", "skills", "deno.json", "deno.lock"];

/**
 * Makes a copy within the home, with which it goes.
 *
 * @returns Its entry, for `CliOptions.entry`.
 */
export async function otherVersion(
  { root }: TempHome,
  numbers: OtherNumbers,
): Promise<{ readonly entry: string }> {
  const folder = await Deno.makeTempDir({ dir: root, prefix: "version-" });
  const { success } = await new Deno.Command("cp", {
    args: ["-R", ...PARTS.map((part) => `${REPOSITORY}/${part}`), folder],
  }).output();
  assert(success);
  const wire = `${folder}/src/contract/wire.ts`;
  const keeper = `${folder}/src/pty/protocol.ts`;
  await setConstant(wire, "VERSION", numbers.version);
  await setConstant(wire, "WIRE_PROTOCOL", numbers.wireProtocol);
  await setConstant(keeper, "KEEPER_PROTOCOL", numbers.keeperProtocol);
  await setConstant(
    keeper,
    "OLDEST_KEEPER_PROTOCOL",
    numbers.oldestKeeperProtocol,
  );
  await addMigrations(
    `${folder}/src/store/migrations.ts`,
    numbers.moreMigrations ?? 0,
  );
  return { entry: `${folder}/main.ts` };
}

async function setConstant(
  path: string,
  name: string,
  value: string | number | undefined,
): Promise<void> {
  if (value === undefined) return;
  await replace(
    path,
    new RegExp(`(?<=^export const ${name} = )[^;]*`, "m"),
    JSON.stringify(value),
  );
}

async function addMigrations(path: string, count: number): Promise<void> {
  if (count === 0) return;
  const steps = Array.from(
    { length: count },
    (_, index) => `"create table later_${index} (x integer) strict;",`,
  );
  await replace(path, /\];\s*$/, `${steps.join("\n")}\n];\n`);
}

async function replace(
  path: string,
  pattern: RegExp,
  text: string,
): Promise<void> {
  const before = await Deno.readTextFile(path);
  assert.match(before, pattern, path);
  await Deno.writeTextFile(path, before.replace(pattern, () => text));
}
