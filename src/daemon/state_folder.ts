/**
 * The state folder: there, private, and ours alone.
 *
 * @module
 */

import type { Paths } from "../config/paths.ts";
import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import { clearObstacle, kindOf, setAside } from "../kit/set_aside.ts";
import { STATE_FILE_MODE, type StateDamage } from "../store/state_file.ts";
import { awaitOlderDaemon } from "./older_daemon.ts";
import { requireAccess } from "./state_access.ts";

/** A claimed folder. */
export interface Claim {
  /** Held open for as long as the daemon lives; the kernel lets go of it when the process does. */
  readonly lock: Deno.FsFile;
  readonly warnings: readonly string[];
  /** What had the name of a file and was none. */
  readonly damage: readonly StateDamage[];
  /** The user as whom this process makes files. */
  readonly uid: number | null;
}

/** Bits of a mode that let others in. */
const OTHERS_MODE = 0o077;

/** Bits of a mode that let others make files. */
const OTHERS_WRITE = 0o022;

/**
 * Makes the folders, narrows what is wider than 0700, takes the daemon's lock and clears the way for files.
 *
 * @param options See {@linkcode awaitOlderDaemon}.
 * @returns Null if another daemon has it.
 * @throws {TaskmuxError} E900 if a folder cannot be made or is another user's.
 */
export async function claimStateFolder(
  paths: Paths,
  { isService = false }: { readonly isService?: boolean } = {},
): Promise<Claim | null> {
  const warnings: string[] = [];
  let uid: number | null = null;
  for (const folder of [paths.home, paths.runDir]) {
    const made = await makePrivate(folder, {
      mayBeLink: folder === paths.home,
    });
    if (made.warning !== null) warnings.push(made.warning);
    uid = made.uid;
  }
  const damage = clear([paths.daemonLock]);
  await requireAccess(paths);
  const lock = await Deno.open(paths.daemonLock, {
    create: true,
    write: true,
    mode: 0o600,
  });
  const isFree = await lock.tryLock(true);
  // The file with the lock of a daemon that lives may have been removed.
  const older = isFree ? await awaitOlderDaemon(paths, { isService }) : null;
  if (older === null || older.isBack) {
    lock.close();
    return null;
  }
  if (older.silentPid !== null) {
    warnings.push(
      `Process ${older.silentPid} looks like a daemon of ${paths.home} and does not listen`,
    );
  }
  damage.push(
    ...clear([
      paths.daemonInfo,
      paths.daemonLog,
      paths.keeperLock,
      paths.keeperLog,
      paths.registryLock,
    ]),
    ...clearSocket(paths.daemonSocket),
  );
  for (const file of [paths.registry, paths.daemonLog, paths.keeperLog]) {
    const warning = narrow(file);
    if (warning !== null) warnings.push(warning);
  }
  return { lock, warnings, damage, uid };
}

/** Moves what is no file out of the way of those that are to be written. */
function clear(files: readonly string[]): StateDamage[] {
  return files.flatMap((file) => {
    const aside = clearObstacle(file, systemClock.now());
    return aside === null ? [] : [inTheWay(file, aside)];
  });
}

function clearSocket(path: string): StateDamage[] {
  const kind = kindOf(path);
  if (kind === "absent" || kind === "socket") return [];
  return [inTheWay(path, setAside(path, systemClock.now()))];
}

function inTheWay(file: string, aside: string): StateDamage {
  const name = file.slice(file.lastIndexOf("/") + 1);
  return {
    file,
    aside,
    message: `${name} was something else; what it was is now "${aside}"`,
  };
}

function narrow(file: string): string | null {
  if (kindOf(file) !== "file") return null;
  const { mode } = Deno.statSync(file);
  if (((mode ?? 0) & OTHERS_MODE) === 0) return null;
  Deno.chmodSync(file, STATE_FILE_MODE);
  return `${file} was open to other users; its mode is 0600 now`;
}

async function makePrivate(
  folder: string,
  { mayBeLink }: { readonly mayBeLink: boolean },
): Promise<{ readonly warning: string | null; readonly uid: number | null }> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    // A link in a place that is open to all can be turned elsewhere once it is trusted.
    const info = await (mayBeLink ? Deno.stat(folder) : Deno.lstat(folder));
    if (!info.isDirectory) throw foreign(folder);
    // Its owner could put another socket in the place of ours, whatever its mode. Only root gets so far.
    const uid = await ownUid(folder);
    if (uid !== info.uid) throw foreign(folder);
    const mode = info.mode ?? 0;
    if ((mode & OTHERS_MODE) === 0) return { warning: null, uid };
    await Deno.chmod(folder, 0o700);
    const stray = (mode & OTHERS_WRITE) === 0
      ? null
      : await foreignEntry(folder, info);
    if (stray !== null) {
      // Open again, or the next start would find nothing amiss.
      await Deno.chmod(folder, mode & 0o7777);
      throw foreign(stray);
    }
    const warning = `${folder} was open to other users; its mode is 0700 now`;
    return { warning, uid };
  } catch (error) {
    if (error instanceof TaskmuxError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new TaskmuxError("E900", `Cannot use "${folder}": ${message}`, {
      hint: "Set TASKMUX_HOME to a folder you can write to",
      cause: error,
    });
  }
}

/** Others could write there until now, and what they left would be taken for our own state. Null if there is nothing. */
async function foreignEntry(
  folder: string,
  { uid }: Deno.FileInfo,
): Promise<string | null> {
  for await (const { name } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if ((await Deno.lstat(path)).uid !== uid) return path;
  }
  return null;
}

/** To whom files belong that are made in a folder now. Asking the system itself needs a permission more. */
async function ownUid(folder: string): Promise<number | null> {
  const probe = await Deno.makeTempFile({ dir: folder, prefix: ".owner-" });
  const { uid } = await Deno.stat(probe);
  await Deno.remove(probe);
  return uid;
}

function foreign(folder: string): TaskmuxError {
  return new TaskmuxError(
    "E900",
    `Cannot use "${folder}": it belongs to another user`,
    { hint: "Set TASKMUX_HOME to a folder of your own" },
  );
}
