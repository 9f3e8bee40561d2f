/**
 * Where the shop's database is and how it is opened. Knows nothing of what is in it, except the version of the schema
 * this code was written for.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";

/** Number of the newest file in `db/migrations`. */
export const SCHEMA_VERSION = 3;

/** How long a connection waits for another one's write. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Folder of everything the shop writes: `SHOP_DATA`, or `data` below the
 * current directory, which taskmux sets to the folder of `taskmux.toml`.
 */
export function dataFolder(): string {
  return Deno.env.get("SHOP_DATA") || "data";
}

/** Opens `shop.db` in `folder`, creating the file when it is missing. */
export function openDatabase(folder: string): DatabaseSync {
  const db = new DatabaseSync(`${folder}/shop.db`, {
    timeout: BUSY_TIMEOUT_MS,
    enableForeignKeyConstraints: true,
  });
  // Readers and the one writer then never wait for each other.
  db.exec("pragma journal_mode = wal; pragma synchronous = normal");
  return db;
}

/**
 * Opens the database of a shop whose migrations have run.
 *
 * @throws {Error} If the file is missing, or older or newer than this code.
 */
export function openMigratedDatabase(folder: string): DatabaseSync {
  if (!exists(`${folder}/shop.db`)) {
    throw new Error(
      `Cannot open "${folder}/shop.db": there is no such file, run the migrate task first`,
    );
  }
  const db = openDatabase(folder);
  const version = schemaVersion(db);
  if (version !== SCHEMA_VERSION) {
    db.close();
    throw new Error(
      `Cannot use "${folder}/shop.db": its schema is version ${version}, this code needs ${SCHEMA_VERSION}`,
    );
  }
  return db;
}

/** Version of the newest migration applied, 0 for an empty database. */
export function schemaVersion(db: DatabaseSync): number {
  const table = db.prepare(
    "select 1 from sqlite_master where type = 'table' and name = 'migrations'",
  ).get();
  if (table === undefined) return 0;
  const row = db.prepare(
    "select coalesce(max(version), 0) as version from migrations",
  ).get();
  return Number(row?.version);
}

/**
 * Runs `work` in a write transaction, rolled back when it throws. The write
 * lock is taken first: a transaction that reads, then writes, could fail with
 * "database is locked" whatever the timeout.
 */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("begin immediate");
  try {
    const result = work();
    db.exec("commit");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("rollback");
    throw error;
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
