/**
 * Deletes the state folder, but for the settings. Only where no daemon is: its lock is held meanwhile.
 *
 * @module
 */

import type { Paths } from "../config/paths.ts";
import { TaskmuxError } from "../domain/error.ts";

/**
 * Deletes everything of the state folder beside `config.toml` and the folder of locks and sockets.
 *
 * @returns The paths that were deleted, sorted.
 * @throws {TaskmuxError} E600 if a daemon has come up.
 */
export async function removeState(paths: Paths): Promise<string[]> {
  using lock = await Deno.open(paths.daemonLock, {
    create: true,
    write: true,
    mode: 0o600,
  });
  if (!await lock.tryLock(true)) {
    throw new TaskmuxError(
      "E600",
      "Cannot delete the rest of the state: a daemon has been started meanwhile",
      { hint: "taskmux clean --all --yes" },
    );
  }
  const kept = new Set([paths.hostConfig, paths.runDir]);
  const deleted: string[] = [];
  for await (const { name } of Deno.readDir(paths.home)) {
    const path = `${paths.home}/${name}`;
    if (kept.has(path)) continue;
    await Deno.remove(path, { recursive: true });
    deleted.push(path);
  }
  return deleted.sort();
}
