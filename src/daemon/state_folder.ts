/**
 * The state folder: there, private, and ours alone.
 *
 * @module
 */

import type { Paths } from "../config/paths.ts";
import { TaskmuxError } from "../domain/error.ts";

/** A claimed folder. */
export interface Claim {
  /** Held open for as long as the daemon lives; the kernel lets go of it when the process does. */
  readonly lock: Deno.FsFile;
  readonly warnings: readonly string[];
}

/** Bits of a mode that let others in. */
const OTHERS_MODE = 0o077;

/**
 * Makes the folders, narrows what is wider than 0700 and takes the daemon's lock.
 *
 * @returns Null if another daemon has it.
 * @throws {TaskmuxError} E900 if a folder cannot be made or is another user's.
 */
export async function claimStateFolder(paths: Paths): Promise<Claim | null> {
  const warnings: string[] = [];
  for (const folder of [paths.home, paths.runDir]) {
    const warning = await makePrivate(folder);
    if (warning !== null) warnings.push(warning);
  }
  const lock = await Deno.open(paths.daemonLock, {
    create: true,
    write: true,
    mode: 0o600,
  });
  if (await lock.tryLock(true)) return { lock, warnings };
  lock.close();
  return null;
}

async function makePrivate(folder: string): Promise<string | null> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const info = await Deno.stat(folder);
    // Its owner could put another socket in the place of ours, whatever its mode. Only root gets so far.
    if (!await isOwn(folder, info)) throw foreign(folder);
    if (((info.mode ?? 0) & OTHERS_MODE) === 0) return null;
    await Deno.chmod(folder, 0o700);
    return `${folder} was open to other users; its mode is 0700 now`;
  } catch (error) {
    if (error instanceof TaskmuxError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new TaskmuxError("E900", `Cannot use "${folder}": ${message}`, {
      hint: "Set TASKMUX_HOME to a folder you can write to",
      cause: error,
    });
  }
}

/** Whether a folder belongs to whom files belong that are made in it now. */
async function isOwn(folder: string, info: Deno.FileInfo): Promise<boolean> {
  const probe = await Deno.makeTempFile({ dir: folder, prefix: ".owner-" });
  const { uid } = await Deno.stat(probe);
  await Deno.remove(probe);
  return uid === info.uid;
}

function foreign(folder: string): TaskmuxError {
  return new TaskmuxError(
    "E900",
    `Cannot use "${folder}": it belongs to another user`,
    { hint: "Set TASKMUX_HOME to a folder of your own" },
  );
}
