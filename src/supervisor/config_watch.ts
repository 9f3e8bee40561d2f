/**
 * Tells when a project's file changes.
 *
 * Looks at the file again and again, which costs some microseconds, instead of having its folder watched: Deno's watcher
 * opens whatever it sees change beside the file. A named pipe there would lose what somebody else was to read from it,
 * and then block the watcher, and with the next one this whole process, for ever (Deno 2.9). It also works where file
 * systems tell nothing.
 *
 * Reads nothing into the file; that is the reader's business.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";

/** How long nothing may happen until a change counts as complete. */
export const CONFIG_DEBOUNCE_MS = 75;

/** How often the file is looked at. */
export const CONFIG_LOOK_MS = 250;

/** A file that never falls silent is told of after so many quiet periods. */
const MAX_QUIET_PERIODS = 20;

/** How long a file must be gone. Some editors and git remove it before they write it anew. */
const MISSING_GRACE_MS = 1_000;

/** Larger files are told apart by size and time only. */
const MAX_COMPARED_BYTES = 1024 * 1024;

/** Whether there is a file. */
export type ConfigPresence = "present" | "missing";

/** How to watch. */
export interface ConfigWatchOptions {
  /** {@linkcode CONFIG_DEBOUNCE_MS} by default. */
  readonly debounceMs?: number;
  readonly clock: Clock;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/**
 * Whether the file is there: at once, so that a change after that is not missed, then each time it was written, it
 * disappears for good, or it comes back. Whether its content changed is the reader's business, who alone knows what was
 * read: see {@linkcode contentMark}. Ends when the signal aborts.
 *
 * @param path Absolute path of the file. Neither it nor its folder need exist. Links are followed.
 */
export async function* watchConfig(
  path: string,
  options: ConfigWatchOptions,
): AsyncGenerator<ConfigPresence, void, void> {
  const { clock, signal } = options;
  let seen: string | undefined;
  let told: ConfigPresence | undefined;
  while (!signal.aborted) {
    if (await stampOf(path) !== seen) {
      if (seen !== undefined && !await untilQuiet(path, options)) return;
      seen = await stampOf(path);
      const isLoss = seen === MISSING && told === "present";
      if (isLoss) {
        if (!await pause(clock, MISSING_GRACE_MS, signal)) return;
        seen = await stampOf(path);
      }
      const isStillMissing = seen === MISSING && told === "missing";
      told = seen === MISSING ? "missing" : "present";
      if (!isStillMissing) yield told;
    }
    if (!await pause(clock, CONFIG_LOOK_MS, signal)) return;
  }
}

/** Waits until the file stays as it is. False when the signal has aborted. */
async function untilQuiet(
  path: string,
  { clock, signal, debounceMs = CONFIG_DEBOUNCE_MS }: ConfigWatchOptions,
): Promise<boolean> {
  let before = await stampOf(path);
  for (let period = 0; period < MAX_QUIET_PERIODS; period++) {
    if (!await pause(clock, debounceMs, signal)) return false;
    const now = await stampOf(path);
    if (now === before) break;
    before = now;
  }
  return true;
}

async function pause(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

const MISSING = "";

/** Differs when anything was done to the file. One system call. */
async function stampOf(path: string): Promise<string> {
  const info = await orNull(Deno.stat(path));
  return info === null ? MISSING : stampFrom(info);
}

function stampFrom({ dev, ino, size, mtime, ctime }: Deno.FileInfo): string {
  return `${dev}:${ino}:${size}:${mtime?.getTime()}:${ctime?.getTime()}`;
}

/** Differs when the content of the file differs. Costs a reading of the file. */
export async function contentMark(path: string): Promise<string> {
  const info = await orNull(Deno.stat(path));
  if (info === null) return MISSING;
  if (!info.isFile || info.size > MAX_COMPARED_BYTES) return stampFrom(info);
  const bytes = await orNull(Deno.readFile(path));
  if (bytes === null) return stampFrom(info);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function orNull<T>(looking: Promise<T>): Promise<T | null> {
  try {
    return await looking;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.FilesystemLoop ||
      error instanceof Deno.errors.PermissionDenied
    ) return null;
    throw error;
  }
}
