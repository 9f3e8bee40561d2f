/**
 * The `migrate` task: brings the database up to the newest schema, fills in the seed data and exits 0. Running it again
 * changes nothing. A migration is applied whole or not at all, and must not be edited once it has been applied.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { dataFolder, inTransaction, openDatabase } from "./database.ts";

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly checksum: string;
}

/** The migrations in `folder`, in order. File names are `NNN_name.sql`, numbered from 001 without a gap. */
async function readMigrations(folder: URL): Promise<Migration[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) names.push(entry.name);
  names.sort();
  const migrations: Migration[] = [];
  for (const name of names) {
    const version = migrations.length + 1;
    const prefix = `${String(version).padStart(3, "0")}_`;
    if (!name.startsWith(prefix) || !name.endsWith(".sql")) {
      throw new Error(
        `Cannot use migration "${name}": its name must be ${prefix}something.sql`,
      );
    }
    const sql = await Deno.readTextFile(new URL(name, folder));
    migrations.push({ version, name, sql, checksum: await sha256(sql) });
  }
  return migrations;
}

async function sha256(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Applies one migration unless it is there already. Answers whether it did. */
function apply(db: DatabaseSync, migration: Migration): boolean {
  return inTransaction(db, () => {
    // Asked inside the transaction: two copies of this task may run at once.
    const row = db.prepare("select checksum from migrations where version = ?")
      .get(migration.version);
    if (row === undefined) {
      db.exec(migration.sql);
      db.prepare(
        "insert into migrations (version, name, checksum) values (?, ?, ?)",
      ).run(migration.version, migration.name, migration.checksum);
      return true;
    }
    if (row.checksum !== migration.checksum) {
      throw new Error(
        `Cannot apply "${migration.name}": it was edited after it had been applied, add a new migration instead`,
      );
    }
    return false;
  });
}

async function migrate(folder: string): Promise<void> {
  const migrations = await readMigrations(
    new URL("./migrations/", import.meta.url),
  );
  const seed = await Deno.readTextFile(new URL("./seed.sql", import.meta.url));
  await Deno.mkdir(folder, { recursive: true });
  using db = openDatabase(folder);
  db.exec(`create table if not exists migrations (
    version integer primary key,
    name text not null,
    checksum text not null,
    applied_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
  ) strict`);
  for (const migration of migrations) {
    const applied = apply(db, migration);
    console.log(`${applied ? "applied" : "already there"} ${migration.name}`);
  }
  const added = inTransaction(db, () => db.prepare(seed).run().changes);
  console.log(`seeded ${added} products`);
  console.log(`database at version ${migrations.length} in ${folder}/shop.db`);
}

try {
  await migrate(dataFolder());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
