/**
 * Tells when a project's file changes.
 *
 * Watches the folder, not the file: editors put a new file in the place of the old one, which a watch on the file would
 * not survive. Reads nothing into the file; that is the reader's business.
 *
 * @module
 */

import { dirname } from "node:path";
import type { Clock } from "../kit/clock.ts";
import { DeadlineError, withDeadline } from "../kit/deadline.ts";
import { FolderWatcher } from "./folder_watcher.ts";

/** How long nothing may happen until a change counts as complete. */
export const CONFIG_DEBOUNCE_MS = 75;

/** How often the file is looked at without an event, for file systems that tell nothing. */
const RECHECK_MS = 5_000;

/** How often a folder is looked for that is not there. */
const FOLDER_RECHECK_MS = 1_000;

/** How long a file must be gone. Some editors and git remove it before they write it anew. */
const MISSING_GRACE_MS = 1_000;

/** Larger files are compared by size and time only. */
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
 * Whether the file is there: at once, so that a change after that is not missed, then each time its content changes, it
 * disappears for good, or it comes back. Saving the same content again is no change. Ends when the signal aborts.
 *
 * @param path Absolute path of the file. Neither it nor its folder need exist.
 */
export async function* watchConfig(
  path: string,
  options: ConfigWatchOptions,
): AsyncGenerator<ConfigPresence, void, void> {
  const { clock, signal } = options;
  let last: string | undefined;
  while (!signal.aborted) {
    await using watcher = new FolderWatcher({ clock, signal });
    const place = await placeOf(path);
    await watcher.add(place.folders);
    while (!signal.aborted) {
      let now = await contentMark(path);
      if (now === MISSING && last !== undefined && last !== MISSING) {
        if (!await pause(clock, MISSING_GRACE_MS, signal)) return;
        now = await contentMark(path);
      }
      if (now !== last) {
        last = now;
        yield now === MISSING ? "missing" : "present";
      }
      const isWatched = place.folders.every((folder) => watcher.has(folder));
      const patienceMs = isWatched ? RECHECK_MS : FOLDER_RECHECK_MS;
      if (!await nextEvent(watcher, { ...options, patienceMs })) return;
      if (!isWatched || (await placeOf(path)).mark !== place.mark) break;
    }
  }
}

/** Waits for an event or the time to look anyway. False when the signal has aborted. */
async function nextEvent(
  watcher: FolderWatcher,
  { clock, signal, debounceMs = CONFIG_DEBOUNCE_MS, patienceMs }:
    & ConfigWatchOptions
    & { readonly patienceMs: number },
): Promise<boolean> {
  try {
    await withDeadline(
      { clock, ms: patienceMs, signal },
      (within) => watcher.batch({ debounceMs, signal: within }),
    );
  } catch (error) {
    if (signal.aborted) return false;
    if (!(error instanceof DeadlineError)) throw error;
  }
  return !signal.aborted;
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

/** The folders in which something happens when the file changes, and what tells whether they are still the same. */
interface Place {
  readonly folders: readonly string[];
  readonly mark: string;
}

async function placeOf(path: string): Promise<Place> {
  const target = await orNull(Deno.realPath(path)) ?? path;
  const folders = [...new Set([dirname(path), dirname(target)])];
  const marks = await Promise.all(folders.map(async (folder) => {
    const info = await orNull(Deno.stat(folder));
    return info === null ? "" : `${info.dev}:${info.ino}`;
  }));
  return { folders, mark: JSON.stringify([folders, marks]) };
}

const MISSING = "";

/** Differs when the content differs. */
async function contentMark(path: string): Promise<string> {
  const info = await orNull(Deno.stat(path));
  if (info === null) return MISSING;
  const outside = `${info.size}:${info.mtime?.getTime()}`;
  if (!info.isFile || info.size > MAX_COMPARED_BYTES) return outside;
  const bytes = await orNull(Deno.readFile(path));
  if (bytes === null) return outside;
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
