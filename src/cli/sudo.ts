/**
 * Being called by `sudo`: whose daemon is meant then. Loaded only when the environment speaks of it.
 *
 * @module
 */

import { findSudoUser, type TargetUser } from "../config/target_user.ts";
import { TaskmuxError } from "../domain/error.ts";

/**
 * The user who called `sudo`; null if this process has not the rights of root, as after `sudo` to yet another user.
 *
 * @throws {TaskmuxError} E500 as `findSudoUser` does.
 */
export function sudoUser(): TargetUser | null {
  if (!isRoot()) return null;
  return findSudoUser(
    {
      SUDO_UID: Deno.env.get("SUDO_UID"),
      SUDO_GID: Deno.env.get("SUDO_GID"),
      SUDO_USER: Deno.env.get("SUDO_USER"),
      SUDO_HOME: Deno.env.get("SUDO_HOME"),
    },
    readPasswd(),
    Deno.build.os,
  );
}

/**
 * Refuses what would leave files of root in the folders of a user.
 *
 * @throws {TaskmuxError} E500 under `sudo`.
 */
export function refuseSudo(user: TargetUser | null, what: string): void {
  if (user === null) return;
  throw new TaskmuxError(
    "E500",
    `Cannot ${what} as root: files of "${user.name}" would belong to root`,
    { hint: "Say it without sudo" },
  );
}

/** Files show whose process made them. Asking the system itself needs a permission more. */
function isRoot(): boolean {
  const probe = Deno.makeTempFileSync({ dir: "/tmp", prefix: ".taskmux-" });
  try {
    return Deno.lstatSync(probe).uid === 0;
  } finally {
    Deno.removeSync(probe);
  }
}

function readPasswd(): string | null {
  try {
    return Deno.readTextFileSync("/etc/passwd");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
