/**
 * Names of projects for ports that are not theirs.
 *
 * @module
 */

import type { Alias } from "../domain/alias.ts";
import type { Database, Statement } from "./database.ts";

/** An alias and the project that has it. */
export interface AliasRow extends Alias {
  readonly session: string;
}

/** Aliases of all projects. In a project each name and each host is there once. */
export class AliasTable {
  readonly #database: Database;
  readonly #all: Statement<AliasRow>;
  readonly #select: Statement<Alias>;
  readonly #upsert: Statement<never>;
  readonly #delete: Statement<never>;
  readonly #deleteSession: Statement<never>;

  constructor(database: Database) {
    this.#database = database;
    this.#all = database.prepare(
      "select session, name, host, port from aliases order by session, name",
    );
    this.#select = database.prepare(
      "select name, host, port from aliases where session = ? order by name",
    );
    this.#upsert = database.prepare(
      "insert or replace into aliases values (?, ?, ?, ?)",
    );
    this.#delete = database.prepare(
      "delete from aliases where session = ? and name = ?",
    );
    this.#deleteSession = database.prepare(
      "delete from aliases where session = ?",
    );
  }

  /** All of them by project and name. O(aliases). */
  all(): AliasRow[] {
    return this.#all.all();
  }

  /** Those of a project by name. O(its aliases). */
  of(session: string): Alias[] {
    return this.#select.all(session);
  }

  /** Remembers one, in place of that of the same name or host. Waits for a full disk. */
  set(session: string, { name, host, port }: Alias): void {
    this.#database.write(() => this.#upsert.run(session, name, host, port), 1);
  }

  /** Forgets one. Without it nothing happens. Waits for a full disk. */
  remove(session: string, name: string): void {
    this.#database.write(() => this.#delete.run(session, name), 1);
  }

  /** Forgets all of a project. O(its aliases). Waits for a full disk. */
  removeSession(session: string): void {
    this.#database.write(() => this.#deleteSession.run(session), 1);
  }
}
