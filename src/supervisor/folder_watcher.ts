/**
 * Several folders, each without its sub-folders, as one source of changed paths that come in quiet moments.
 *
 * Looks again and again instead of asking the system to tell: see `config_watch.ts` for what Deno's watcher does to named
 * pipes, and to us. What looking costs decides how often it is done, so that huge projects get late news, not a busy
 * processor.
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

/** Pause between two looks. */
const LOOK_MS = 200;

/** A pause is at least so many times as long as the look before it. */
const PAUSE_PER_LOOK = 20;

/** Entries that are looked at in one go: about a millisecond. */
const ENTRIES_PER_TURN = 256;

/** What came together. */
export interface WatchBatch {
  readonly paths: ReadonlySet<string>;
  /** Paths were lost; anything may have changed. */
  readonly isOverflow: boolean;
}

/** Name → what tells one state of an entry from another. */
type Entries = ReadonlyMap<string, string>;

/** See the module. Holds nothing open. */
export class FolderWatcher {
  readonly #folders = new Map<string, Entries>();
  readonly #clock: Clock;
  #paths = new Set<string>();
  #isOverflow = false;
  #arrivals = 0;
  #pauseMs = LOOK_MS;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  /** How many folders are watched. */
  get size(): number {
    return this.#folders.size;
  }

  /** Whether a folder is watched. One that is removed or renamed ceases to be by itself. */
  has(folder: string): boolean {
    return this.#folders.has(folder);
  }

  /** Watches more folders: changes from now on are told. Ones that do not exist are passed over. */
  async add(folders: readonly string[]): Promise<void> {
    const turns = new Turns(this.#clock);
    for (const folder of folders) {
      if (this.#folders.has(folder)) continue;
      const entries = await look(folder, turns);
      if (entries !== null) this.#folders.set(folder, entries);
    }
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
    await this.#lookAtAll();
    while (this.#paths.size === 0 && !this.#isOverflow) {
      await this.#clock.sleep(this.#pauseMs, signal);
      await this.#lookAtAll();
    }
    for (let period = 0; period < MAX_QUIET_PERIODS; period++) {
      const before = this.#arrivals;
      await this.#clock.sleep(debounceMs, signal);
      await this.#lookAtAll();
      if (this.#arrivals === before) break;
    }
    const batch = { paths: this.#paths, isOverflow: this.#isOverflow };
    this.#paths = new Set();
    this.#isOverflow = false;
    return batch;
  }

  async #lookAtAll(): Promise<void> {
    const turns = new Turns(this.#clock);
    for (const [folder, before] of [...this.#folders]) {
      const now = await look(folder, turns);
      if (now === null) {
        this.#folders.delete(folder);
        this.#note(folder);
      } else {
        this.#folders.set(folder, now);
        this.#compare(folder, before, now);
      }
    }
    this.#pauseMs = Math.max(LOOK_MS, turns.spentMs * PAUSE_PER_LOOK);
  }

  #compare(folder: string, before: Entries, now: Entries): void {
    const prefix = folder === "/" ? "/" : `${folder}/`;
    for (const [name, state] of now) {
      if (before.get(name) !== state) this.#note(prefix + name);
    }
    for (const name of before.keys()) {
      if (!now.has(name)) this.#note(prefix + name);
    }
  }

  #note(path: string): void {
    this.#arrivals++;
    if (this.#paths.size < MAX_PENDING_PATHS) this.#paths.add(path);
    else this.#isOverflow = true;
  }
}

/** Gives everybody else a turn now and then, and knows how long the work itself took. */
class Turns {
  readonly #clock: Clock;
  #since: number;
  #entries = 0;
  #spentMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  get spentMs(): number {
    return this.#spentMs + this.#clock.monotonic() - this.#since;
  }

  async count(): Promise<void> {
    if (++this.#entries % ENTRIES_PER_TURN !== 0) return;
    this.#spentMs = this.spentMs;
    await this.#clock.sleep(0);
    this.#since = this.#clock.monotonic();
  }
}

/** The entries of a folder, or null if there is none. Opens none of them. */
async function look(folder: string, turns: Turns): Promise<Entries | null> {
  const entries = new Map<string, string>();
  try {
    // Another folder under the same name has other entries.
    entries.set("", String(Deno.statSync(folder).ino));
    for (const { name } of Deno.readDirSync(folder)) {
      const state = stateOf(`${folder}/${name}`);
      if (state !== null) entries.set(name, state);
      await turns.count();
    }
    return entries;
  } catch (error) {
    if (isOutOfReach(error)) return null;
    throw error;
  }
}

/** What is in a sub-folder is no change of it. */
function stateOf(path: string): string | null {
  try {
    const info = Deno.lstatSync(path);
    if (info.isDirectory) return `folder:${info.ino}`;
    return `${info.ino}:${info.size}:${info.mtime?.getTime()}:${info.ctime?.getTime()}`;
  } catch (error) {
    if (isOutOfReach(error)) return null;
    throw error;
  }
}

/** Gone meanwhile, or not for this user. */
function isOutOfReach(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.FilesystemLoop ||
    error instanceof Deno.errors.PermissionDenied;
}
