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
import { Timer } from "../kit/timer.ts";

/** How long a statement waits for the lock of another connection. */
export const BUSY_TIMEOUT_MS = 5000;

/** Writes that wait in memory for a disk that takes them; beyond it the oldest is lost. */
export const MAX_DEFERRED_WRITES = 10_000;

/** Pause between two attempts at what waits. */
const RETRY_MS = 1_000;

/** SQLite's primary result codes that are told apart here. */
const SQLITE = {
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

/** What to do about a damaged state database: the next daemon sets it aside; tasks run on meanwhile. */
export const REPAIR_HINT = "taskmux daemon restart";

/** What is wrong with the disk, not with the statement. */
const DISK_TROUBLE: readonly (number | null)[] = [
  SQLITE.readOnly,
  SQLITE.ioError,
  SQLITE.full,
  SQLITE.cannotOpen,
];

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

/** Told when writes begin to wait, of each one that is lost by it, and with null when none waits any more. */
export type ReportWrites = (message: string | null, lost: number) => void;

/** What is written together. */
interface Step {
  /** Done so far, to be done again if it is lost. */
  readonly writes: (() => unknown)[];
  readonly onLost: (() => void)[];
  readonly after: (() => void)[];
}

/**
 * An open database. Its methods throw {@linkcode TaskmuxError} E900 when SQLite fails; the database is then as it was
 * before the statement, or before the transaction.
 */
export class Database implements Disposable {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, Statement<unknown>>();
  readonly #retry = new Timer(() => this.flush());
  #report: ReportWrites | null = null;
  #deferred: (() => unknown)[] = [];
  #lostWrites = 0;
  #step: Step | null = null;

  constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  /** From now on {@linkcode write} lets writes wait for the disk, and tells. */
  deferWrites(report: ReportWrites): void {
    this.#report = report;
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
    if (this.#step !== null) return this.#savepoint(work);
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

  /**
   * Runs `work` in one transaction. If the disk does not take it, it waits in memory, is run again, in order, as soon as
   * the disk does, and the answer is what it will be then: what depends on the answer must not be told that a full disk
   * is a reason to stop. Until then readers do not see it.
   *
   * @throws {TaskmuxError} E900 if it fails for any other reason, or writes do not wait, see {@linkcode deferWrites}.
   */
  write<T>(work: () => T, assumed: T): T {
    if (!this.flush()) return this.#defer(work, assumed);
    try {
      const result = this.transaction(work);
      this.#step?.writes.push(work);
      return result;
    } catch (error) {
      if (this.#report === null || !isDiskTrouble(error)) throw error;
      this.#report(error.message, 0);
      this.loseStep();
      return this.#defer(work, assumed);
    }
  }

  /** Whether {@linkcode atomically} is under way. */
  get isInStep(): boolean {
    return this.#step !== null;
  }

  /**
   * Runs synchronous `work`. Whatever it writes, by whichever method, is one transaction, which begins with the first
   * write: a process that is killed has stored all of it or nothing. On a full disk all of it waits, see
   * {@linkcode write}. Within another one it joins that.
   */
  atomically<T>(work: () => T): T {
    if (this.#step !== null) return work();
    this.flush();
    const step: Step = { writes: [], onLost: [], after: [] };
    this.#step = step;
    try {
      return work();
    } finally {
      this.#endStep();
      for (const done of step.after) done();
    }
  }

  /** For statements outside of {@linkcode transaction}: makes them part of the step under way, if there is one. */
  joinStep(): void {
    if (this.#step === null || this.#connection.isTransaction) return;
    this.prepare("begin immediate").run();
  }

  /** Calls back once the step under way is over, whatever came of it; at once without one. Must not write. */
  afterStep(done: () => void): void {
    if (this.#step === null) done();
    else this.#step.after.push(done);
  }

  /** Calls back if what the step under way has written so far is not stored after all. */
  onStepLost(lost: () => void): void {
    this.#step?.onLost.push(lost);
  }

  /** The disk does not take the step under way: takes back what it has written, and lets it wait. */
  loseStep(): void {
    if (this.#step === null) return;
    if (this.#connection.isTransaction) this.prepare("rollback").run();
    const { writes, onLost } = this.#step;
    for (const work of writes.splice(0)) this.#defer(work, undefined);
    for (const lost of onLost.splice(0)) lost();
  }

  #endStep(): void {
    try {
      const { isOpen } = this.#connection;
      if (isOpen && this.#connection.isTransaction) {
        this.prepare("commit").run();
      }
    } catch (error) {
      if (this.#report === null || !isDiskTrouble(error)) throw error;
      this.#report(error.message, 0);
      this.loseStep();
    } finally {
      this.#step = null;
    }
  }

  #savepoint<T>(work: () => T): T {
    this.joinStep();
    this.prepare("savepoint part").run();
    try {
      const result = work();
      this.prepare("release part").run();
      return result;
    } catch (error) {
      // A full disk may have ended the transaction as a whole.
      if (this.#connection.isTransaction) {
        this.prepare("rollback to part").run();
        this.prepare("release part").run();
      } else this.loseStep();
      throw error;
    }
  }

  /** Writes what waits. @returns Whether nothing waits any more. */
  flush(): boolean {
    if (this.#deferred.length === 0) return true;
    // A step that fails after all must not take along what others have waited with.
    if (this.#step !== null) return false;
    try {
      this.transaction(() => {
        for (const work of this.#deferred) this.#redo(work);
      });
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
      this.#retry.arm(RETRY_MS);
      return false;
    }
    this.#deferred = [];
    this.#retry.disarm();
    this.#report?.(null, this.#lostWrites);
    this.#lostWrites = 0;
    return true;
  }

  /** What the database refuses for another reason now, such as a row that is there already, is lost. */
  #redo(work: () => unknown): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof TaskmuxError) || isDiskTrouble(error)) throw error;
      this.#lostWrites++;
    }
  }

  #defer<T>(work: () => T, assumed: T): T {
    if (this.#deferred.length === MAX_DEFERRED_WRITES) {
      this.#deferred.shift();
      this.#lostWrites++;
      this.#report?.("Too many changes wait for the disk", this.#lostWrites);
    }
    this.#deferred.push(work);
    this.#retry.arm(RETRY_MS);
    return assumed;
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
    this.flush();
    this.#retry.disarm();
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

/** Whether a failure lies with the disk, so that the same may succeed later. */
function isDiskTrouble(error: unknown): error is TaskmuxError {
  return error instanceof TaskmuxError &&
    DISK_TROUBLE.includes(primaryCode(error.cause));
}

/** Whether an error comes from SQLite. */
export function isSqliteError(error: unknown): error is Error {
  return error instanceof Error && "code" in error &&
    error.code === "ERR_SQLITE_ERROR";
}

/** What a SQLite error means for a user: E900 with a hint where there is something to do. */
export function databaseError(error: Error): TaskmuxError {
  const code = primaryCode(error);
  const hint = code === SQLITE.corrupt || code === SQLITE.notADatabase
    ? REPAIR_HINT
    : code === SQLITE.full
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
