/**
 * Single facts that must outlive a daemon, such as the boot id of the machine it last saw.
 *
 * @module
 */

import type { Database, Statement } from "./database.ts";

/** Facts by name. Every method is one statement by primary key. */
export class MetaTable {
  readonly #database: Database;
  readonly #get: Statement<{ value: string }>;
  readonly #set: Statement<never>;

  constructor(database: Database) {
    this.#database = database;
    this.#get = database.prepare("select value from meta where key = ?");
    this.#set = database.prepare(
      "insert into meta values (?, ?) on conflict do update set value = excluded.value",
    );
  }

  /** The fact, or null. */
  get(key: string): string | null {
    return this.#get.get(key)?.value ?? null;
  }

  /** Remembers a fact, in place of an earlier one. Waits for a full disk. */
  set(key: string, value: string): void {
    this.#database.write(() => this.#set.run(key, value), 1);
  }
}
