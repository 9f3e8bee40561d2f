/**
 * The packages of the example shop's front end, for projects of tests: installing them for each would take minutes.
 *
 * @module
 */

import { canRun } from "./optional_tool.ts";
import { REPOSITORY } from "./deno_flags.ts";

const WEB = `${REPOSITORY}/examples/shop/web`;
const SHARED = `${WEB}/node_modules`;

/**
 * Whether they are installed here, and marked so that the shop's own task leaves them as they are. Where `CI` is set
 * their absence is a failure, not a reason to skip.
 */
export const HAS_SHOP_PACKAGES: boolean = Deno.env.get("CI") === "true" ||
  canRun("the shop's front end, until `taskmux start` ran in examples/shop", [
    "cmp",
    `${WEB}/package-lock.json`,
    `${SHARED}/.installed`,
  ]);

/** What a running Vite writes belongs to one project. */
const OWN = [".vite", ".vite-temp"];

/**
 * Gives a folder a `node_modules` with them, in the state in which the shop's own task leaves it.
 *
 * @throws {Deno.errors.NotFound} If nobody has installed them.
 */
export async function linkPackages(folder: string): Promise<void> {
  const own = `${folder}/node_modules`;
  await Deno.mkdir(own);
  for await (const { name } of Deno.readDir(SHARED)) {
    if (OWN.includes(name)) continue;
    await Deno.symlink(`${SHARED}/${name}`, `${own}/${name}`);
  }
}
