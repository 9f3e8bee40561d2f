/**
 * How far a caller has read the logs of a project, under a name of its choice.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import type { Database, Statement } from "./database.ts";

/** Names that are remembered. The one that was used longest ago goes first. */
export const MAX_CURSORS = 10_000;

/** Of so many a full disk does not matter. */
const MAX_KNOWN = 1_000;

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
  /** What was set by this process, the oldest first: the database may be behind while the disk is full. */
  readonly #known = new Map<string, { session: string; cursor: string }>();
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
  get(key: CursorKey): string | null {
    const { caller, session, name } = key;
    return this.#known.get(textOf(key))?.cursor ??
      this.#get.get(caller, session, name)?.cursor ?? null;
  }

  /** Remembers a cursor in place of an earlier one. Waits for a full disk. O(cursors). */
  set(key: CursorKey, cursor: string, clock: Clock): void {
    const { caller, session, name } = key;
    this.#remember(textOf(key), { session, cursor });
    this.#database.write(() => {
      this.#set.run(caller, session, name, cursor, clock.now());
      this.#prune.run(this.#limit);
    }, undefined);
  }

  /** Forgets all cursors of a project. */
  removeSession(session: string): void {
    for (const [text, known] of this.#known) {
      if (known.session === session) this.#known.delete(text);
    }
    this.#database.write(() => this.#deleteSession.run(session), 1);
  }

  #remember(text: string, known: { session: string; cursor: string }): void {
    this.#known.delete(text);
    const [eldest] = this.#known.keys();
    const isFull = this.#known.size >= MAX_KNOWN;
    if (isFull && eldest !== undefined) this.#known.delete(eldest);
    this.#known.set(text, known);
  }
}

function textOf({ caller, session, name }: CursorKey): string {
  return JSON.stringify([caller, session, name]);
}
