/**
 * Starting our own processes in tests exactly as they are started in earnest: same entry, same permissions.
 *
 * @module
 */

import {
  denoCommand,
  entryPoint,
  type LaunchCommand,
} from "../../src/config/launch.ts";
import type { Paths } from "../../src/config/paths.ts";
import {
  cliFlags,
  daemonFlags,
  denoDirectory,
  keeperFlags,
} from "../../src/config/permissions.ts";
import { fileURLToPath } from "node:url";

/** The folder of the repository, without a trailing slash. */
export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url))
  .replace(/\/$/, "");

/** The command of `taskmux ARGS…`, from this checkout unless another entry is given. */
export function cliCommand(
  paths: Paths,
  args: readonly string[],
  entry = `${REPOSITORY}/main.ts`,
): LaunchCommand {
  return denoCommand({
    entry,
    flags: cliFlags(paths),
    args,
  });
}

/** The command of the daemon from this checkout. */
export function daemonCommand(
  paths: Paths,
  args: readonly string[] = [],
): LaunchCommand {
  return denoCommand({
    entry: entryPoint("daemon"),
    flags: daemonFlags(paths),
    args,
  });
}

/**
 * The command of the keeper from this checkout.
 *
 * @param libc The C library, exactly as the keeper opens it.
 */
export function keeperCommand(
  paths: Paths,
  libc: string,
  args: readonly string[] = [],
): LaunchCommand {
  return denoCommand({
    entry: entryPoint("keeper"),
    flags: keeperFlags(paths, { denoDir: testDenoDirectory(), libc }),
    args,
  });
}

/** Where the Deno that runs these tests keeps its packages. */
export function testDenoDirectory(): string {
  return denoDirectory(Deno.env.toObject(), Deno.build.os);
}
