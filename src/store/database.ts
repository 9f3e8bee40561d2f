/**
 * One SQLite connection: prepared statements, transactions, and SQLite's errors in our words.
 *
 * Everything is synchronous and takes microseconds, except that a statement may wait for another process's transaction,
 * at most {@linkcode BUSY_TIMEOUT_MS}. Knows no table; opening and migrating is `open_database.ts`.
 *
 * @module
 */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { TaskmuxError } from "../domain/error.ts";

/** How long a statement waits for the lock of another connection. */
export const BUSY_TIMEOUT_MS = 5000;

/** SQLite's primary result codes that are told apart here. */
const SQLITE = { busy: 5, corrupt: 11, full: 13, notADatabase: 26 } as const;

/** What a column can hold here. */
export type Value = null | number | string;

/** A prepared statement whose rows have the shape `Row`. */
export interface Statement<Row> {
  /** All rows. */
  all(...params: Value[]): Row[];
  /** The first row, or undefined. */
  get(...params: Value[]): Row | undefined;
  /** Runs it and answers how many rows changed. */
  run(...params: Value[]): number;
}

/**
 * An open database. Its methods throw {@linkcode TaskmuxError} E900 when SQLite fails; the database is then as it was
 * before the statement, or before the transaction.
 */
export class Database implements Disposable {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, Statement<unknown>>();

  constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  /**
   * The statement for an SQL text, prepared on first use and kept. The texts are constants of this folder, so the number
   * of statements is bounded.
   */
  prepare<Row>(sql: string): Statement<Row> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known as Statement<Row>;
    const made = this.#guarded<Row>(
      inOurWords(() => this.#connection.prepare(sql)),
    );
    this.#statements.set(sql, made);
    return made;
  }

  /**
   * Runs `work` in one transaction and returns its result; rolls back and rethrows if it throws. Takes the write lock at
   * once: a transaction that reads first and wants to write later fails under SQLite when another process was quicker.
   */
  transaction<T>(work: () => T): T {
    this.prepare("begin immediate").run();
    try {
      const result = work();
      this.prepare("commit").run();
      return result;
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (this.#connection.isTransaction) this.prepare("rollback").run();
      throw error;
    }
  }

  /** Whether {@linkcode close} has not been called. */
  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  /**
   * Closes the connection. Idempotent. The last one to close leaves a single file that can be read without creating
   * the side files of a write-ahead log.
   */
  close(): void {
    if (!this.#connection.isOpen) return;
    try {
      this.#connection.prepare("pragma busy_timeout = 0").get();
      this.#connection.prepare("pragma journal_mode = delete").get();
    } catch (error) {
      // Another connection is open, the disk is full or the file is read-only: the log simply stays.
      if (!isSqliteError(error)) throw error;
    }
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #guarded<Row>(statement: StatementSync): Statement<Row> {
    return {
      all: (...params) => inOurWords(() => statement.all(...params) as Row[]),
      get: (...params) =>
        inOurWords(() => statement.get(...params) as Row | undefined),
      run: (...params) =>
        inOurWords(() => Number(statement.run(...params).changes)),
    };
  }
}

/** Whether the file itself is damaged, or no database at all. */
export function isDamage(error: unknown): boolean {
  const code = primaryCode(error);
  return code === SQLITE.corrupt || code === SQLITE.notADatabase;
}

/** Whether an error comes from SQLite. */
export function isSqliteError(error: unknown): error is Error {
  return error instanceof Error && "code" in error &&
    error.code === "ERR_SQLITE_ERROR";
}

/** What a SQLite error means for a user: E900 with a hint where there is something to do. */
export function databaseError(error: Error): TaskmuxError {
  const code = primaryCode(error);
  const hint = code === SQLITE.full
    ? "Free some disk space"
    : code === SQLITE.busy
    ? "Another process holds the state database; taskmux daemon status"
    : undefined;
  return new TaskmuxError(
    "E900",
    `Cannot use the state database: ${error.message}`,
    {
      ...(hint === undefined ? {} : { hint }),
      details: { sqlite_code: code },
      cause: error,
    },
  );
}

function inOurWords<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (isSqliteError(error)) throw databaseError(error);
    throw error;
  }
}

/** The primary result code, or null. The low byte of an extended one. */
function primaryCode(error: unknown): number | null {
  return error instanceof Error && "errcode" in error &&
      typeof error.errcode === "number"
    ? error.errcode & 0xff
    : null;
}
