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
import { freeName, moveAside, STATE_FILE_MODE } from "./state_file.ts";

/** A registered project. */
export type RegistryEntry = StoredProject;

/** How long a change waits for another process's change. */
export const LOCK_WAIT_MS = 5000;

/** Pause between two attempts at the lock. */
const LOCK_POLL_MS = 10;

/** Where the registry is; `Paths` of `config/paths.ts` fits. */
export interface RegistryPaths {
  readonly registry: string;
  readonly registryLock: string;
}

/** What a registry works with. */
export interface RegistryOptions {
  readonly clock: Clock;
  /** Told, as a sentence, that the file was damaged and where it is now. */
  readonly warn?: (message: string) => void;
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
 * All methods throw {@linkcode TaskmuxError} E601 if a newer taskmux wrote the file; a damaged file is moved aside.
 */
export class Registry {
  readonly #paths: RegistryPaths;
  readonly #clock: Clock;
  readonly #warn: (message: string) => void;

  constructor(paths: RegistryPaths, options: RegistryOptions) {
    this.#paths = paths;
    this.#clock = options.clock;
    this.#warn = options.warn ?? (() => {});
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
    const text = await readOrNull(this.#paths.registry);
    if (text === null) return EMPTY;
    const content = parseRegistry(text);
    if (content !== null && content.broken.length === 0) return content;
    return await this.#locked(undefined, () => this.#repair());
  }

  /** Reads the file under the lock; keeps a damaged one aside. */
  async #repair(): Promise<RegistryContent> {
    const { registry } = this.#paths;
    const text = await readOrNull(registry);
    if (text === null) return EMPTY;
    const content = parseRegistry(text);
    if (content === null) {
      const aside = moveAside(registry, this.#clock.now());
      this.#warn(
        `The registry was damaged and is now "${aside}"; projects register again when they are used`,
      );
      return EMPTY;
    }
    if (content.broken.length > 0) {
      const aside = freeName(registry, this.#clock.now());
      await writeFileAtomic(aside, text, { mode: STATE_FILE_MODE });
      await this.#write(content.raw);
      this.#warn(
        `The registry had damaged entries (${
          content.broken.join(", ")
        }), which were removed; the old file is "${aside}"`,
      );
    }
    return content;
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
    await writeFileAtomic(this.#paths.registry, formatRegistry(raw), {
      mode: STATE_FILE_MODE,
    });
  }

  async #locked<T>(
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
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

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
