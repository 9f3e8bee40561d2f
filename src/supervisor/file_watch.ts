/**
 * Tells when files change that a task wants to be restarted for.
 *
 * Folders that no pattern reaches are not watched at all, so a project with a huge `node_modules` costs nothing. Links
 * to folders are not followed.
 *
 * @module
 */

import { dirname, relative } from "node:path";
import type { Clock } from "../kit/clock.ts";
import { FolderWatcher, type WatchBatch } from "./folder_watcher.ts";
import {
  compileWatchPatterns,
  type WatchGlobs,
  type WatchPatterns,
} from "./watch_patterns.ts";

/** How long nothing may happen until a change counts as complete. */
export const WATCH_DEBOUNCE_MS = 100;

/** Most folders that one task may have watched. */
export const MAX_WATCHED_FOLDERS = 4_096;

/** Most files whose state is remembered. Others count as changed whenever anything happens to them. */
const MAX_KNOWN_FILES = 20_000;

/** What to watch. Globs start from `root`, the project's folder. */
export interface FileWatchOptions extends WatchGlobs {
  /** {@linkcode WATCH_DEBOUNCE_MS} by default. */
  readonly debounceMs?: number;
  readonly clock: Clock;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Called once when everything is watched: a change from now on is seen. */
  onReady?(): void;
  /** Called when not everything can be watched, with a sentence for people; the rest is. */
  onWarning?(message: string): void;
}

/**
 * The files that changed, together if they changed together: paths from the root, sorted; absolute where they are
 * elsewhere. A file changed if it was created, removed, or its size or time of modification differ. Ends when the
 * signal aborts. Changes while nobody asks are told at the next asking.
 */
export async function* watchFiles(
  options: FileWatchOptions,
): AsyncGenerator<string[], void, void> {
  const { clock, signal, debounceMs = WATCH_DEBOUNCE_MS } = options;
  if (signal.aborted) return;
  const root = await realFolder(options.root);
  const watcher = new FolderWatcher({ clock });
  const files = new WatchedFiles({
    watcher,
    patterns: compileWatchPatterns({ ...options, root }),
    onWarning: (message) => options.onWarning?.(message),
  });
  await files.scan();
  options.onReady?.();
  while (!signal.aborted) {
    let batch: WatchBatch;
    try {
      batch = await watcher.batch({ debounceMs, signal });
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    const changed = await files.changes(batch);
    if (changed.size === 0) continue;
    yield [...changed].map((path) => display(root, path)).sort();
  }
}

function display(root: string, path: string): string {
  const fromRoot = relative(root, path);
  return fromRoot.startsWith("..") ? path : fromRoot;
}

/** The state of every file that is meant, as it was when last looked at. */
class WatchedFiles {
  readonly #watcher: FolderWatcher;
  readonly #patterns: WatchPatterns;
  readonly #warn: (message: string) => void;
  readonly #known = new Map<string, string>();
  #hasWarned = false;

  constructor(options: {
    readonly watcher: FolderWatcher;
    readonly patterns: WatchPatterns;
    readonly onWarning: (message: string) => void;
  }) {
    this.#watcher = options.watcher;
    this.#patterns = options.patterns;
    this.#warn = options.onWarning;
  }

  /** Looks at everything and watches every folder on the way. */
  async scan(): Promise<Set<string>> {
    const changed = new Set<string>();
    for (const start of this.#patterns.starts) {
      await this.#enter(await nearestFolder(start), changed);
    }
    return changed;
  }

  /** Which files really changed. */
  async changes(batch: WatchBatch): Promise<ReadonlySet<string>> {
    const changed = batch.isOverflow ? await this.scan() : new Set<string>();
    const paths = batch.isOverflow ? [...this.#known.keys()] : batch.paths;
    const missing = new Set<string>();
    for (const path of paths) {
      const info = await statOrNull(path);
      if (info === null) missing.add(path);
      else if (info.isDirectory) await this.#enter(path, changed);
      else this.#compare(path, info, changed);
    }
    if (missing.size > 0) this.#forget(missing, changed);
    return changed;
  }

  /** Watches a folder and all beneath it that can matter, and looks at their files. */
  async #enter(top: string, changed: Set<string>): Promise<void> {
    for (let level = [top]; level.length > 0;) {
      const folders = level.filter((path) => this.#patterns.entersFolder(path));
      // Watched before listed, so that nothing comes to be in between unseen.
      if (!await this.#watch(folders)) return;
      level = [];
      for (const folder of folders) {
        for (const entry of await listOrEmpty(folder)) {
          const path = `${folder === "/" ? "" : folder}/${entry.name}`;
          if (await this.#isFolder(entry, path)) level.push(path);
          else if (this.#patterns.matchesFile(path)) {
            const info = await statOrNull(path);
            if (info !== null) this.#compare(path, info, changed);
          }
        }
      }
    }
  }

  /** A link counts only if a pattern names it: others might lead in circles. */
  async #isFolder(entry: Deno.DirEntry, path: string): Promise<boolean> {
    if (!entry.isSymlink) return entry.isDirectory;
    if (!this.#patterns.namesFolder(path)) return false;
    return (await statOrNull(path))?.isDirectory ?? false;
  }

  /** False if not all of them can be watched. */
  async #watch(folders: readonly string[]): Promise<boolean> {
    const added = folders.filter((folder) => !this.#watcher.has(folder));
    const room = MAX_WATCHED_FOLDERS - this.#watcher.size;
    await this.#watcher.add(added.slice(0, room));
    if (added.length <= room) return true;
    if (!this.#hasWarned) {
      this.#hasWarned = true;
      this.#warn(
        `Cannot watch all files: more than ${MAX_WATCHED_FOLDERS} folders; narrow watch or add folders to watch_ignore`,
      );
    }
    return false;
  }

  #compare(path: string, info: Deno.FileInfo, changed: Set<string>): void {
    if (!info.isFile || !this.#patterns.matchesFile(path)) return;
    const state = `${info.size}:${info.mtime?.getTime()}`;
    if (this.#known.get(path) === state) return;
    if (this.#known.size < MAX_KNOWN_FILES || this.#known.has(path)) {
      this.#known.set(path, state);
    }
    changed.add(path);
  }

  /** Known files that are gone themselves, or whose folder is. */
  #forget(missing: ReadonlySet<string>, changed: Set<string>): void {
    for (const file of this.#known.keys()) {
      for (let at = file; at !== dirname(at); at = dirname(at)) {
        if (!missing.has(at)) continue;
        this.#known.delete(file);
        changed.add(file);
        break;
      }
    }
  }
}

/** Events name real paths. A folder that is not there yet is called as it will be. */
async function realFolder(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (isOutOfReach(error)) return path;
    throw error;
  }
}

async function nearestFolder(path: string): Promise<string> {
  for (let at = path;; at = dirname(at)) {
    if (at === dirname(at) || (await statOrNull(at))?.isDirectory) return at;
  }
}

async function statOrNull(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (isOutOfReach(error)) return null;
    throw error;
  }
}

async function listOrEmpty(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (isOutOfReach(error)) return [];
    throw error;
  }
}

/** Gone meanwhile, never there, or not for this user. */
function isOutOfReach(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.FilesystemLoop ||
    error instanceof Deno.errors.PermissionDenied;
}
