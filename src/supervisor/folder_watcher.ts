/**
 * Several folders, each without its sub-folders, as one source of changed paths that come in quiet moments.
 *
 * Tells that something may have happened to a path, not what: whoever wants to know looks.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";

/** Most paths kept between two batches. Beyond it a batch says that everything may have changed. */
const MAX_PENDING_PATHS = 10_000;

/** A folder that never falls silent is reported after this many quiet periods. */
const MAX_QUIET_PERIODS = 20;

/** Folders per call to the system, so that setting up many does not block everything else. */
const FOLDERS_PER_CALL = 128;

/** What came together. */
export interface WatchBatch {
  readonly paths: ReadonlySet<string>;
  /** Paths were lost; anything may have changed. */
  readonly isOverflow: boolean;
}

/** See the module. Everything is given back when the signal aborts or the watcher is disposed. */
export class FolderWatcher implements AsyncDisposable {
  readonly #watchers = new Map<Deno.FsWatcher, Set<string>>();
  readonly #folders = new Map<string, Deno.FsWatcher>();
  readonly #pumps = new Set<Promise<void>>();
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #close = () => this.#closeAll();
  #paths = new Set<string>();
  #isOverflow = false;
  #arrivals = 0;
  #wake: (() => void) | null = null;

  constructor(
    { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  ) {
    this.#clock = clock;
    this.#signal = signal;
    signal.addEventListener("abort", this.#close, { once: true });
  }

  /** How many folders are watched. */
  get size(): number {
    return this.#folders.size;
  }

  /** Whether a folder is watched. One that is removed or renamed ceases to be by itself. */
  has(folder: string): boolean {
    return this.#folders.has(folder);
  }

  /**
   * Watches more folders. Ones that do not exist are passed over.
   *
   * @returns Why the system refused, or null.
   */
  async add(folders: readonly string[]): Promise<string | null> {
    for (let at = 0; at < folders.length; at += FOLDERS_PER_CALL) {
      const some = folders.slice(at, at + FOLDERS_PER_CALL)
        .filter((folder) => !this.#folders.has(folder));
      if (some.length === 0 || this.#signal.aborted) continue;
      const refusal = this.#open(some);
      if (refusal !== null) return refusal;
      // Lets everything else of this process run in between.
      await this.#clock.sleep(0);
    }
    return null;
  }

  /**
   * The paths that something happened to, once nothing has happened for a while. One caller at a time. A batch that is
   * cancelled loses nothing.
   *
   * @throws The signal's reason when it aborts.
   */
  async batch(
    { debounceMs, signal }: {
      readonly debounceMs: number;
      readonly signal: AbortSignal;
    },
  ): Promise<WatchBatch> {
    await this.#somethingArrived(signal);
    for (let period = 0; period < MAX_QUIET_PERIODS; period++) {
      const before = this.#arrivals;
      await this.#clock.sleep(debounceMs, signal);
      if (this.#arrivals === before) break;
    }
    const batch = { paths: this.#paths, isOverflow: this.#isOverflow };
    this.#paths = new Set();
    this.#isOverflow = false;
    return batch;
  }

  /** Keeps nothing on the signal or here when it is over: both live long and this is called often. */
  async #somethingArrived(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#paths.size > 0 || this.#isOverflow) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#wake = resolve;
    try {
      await promise;
    } finally {
      this.#wake = null;
      signal.removeEventListener("abort", abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener("abort", this.#close);
    this.#closeAll();
    await Promise.all(this.#pumps);
  }

  #open(folders: readonly string[]): string | null {
    try {
      const watcher = Deno.watchFs([...folders], { recursive: false });
      this.#watchers.set(watcher, new Set(folders));
      for (const folder of folders) this.#folders.set(folder, watcher);
      const pump = this.#pump(watcher);
      this.#pumps.add(pump);
      pump.then(() => this.#pumps.delete(pump));
      return null;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (!(error instanceof Deno.errors.NotFound)) return error.message;
      // One of them is gone, and which one is not told.
      if (folders.length === 1) return null;
      for (const folder of folders) {
        const refusal = this.#open([folder]);
        if (refusal !== null) return refusal;
      }
      return null;
    }
  }

  async #pump(watcher: Deno.FsWatcher): Promise<void> {
    for await (const event of watcher) {
      if (event.kind === "access") continue;
      if (event.flag === "rescan") this.#isOverflow = true;
      for (const path of event.paths) this.#note(path, event.kind);
      this.#arrivals++;
      this.#wake?.();
    }
  }

  #note(path: string, kind: Deno.FsEvent["kind"]): void {
    if (kind === "remove" || kind === "rename") this.#forget(path);
    if (this.#paths.size < MAX_PENDING_PATHS) this.#paths.add(path);
    else this.#isOverflow = true;
  }

  /** The system follows a folder, not its name: what comes to be under the name later must be watched anew. */
  #forget(path: string): void {
    if (!this.#folders.has(path)) return;
    for (const [folder, watcher] of this.#folders) {
      if (folder !== path && !folder.startsWith(`${path}/`)) continue;
      this.#folders.delete(folder);
      const left = this.#watchers.get(watcher);
      left?.delete(folder);
      if (left?.size !== 0) continue;
      this.#watchers.delete(watcher);
      watcher.close();
    }
  }

  #closeAll(): void {
    for (const watcher of this.#watchers.keys()) watcher.close();
    this.#watchers.clear();
    this.#folders.clear();
  }
}
