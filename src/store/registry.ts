/**
 * The projects this user has: id → configuration file.
 *
 * Any process may change it, so every change reads, decides and replaces the file under a lock. Readers take no lock:
 * they see the file before or after a change.
 *
 * @module
 */

import { writeFileAtomic } from "../kit/atomic_file.ts";
import type { Clock } from "../kit/clock.ts";
import { TaskmuxError } from "../domain/error.ts";
import {
  formatRegistry,
  parseRegistry,
  type RawEntry,
  type RegistryContent,
  type StoredProject,
  toRaw,
} from "./registry_file.ts";
import { asideName, clearObstacle, setAside } from "../kit/set_aside.ts";
import { readStateText, STATE_FILE_MODE } from "./state_file.ts";

/** A registered project. */
export type RegistryEntry = StoredProject;

/** Where the store keeps the second copy, in its `meta`. */
export const REGISTRY_KEY = "registry";

/** How long a change waits for another process's change. */
export const LOCK_WAIT_MS = 5000;

/** Pause between two attempts at the lock. */
const LOCK_POLL_MS = 10;

/** Where the registry is; `Paths` of `config/paths.ts` fits. */
export interface RegistryPaths {
  readonly registry: string;
  readonly registryLock: string;
}

/** A second copy of the registry's text, for the day on which the file is damaged or gone. */
export interface RegistryBackup {
  /** The text that was saved last; null if none was. */
  load(): string | null;
  /** Replaces the copy. */
  save(text: string): void;
}

/** What a registry works with. */
export interface RegistryOptions {
  readonly clock: Clock;
  /** Told, as a sentence, that the file was damaged and where it is now; null = it was not moved. */
  readonly warn?: (message: string, aside: string | null) => void;
  readonly backup?: RegistryBackup;
  /** Whether damage is only told: nothing is repaired, and {@linkcode RegistryBackup.save} is not called. */
  readonly readOnly?: boolean;
}

/** A project to register. */
export interface Registration {
  readonly id: string;
  /** Absolute path of its configuration file. */
  readonly configPath: string;
  readonly name: string;
  readonly worktreeId: string | null;
}

const EMPTY: RegistryContent = {
  entries: new Map(),
  raw: new Map(),
  broken: [],
};

/**
 * The registry. Every method reads the file anew: below a millisecond.
 *
 * All methods throw {@linkcode TaskmuxError} E601 if a newer taskmux wrote the file; a damaged file is moved aside, and
 * what it held restored from the second copy.
 */
export class Registry {
  readonly #paths: RegistryPaths;
  readonly #clock: Clock;
  readonly #warn: (message: string, aside: string | null) => void;
  readonly #backup: RegistryBackup | null;
  readonly #isReadOnly: boolean;
  /** The text that the second copy is known to have. */
  #saved: string | null = null;

  constructor(paths: RegistryPaths, options: RegistryOptions) {
    this.#paths = paths;
    this.#clock = options.clock;
    this.#warn = options.warn ?? (() => {});
    this.#backup = options.backup ?? null;
    this.#isReadOnly = options.readOnly ?? false;
  }

  /** All projects in the order of their ids. */
  async list(): Promise<RegistryEntry[]> {
    return [...(await this.#read()).entries.values()];
  }

  /** The project with an id, or null. */
  async get(id: string): Promise<RegistryEntry | null> {
    return (await this.#read()).entries.get(id) ?? null;
  }

  /** The project of a configuration file, or null; of several the one registered last. */
  async findByConfig(configPath: string): Promise<RegistryEntry | null> {
    const found = (await this.list())
      .filter((entry) => entry.configPath === configPath);
    return found.reduce<RegistryEntry | null>(
      (last, entry) =>
        last === null || entry.registeredAt >= last.registeredAt ? entry : last,
      null,
    );
  }

  /**
   * Registers a project, or confirms that it is registered. A project whose configuration file is gone may move to a new
   * path; so may any other with `force`.
   *
   * Creates the folder of the state, mode 0700, if it is missing.
   *
   * @throws {TaskmuxError} E305 if the id belongs to another configuration file that still exists; E900 if another
   * process holds the lock for {@linkcode LOCK_WAIT_MS}.
   */
  async register(
    project: Registration,
    options: { readonly force?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<RegistryEntry> {
    return await this.#change(options.signal, async (content) => {
      const known = content.entries.get(project.id);
      if (known !== undefined && isSame(known, project)) {
        return { result: known };
      }
      const isMoving = known !== undefined &&
        known.configPath !== project.configPath;
      if (isMoving && !options.force && await mayExist(known.configPath)) {
        throw registeredElsewhere(project, known);
      }
      const entry: RegistryEntry = {
        ...project,
        registeredAt: known === undefined || isMoving
          ? new Date(this.#clock.now()).toISOString()
          : known.registeredAt,
      };
      const raw = new Map(content.raw);
      raw.set(entry.id, toRaw(entry, raw.get(entry.id)));
      return { result: entry, raw };
    });
  }

  /**
   * Removes a project from the registry. Stops nothing and deletes nothing else.
   *
   * @returns What was removed, or null if the id is not registered.
   * @throws {TaskmuxError} E900 if another process holds the lock for {@linkcode LOCK_WAIT_MS}.
   */
  async unregister(
    id: string,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<RegistryEntry | null> {
    return await this.#change(options.signal, (content) => {
      const known = content.entries.get(id);
      if (known === undefined) return Promise.resolve({ result: null });
      const raw = new Map(content.raw);
      raw.delete(id);
      return Promise.resolve({ result: known, raw });
    });
  }

  async #read(): Promise<RegistryContent> {
    const text = await readStateText(this.#paths.registry);
    const content = typeof text === "string" ? parseRegistry(text) : null;
    if (typeof text === "string" && isWhole(content)) {
      this.#keep(text);
      return content;
    }
    if (text === null && this.#recall().entries.size === 0) return EMPTY;
    if (this.#isReadOnly) return this.#tellDamage(text, content);
    return await this.#locked(undefined, () => this.#repair());
  }

  /** Reads the file under the lock; keeps a damaged one aside and restores what the second copy has. */
  async #repair(): Promise<RegistryContent> {
    const { registry } = this.#paths;
    const text = await readStateText(registry);
    const content = typeof text === "string" ? parseRegistry(text) : null;
    if (isWhole(content)) return content;
    const restored = this.#merged(content);
    let aside: string | null = null;
    if (content !== null) {
      aside = asideName(registry, this.#clock.now());
      await writeFileAtomic(aside, text ?? "", { mode: STATE_FILE_MODE });
    } else if (text !== null) aside = setAside(registry, this.#clock.now());
    if (text === null && restored.entries.size === 0) return EMPTY;
    if (content !== null || restored.entries.size > 0) {
      await this.#write(restored.raw);
    }
    this.#warn(damageMessage({ text, content, restored, aside }), aside);
    return restored;
  }

  #tellDamage(
    text: string | null | undefined,
    content: RegistryContent | null,
  ): RegistryContent {
    const restored = this.#merged(content);
    this.#warn(damageMessage({ text, content, restored, aside: null }), null);
    return restored;
  }

  /** What can be read, and what the second copy has of the rest. */
  #merged(content: RegistryContent | null): RegistryContent {
    const backup = this.#recall();
    if (content === null) return backup;
    const entries = new Map(content.entries);
    const raw = new Map(content.raw);
    for (const id of content.broken) {
      const entry = backup.entries.get(id);
      if (entry === undefined) continue;
      entries.set(id, entry);
      raw.set(id, backup.raw.get(id) ?? toRaw(entry));
    }
    return { entries, raw, broken: [] };
  }

  #recall(): RegistryContent {
    const text = this.#backup?.load() ?? null;
    const content = text === null ? null : parseRegistry(text);
    return content ?? EMPTY;
  }

  #keep(text: string): void {
    if (this.#isReadOnly || this.#saved === text) return;
    this.#backup?.save(text);
    this.#saved = text;
  }

  async #change<T>(
    signal: AbortSignal | undefined,
    decide: (
      content: RegistryContent,
    ) => Promise<{ result: T; raw?: ReadonlyMap<string, RawEntry> }>,
  ): Promise<T> {
    return await this.#locked(signal, async () => {
      const { result, raw } = await decide(await this.#repair());
      if (raw !== undefined) await this.#write(raw);
      return result;
    });
  }

  async #write(raw: ReadonlyMap<string, RawEntry>): Promise<void> {
    const text = formatRegistry(raw);
    await writeFileAtomic(this.#paths.registry, text, {
      mode: STATE_FILE_MODE,
    });
    this.#keep(text);
  }

  async #locked<T>(
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    clearObstacle(this.#paths.registryLock, this.#clock.now());
    using lock = await openLock(this.#paths.registryLock);
    const deadline = this.#clock.monotonic() + LOCK_WAIT_MS;
    // The kernel drops the lock with the file, so a killed process holds it no longer.
    while (!await lock.tryLock(true)) {
      if (this.#clock.monotonic() >= deadline) {
        throw registryLocked(this.#paths.registryLock);
      }
      await this.#clock.sleep(LOCK_POLL_MS, signal);
    }
    return await work();
  }
}

function isSame(entry: RegistryEntry, project: Registration): boolean {
  return entry.configPath === project.configPath &&
    entry.name === project.name && entry.worktreeId === project.worktreeId;
}

function registeredElsewhere(
  project: Registration,
  known: RegistryEntry,
): TaskmuxError {
  return new TaskmuxError(
    "E305",
    `Cannot register project "${project.id}" at "${project.configPath}": it is registered at "${known.configPath}"`,
    {
      hint:
        `Give one of them another name in its taskmux.toml, or: taskmux daemon register --force -c ${project.configPath}`,
      details: {
        project_id: project.id,
        config_path: project.configPath,
        registered_path: known.configPath,
      },
    },
  );
}

function registryLocked(path: string): TaskmuxError {
  return new TaskmuxError(
    "E900",
    `Cannot change the registry: another process holds "${path}" for ${
      LOCK_WAIT_MS / 1000
    } s`,
    { hint: "End the other taskmux command, then try again" },
  );
}

async function openLock(path: string): Promise<Deno.FsFile> {
  const options = { create: true, write: true, mode: STATE_FILE_MODE };
  try {
    return await Deno.open(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const folder = path.slice(0, path.lastIndexOf("/"));
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    return await Deno.open(path, options);
  }
}

/** Whether a file is there, or might be: what may not be looked at is not proven gone. */
async function mayExist(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    const { NotFound, NotADirectory, PermissionDenied, NotCapable } =
      Deno.errors;
    // A folder of the old path may be a file now.
    if (error instanceof NotFound || error instanceof NotADirectory) {
      return false;
    }
    if (error instanceof PermissionDenied || error instanceof NotCapable) {
      return true;
    }
    throw error;
  }
}

/** Whether a file was read to the last entry. */
function isWhole(content: RegistryContent | null): content is RegistryContent {
  return content !== null && content.broken.length === 0;
}

function damageMessage(
  { text, content, restored, aside }: {
    readonly text: string | null | undefined;
    readonly content: RegistryContent | null;
    readonly restored: RegistryContent;
    /** Null = nothing was moved. */
    readonly aside: string | null;
  },
): string {
  const count = restored.entries.size;
  const projects = count === 1 ? "1 project" : `${count} projects`;
  const rest = count === 0
    ? "projects register again when they are used"
    : aside === null && text !== null
    ? `the state database knows ${projects}`
    : `${projects} restored from the state database`;
  if (text === null) return `The registry was missing; ${rest}`;
  const isPart = content !== null;
  const what = isPart
    ? `The registry ${aside === null ? "has" : "had"} damaged entries (${
      content.broken.join(", ")
    })`
    : `The registry ${aside === null ? "is" : "was"} damaged`;
  if (aside === null) {
    return `${what}; ${
      isPart ? "the others are used" : rest
    }, and "taskmux daemon start" repairs it`;
  }
  if (!isPart) return `${what} and is now "${aside}"; ${rest}`;
  const lost = content.broken.filter((id) => !restored.entries.has(id));
  return `${what}; ${
    lost.length === 0
      ? "they were restored from the state database"
      : `${lost.join(", ")} removed`
  }; the old file is "${aside}"`;
}
