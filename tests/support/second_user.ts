/**
 * Everything of taskmux under another user than root, as on a developer's machine.
 *
 * @module
 */

import assert from "node:assert/strict";
import { testDenoDirectory } from "./deno_flags.ts";
import type { TempHome } from "./temp_home.ts";

/** A user that nobody is. */
const SECOND_UID = 65_533;

/** Whether this process may become another user. */
export const CAN_CHANGE_USER = Deno.build.os === "linux" && Deno.uid() === 0;

/**
 * Words that run a program as the second user. It may read all files, since the checkout can be root's own; that is all
 * it may beyond other users.
 */
export const AS_SECOND_USER: readonly string[] = [
  "setpriv",
  `--reuid=${SECOND_UID}`,
  `--regid=${SECOND_UID}`,
  "--clear-groups",
  "--inh-caps=+dac_read_search",
  "--ambient-caps=+dac_read_search",
];

/**
 * Makes a home and all in it the second user's, with a copy of the packages in Deno's cache, and with Deno itself where
 * the one that runs the tests lies in a folder of root's: the capability to read all files does not find programs.
 *
 * @returns Variables of the second user's environment.
 */
export async function giveToSecondUser(
  { root }: TempHome,
): Promise<Record<string, string>> {
  const denoDir = `${root}/deno`;
  await Deno.mkdir(denoDir);
  await run("cp", "-R", `${testDenoDirectory()}/npm`, denoDir);
  await run("chown", "-R", `${SECOND_UID}:${SECOND_UID}`, root);
  if (await mayRun(Deno.execPath())) return { DENO_DIR: denoDir };
  const bin = `${root}/deno-bin`;
  await Deno.mkdir(bin);
  await run("cp", "--reflink=auto", Deno.execPath(), `${bin}/deno`);
  return { DENO_DIR: denoDir, PATH: `${bin}:${Deno.env.get("PATH")}` };
}

/** Whether the second user may, without any capability. */
async function mayRun(path: string): Promise<boolean> {
  const [program = "", ...args] = AS_SECOND_USER.filter((word) =>
    !word.includes("caps")
  );
  const { success } = await new Deno.Command(program, {
    args: [...args, "test", "-x", path],
  }).output();
  return success;
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(program, { args }).output();
  assert(success, `${program} ${args.join(" ")}`);
}
