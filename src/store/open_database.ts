/**
 * Opening the state database: creates, checks, migrates it, and moves a damaged one out of the way.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { TaskmuxError } from "../domain/error.ts";
import {
  BUSY_TIMEOUT_MS,
  Database,
  databaseError,
  isDamage,
  isSqliteError,
  REPAIR_HINT,
} from "./database.ts";
import { MIGRATIONS } from "./migrations.ts";
import { clearObstacle, kindOf, setAside } from "../kit/set_aside.ts";
import { makePrivate, type StateDamage } from "./state_file.ts";

/** How the database is opened. */
export interface OpenDatabaseOptions {
  /** Wall time in milliseconds, for the name of a file that is moved aside. */
  readonly now: number;
  /** The file never grows beyond this. */
  readonly maxBytes: number;
}

/** A database that is ready, and what the user should know about how it became so. */
export interface OpenedDatabase {
  readonly database: Database;
  /** Whether it was begun just now. */
  readonly isNew: boolean;
  readonly damage: readonly StateDamage[];
}

/** Files that SQLite keeps beside a database. */
const SIDE_FILES = ["-wal", "-shm", "-journal"] as const;

/**
 * Opens the database for writing, mode 0600, creating and migrating it as needed. Reads the whole file once to check it:
 * about 2 ms per 10 000 events.
 *
 * A damaged file is moved aside with its side files, and a new one is begun; so is one of another program, and whatever
 * else has the name of a file and is none.
 *
 * @throws {TaskmuxError} E601 if a newer taskmux wrote it (it is not touched); E900 if it cannot be opened.
 */
export function openDatabase(
  path: string,
  options: OpenDatabaseOptions,
): OpenedDatabase {
  const damage = ["", ...SIDE_FILES].flatMap((suffix) => {
    const aside = clearObstacle(path + suffix, options.now);
    return aside === null ? [] : [{
      file: path + suffix,
      aside,
      message: `The state database was no file; what it was is now "${aside}"`,
    }];
  });
  const opened = tryOpen(path, options);
  if (!(opened instanceof Error)) return { ...opened, damage };
  const aside = setAside(path, options.now, SIDE_FILES);
  const fresh = tryOpen(path, options);
  if (fresh instanceof Error) throw databaseError(fresh);
  const message =
    `The state database was damaged (${opened.message}) and is now "${aside}"`;
  return { ...fresh, damage: [...damage, { file: path, aside, message }] };
}

/**
 * Opens the database for reading. Creates no database, migrates nothing; null if there is none, or one that a daemon
 * must migrate first.
 *
 * After a crash of the daemon SQLite may create the side file `-shm` beside the log that the crash left.
 *
 * @throws {TaskmuxError} E601 if a newer taskmux wrote it; E900 if it is damaged or cannot be read.
 */
export function openDatabaseReadOnly(path: string): Database | null {
  if (!isThere(path)) return null;
  let connection: DatabaseSync | null = null;
  try {
    connection = new DatabaseSync(path, {
      readOnly: true,
      timeout: BUSY_TIMEOUT_MS,
    });
    const version = userVersion(connection);
    refuseNewer(path, version);
    if (version === MIGRATIONS.length) return new Database(connection);
    connection.close();
    return null;
  } catch (error) {
    connection?.close();
    if (!isSqliteError(error)) throw error;
    throw databaseError(error);
  }
}

/** The database, or the error that proves the file damaged. Throws whatever else goes wrong. */
function tryOpen(
  path: string,
  options: OpenDatabaseOptions,
): { readonly database: Database; readonly isNew: boolean } | Error {
  makePrivate(path);
  let connection: DatabaseSync | null = null;
  try {
    connection = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    refuseNewer(path, userVersion(connection));
    configure(connection, options);
    check(connection);
    const isNew = migrate(connection) === 0;
    requireSchema(connection);
    // What only the log has would be lost with it.
    connection.prepare("pragma wal_checkpoint(passive)").get();
    return { database: new Database(connection), isNew };
  } catch (error) {
    connection?.close();
    if (!isSqliteError(error)) throw error;
    if (isDamage(error)) return error;
    throw databaseError(error);
  }
}

function configure(
  connection: DatabaseSync,
  options: OpenDatabaseOptions,
): void {
  // get(), because exec() loses SQLite's result code.
  connection.prepare("pragma journal_mode = wal").get();
  // A killed process loses nothing; a power cut may lose the last transactions, and SQLite stays consistent.
  connection.prepare("pragma synchronous = normal").get();
  const size = connection.prepare("pragma page_size").get();
  const pages = Math.floor(options.maxBytes / Number(size?.page_size));
  connection.prepare(`pragma max_page_count = ${pages}`).get();
}

function check(connection: DatabaseSync): void {
  const answer = connection.prepare("pragma quick_check(1)").get()?.quick_check;
  if (answer !== "ok") throw damaged(String(answer));
}

function requireNoTables(connection: DatabaseSync): void {
  const { size } = schemaOf(connection);
  if (size > 0) throw damaged("another program made it");
}

/** Every table, index and trigger must be as the steps make it; more of them do no harm. */
function requireSchema(connection: DatabaseSync): void {
  const found = schemaOf(connection);
  using model = new DatabaseSync(":memory:");
  migrate(model);
  for (const [name, sql] of schemaOf(model)) {
    if (found.get(name) !== sql) {
      throw damaged(`${name} is not as it should be`);
    }
  }
}

function schemaOf(connection: DatabaseSync): Map<string, string> {
  const rows = connection.prepare(
    "select type, name, sql from sqlite_master where sql is not null and name not like 'sqlite_%'",
  ).all();
  return new Map(
    rows.map(({ type, name, sql }) => [`${type} ${name}`, String(sql)]),
  );
}

/** As SQLite says it. */
function damaged(message: string): Error {
  return Object.assign(new Error(message), {
    code: "ERR_SQLITE_ERROR",
    errcode: 11,
  });
}

/** @returns The version it had; 0 = there was nothing in it. */
function migrate(connection: DatabaseSync): number {
  const present = userVersion(connection);
  if (present === MIGRATIONS.length) return present;
  connection.prepare("begin immediate").run();
  // Again, now under the lock: another process may have migrated in between.
  const from = userVersion(connection);
  if (from === 0) requireNoTables(connection);
  for (const step of MIGRATIONS.slice(from)) connection.exec(step);
  connection.exec(`pragma user_version = ${MIGRATIONS.length}`);
  connection.prepare("commit").run();
  return from;
}

function refuseNewer(path: string, version: number): void {
  if (version <= MIGRATIONS.length) return;
  throw new TaskmuxError(
    "E601",
    `Cannot open the state database "${path}": a newer taskmux wrote it (format ${version}, this one knows ${MIGRATIONS.length})`,
    {
      hint:
        "Update taskmux as it was installed, or set TASKMUX_HOME to another folder",
      details: { path, format: version, known: MIGRATIONS.length },
    },
  );
}

function userVersion(connection: DatabaseSync): number {
  return Number(connection.prepare("pragma user_version").get()?.user_version);
}

/**
 * Whether there is a file to open.
 *
 * @throws {TaskmuxError} E900 if something else has its name.
 */
function isThere(path: string): boolean {
  const kind = kindOf(path);
  if (kind === "absent") return false;
  if (kind === "file") return true;
  throw new TaskmuxError(
    "E900",
    `Cannot use the state database: "${path}" is no file but a ${kind}`,
    { hint: REPAIR_HINT, details: { path } },
  );
}
