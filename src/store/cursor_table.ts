/**
 * How far a caller has read the logs of a project, under a name of its choice.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import type { Database, Statement } from "./database.ts";

/** Names that are remembered. The one that was used longest ago goes first. */
export const MAX_CURSORS = 10_000;

/** Whose cursor, and which. */
export interface CursorKey {
  /** Empty = a caller without a name. */
  readonly caller: string;
  /** Project id. */
  readonly session: string;
  readonly name: string;
}

/** The cursors of all callers. */
export class CursorTable {
  readonly #database: Database;
  readonly #limit: number;
  readonly #get: Statement<{ cursor: string }>;
  readonly #set: Statement<never>;
  readonly #prune: Statement<never>;
  readonly #deleteSession: Statement<never>;

  constructor(database: Database, limit: number = MAX_CURSORS) {
    this.#database = database;
    this.#limit = limit;
    this.#get = database.prepare(
      "select cursor from cursors where caller = ? and session = ? and name = ?",
    );
    this.#set = database.prepare(
      `insert into cursors values (?, ?, ?, ?, ?)
       on conflict do update set cursor = excluded.cursor, used_at = excluded.used_at`,
    );
    this.#prune = database.prepare(
      `delete from cursors where (caller, session, name) in (
         select caller, session, name from cursors
         order by used_at desc limit -1 offset ?)`,
    );
    this.#deleteSession = database.prepare(
      "delete from cursors where session = ?",
    );
  }

  /** The cursor, or null. One look-up by key. */
  get({ caller, session, name }: CursorKey): string | null {
    return this.#get.get(caller, session, name)?.cursor ?? null;
  }

  /** Remembers a cursor in place of an earlier one. Waits for a full disk. O(cursors). */
  set(
    { caller, session, name }: CursorKey,
    cursor: string,
    clock: Clock,
  ): void {
    this.#database.write(() => {
      this.#set.run(caller, session, name, cursor, clock.now());
      this.#prune.run(this.#limit);
    }, undefined);
  }

  /** Forgets all cursors of a project. */
  removeSession(session: string): void {
    this.#database.write(() => this.#deleteSession.run(session), 1);
  }
}
