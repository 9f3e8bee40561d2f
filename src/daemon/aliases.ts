/**
 * The aliases of all projects, in memory and in the store: asked for with every request that the proxy gets.
 *
 * @module
 */

import { type Alias, type Named, rivalOf } from "../domain/alias.ts";
import type { NewEvent } from "../domain/event.ts";
import type { Clock } from "../kit/clock.ts";
import type { Store } from "../store/store.ts";

/** What aliases are kept in and told by. */
export interface AliasesOptions {
  readonly store: Store;
  readonly clock: Clock;
  emit(event: NewEvent): void;
}

/** See the module. Whether an alias may be added is for the caller to say. */
export class Aliases {
  readonly #options: AliasesOptions;
  /** Project → name → alias. */
  readonly #bySession = new Map<string, Map<string, Alias>>();

  constructor(options: AliasesOptions) {
    this.#options = options;
    for (const { session, ...alias } of options.store.aliases.all()) {
      this.#keep(session, alias);
    }
  }

  /** The aliases of a project in no particular order. */
  of(session: string): readonly Alias[] {
    return [...this.#bySession.get(session)?.values() ?? []];
  }

  /** The alias of a project that has this host, or null. O(its aliases), without asking the disk. */
  find(session: string, host: string): Alias | null {
    const aliases = this.#bySession.get(session);
    return aliases?.values().find((alias) => alias.host === host) ?? null;
  }

  /** Adds one, or replaces that of the same name; told only if it changes anything. */
  set(session: string, alias: Alias): "added" | "replaced" | "unchanged" {
    const { name, host, port } = alias;
    const before = this.#bySession.get(session)?.get(name);
    if (before?.host === host && before.port === port) return "unchanged";
    this.#options.store.atomically(() => {
      this.#options.store.aliases.set(session, alias);
      this.#keep(session, { name, host, port });
      this.#emit("alias_added", session, { alias: name, host, port });
    });
    return before === undefined ? "added" : "replaced";
  }

  /** Removes one. @returns Whether it was there. */
  remove(session: string, name: string): boolean {
    if (this.#bySession.get(session)?.has(name) !== true) return false;
    this.#options.store.atomically(() => {
      this.#options.store.aliases.remove(session, name);
      this.#bySession.get(session)?.delete(name);
      this.#emit("alias_removed", session, { alias: name });
    });
    return true;
  }

  /** Forgets those of a project, which is let go. */
  forget(session: string): void {
    this.#bySession.delete(session);
    this.#options.store.aliases.removeSession(session);
  }

  #keep(session: string, alias: Alias): void {
    const known = this.#bySession.get(session) ?? new Map<string, Alias>();
    known.set(alias.name, alias);
    this.#bySession.set(session, known);
  }

  #emit(
    event: "alias_added" | "alias_removed",
    session: string,
    data: Record<string, string | number>,
  ): void {
    const { clock, emit } = this.#options;
    emit({ event, session, at: clock.now(), data });
  }
}

/** The alias of a project that has a host, or null. */
export type FindAlias = (projectId: string, host: string) => Alias | null;

/**
 * How the proxy finds aliases: those that have no rival among the tasks. O(aliases and tasks of the project).
 *
 * @param tasksOf The tasks of a project; none while it is not loaded.
 */
export function servedAliases(
  aliases: Aliases,
  tasksOf: (projectId: string) => readonly Named[],
): FindAlias {
  return (projectId, host) => {
    const alias = aliases.find(projectId, host);
    if (alias === null) return null;
    return rivalOf(alias, tasksOf(projectId)) === null ? alias : null;
  };
}
