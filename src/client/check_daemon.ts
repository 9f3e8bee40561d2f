/**
 * Asking whether a daemon could start, before the one that runs is ended.
 *
 * @module
 */

import type { Paths } from "../config/paths.ts";
import type { TargetUser } from "../config/target_user.ts";
import type { TaskmuxError } from "../domain/error.ts";
import { daemonCommand } from "./spawn_daemon.ts";
import { startupError } from "./startup_error.ts";

/** How long the question may take. Its first time may have to download the daemon's packages. */
const CHECK_TIMEOUT_MS = 120_000;

/**
 * Asks whether a daemon of this very version can take over here, before anything is done to the one that runs.
 *
 * @returns Why it cannot; null if it can, or nobody knows why not: then its start will tell.
 */
export async function checkDaemon(
  paths: Paths,
  { signal, user = null }: {
    readonly signal: AbortSignal;
    /** Whom it would become, where the caller is root. */
    readonly user?: TargetUser | null;
  },
): Promise<TaskmuxError | null> {
  const command = daemonCommand(paths, { args: ["--check"], user });
  const limit = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  const { stderr } = await new Deno.Command(command.program, {
    ...command.options,
    stdout: "null",
    stderr: "piped",
    signal: AbortSignal.any([signal, limit]),
  }).output();
  signal.throwIfAborted();
  return startupError(new TextDecoder().decode(stderr));
}
