/**
 * Telling early that a log has changed.
 *
 * Best effort: folders that are not there, network file systems and overflowing queues give no signs, so whoever uses
 * this looks now and then by itself. A folder that others can see into, such as a project's own, is not watched at all:
 * Deno's watcher opens what changes there, see `supervisor/config_watch.ts`.
 *
 * @module
 */

import { belongsToLog, splitPath } from "./log_files.ts";

/** Watches the folders of some logs. Disposing ends it and waits until it has ended. */
export class LogWatch implements AsyncDisposable {
  readonly #paths = new Set<string>();
  readonly #onChange: (path: string) => void;
  readonly #watchers = new Map<string, Deno.FsWatcher>();
  readonly #pumps = new Set<Promise<void>>();

  /** @param onChange Called with the path of a current file when a file of its log may have changed. Must not throw. */
  constructor(onChange: (path: string) => void) {
    this.#onChange = onChange;
  }

  /** Watches the log with this current file, too; at the latest from the next {@linkcode refresh} on. */
  add(path: string): void {
    this.#paths.add(path);
  }

  /** Begins to watch the folders that are there and not watched yet. Cheap when all are. */
  refresh(): void {
    const folders = new Set(
      [...this.#paths].map((path) => splitPath(path).folder),
    );
    for (const folder of folders) {
      if (!this.#watchers.has(folder)) this.#watch(folder);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    await Promise.all(this.#pumps);
  }

  #watch(folder: string): void {
    try {
      // Those that the keeper makes are private.
      if (((Deno.statSync(folder).mode ?? 0) & 0o077) !== 0) return;
      const watcher = Deno.watchFs(folder, { recursive: false });
      this.#watchers.set(folder, watcher);
      const pump = this.#pump(folder, watcher);
      this.#pumps.add(pump);
      pump.finally(() => this.#pumps.delete(pump));
    } catch (error) {
      if (isMistake(error)) throw error;
    }
  }

  /** Ends when the watcher is closed or breaks. A folder that is deleted gives no more signs and is not watched again. */
  async #pump(folder: string, watcher: Deno.FsWatcher): Promise<void> {
    try {
      for await (const event of watcher) this.#notice(folder, event);
    } catch (error) {
      if (isMistake(error)) throw error;
      watcher.close();
    }
  }

  #notice(folder: string, event: Deno.FsEvent): void {
    // Our own reading.
    if (event.kind === "access") return;
    const names = event.paths.map((path) => splitPath(path).name);
    for (const path of this.#paths) {
      const log = splitPath(path);
      const isOurs = log.folder === folder &&
        names.some((name) => belongsToLog(name, log.name));
      if (isOurs) this.#onChange(path);
    }
  }
}

/** Everything else is the machine's doing: no such folder, no permission, no more watches to be had. */
function isMistake(error: unknown): boolean {
  return !(error instanceof Error) || error instanceof TypeError;
}
