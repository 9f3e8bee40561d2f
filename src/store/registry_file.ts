/**
 * The text of `registry.json` and what it means.
 *
 * Tolerant in reading: entries of the first taskmux lack a name, unknown keys of a later one are kept. Touches no file.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";

/** The format written here. */
export const REGISTRY_VERSION = 1;

/** A registered project. */
export interface StoredProject {
  /** Assigned once, never derived again. */
  readonly id: string;
  /** Absolute path of the project's `taskmux.toml`. */
  readonly configPath: string;
  /** ISO 8601, UTC. */
  readonly registeredAt: string;
  /** The `name` of the configuration when it was registered. */
  readonly name: string;
  /** The id of the git worktree; null for a primary checkout. */
  readonly worktreeId: string | null;
}

/** One entry as it stands in the file, unknown keys included. */
export type RawEntry = Readonly<Record<string, unknown>>;

/** The content of the file. */
export interface RegistryContent {
  /** By id, sorted. */
  readonly entries: ReadonlyMap<string, StoredProject>;
  /** Of the same ids, for writing back what is not understood. */
  readonly raw: ReadonlyMap<string, RawEntry>;
  /** Ids of entries that are none. */
  readonly broken: readonly string[];
}

/**
 * Reads the text of the file.
 *
 * @returns Null if the text is no registry at all.
 * @throws {TaskmuxError} E601 if a newer taskmux wrote it.
 */
export function parseRegistry(text: string): RegistryContent | null {
  const root = parseObject(text);
  if (root === null) return null;
  refuseNewer(root.version);
  const projects = root.projects ?? {};
  if (!isObject(projects)) return null;
  const entries = new Map<string, StoredProject>();
  const raw = new Map<string, RawEntry>();
  const broken: string[] = [];
  for (const [id, value] of sorted(Object.entries(projects))) {
    const entry = isObject(value) ? toEntry(id, value) : null;
    if (entry === null || !isObject(value)) {
      broken.push(id);
      continue;
    }
    entries.set(id, entry);
    raw.set(id, value);
  }
  return { entries, raw, broken };
}

/** The text of the file: keys sorted, indented by 2, ends with a newline. */
export function formatRegistry(raw: ReadonlyMap<string, RawEntry>): string {
  const projects = Object.fromEntries(
    sorted([...raw]).map(([id, entry]) => [
      id,
      Object.fromEntries(sorted(Object.entries(entry))),
    ]),
  );
  return JSON.stringify({ projects, version: REGISTRY_VERSION }, null, 2) +
    "\n";
}

/** An entry as it is written, over what stood there before. */
export function toRaw(entry: StoredProject, before: RawEntry = {}): RawEntry {
  return {
    ...before,
    config_path: entry.configPath,
    name: entry.name,
    registered_at: entry.registeredAt,
    session: entry.id,
    worktree_id: entry.worktreeId,
  };
}

function toEntry(id: string, value: RawEntry): StoredProject | null {
  const { config_path, registered_at, name, worktree_id } = value;
  if (typeof config_path !== "string" || !config_path.startsWith("/")) {
    return null;
  }
  return {
    id,
    configPath: config_path,
    registeredAt: typeof registered_at === "string" ? registered_at : "",
    name: typeof name === "string" ? name : id,
    worktreeId: typeof worktree_id === "string" ? worktree_id : null,
  };
}

function refuseNewer(version: unknown): void {
  if (typeof version !== "number" || version <= REGISTRY_VERSION) return;
  throw new TaskmuxError(
    "E601",
    `Cannot read the registry: a newer taskmux wrote it (format ${version}, this one knows ${REGISTRY_VERSION})`,
    {
      hint:
        "Update taskmux as it was installed, or set TASKMUX_HOME to another folder",
      details: { format: version, known: REGISTRY_VERSION },
    },
  );
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sorted<T>(pairs: [string, T][]): [string, T][] {
  return pairs.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
}
