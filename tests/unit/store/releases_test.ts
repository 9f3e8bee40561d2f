/**
 * State of every version that was released is opened by this one with all that is in it.
 *
 * A fixture is a folder `tests/fixtures/state/VERSION/` with `taskmux.sql`, a dump that recreates the database, and
 * `registry.json`, both written by that very version.
 *
 * @module
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { MIGRATIONS } from "../../../src/store/migrations.ts";
import { Registry } from "../../../src/store/registry.ts";
import { Store } from "../../../src/store/store.ts";
import { stillClock, StoreFolder } from "../../support/store_folder.ts";
import { REPOSITORY } from "../../support/deno_flags.ts";

const FIXTURES = `${REPOSITORY}/tests/fixtures/state`;

/** Version → the number of its schema. A new schema number needs a version here, and its fixture. */
const RELEASES: Readonly<Record<string, number>> = { "0.1.0": 1 };

/**
 * Version of the schema → digest of the steps that lead to it, without comments. Steps that were released never change;
 * with the release of a new one comes a line here, a line in {@linkcode RELEASES} and a fixture.
 */
const SCHEMAS: Readonly<Record<number, string>> = {
  1: "f86eb1d8bdb2af87",
};

/** Makes the database of a version in a folder. */
function recreate(folder: StoreFolder, version: string): void {
  using database = new DatabaseSync(folder.database);
  database.exec(Deno.readTextFileSync(`${FIXTURES}/${version}/taskmux.sql`));
}

async function digestOf(steps: readonly string[]): Promise<string> {
  const text = steps.join(";").replaceAll(/--.*$/gm, "").replaceAll(
    /\s+/g,
    " ",
  );
  const bytes = new TextEncoder().encode(text);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex().slice(0, 16);
}

function rows(path: string, table: string): unknown[] {
  using database = new DatabaseSync(path, { readOnly: true });
  return database.prepare(`select * from ${table} order by 1, 2`).all();
}

Deno.test("a released schema never changes, and each one has a fixture", async () => {
  const released = Math.max(...Object.values(RELEASES));
  assert(released <= MIGRATIONS.length);
  for (let number = 1; number <= released; number++) {
    assert.equal(
      await digestOf(MIGRATIONS.slice(0, number)),
      SCHEMAS[number],
      `schema ${number}`,
    );
    assert(Object.values(RELEASES).includes(number), `schema ${number}`);
  }
  const folders = [...Deno.readDirSync(FIXTURES)].map(({ name }) => name);
  assert.deepEqual(folders.sort(), Object.keys(RELEASES).sort());
});

for (const [version, schema] of Object.entries(RELEASES)) {
  Deno.test(`the database of ${version} is opened with all that is in it`, () => {
    using folder = new StoreFolder();
    recreate(folder, version);
    const tables = [
      "events",
      "event_counts",
      "runs",
      "tasks",
      "leases",
      "meta",
    ];
    const before = tables.map((table) => rows(folder.database, table));
    for (const each of before) assert(each.length > 0);
    if (schema < MIGRATIONS.length) {
      assert.equal(Store.openReadOnly(folder), null);
    }
    folder.open().close();
    // What later steps add to a table is tested where they add it.
    const after = tables.map((table) => rows(folder.database, table));
    assert.deepEqual(after, before);
  });

  Deno.test(`the state of ${version} means what it meant`, async () => {
    using folder = new StoreFolder();
    recreate(folder, version);
    using store = folder.open();
    assert.deepEqual(store.finding.damage, []);
    const wishes = store.tasks.desired("shop");
    assert.deepEqual([...wishes.keys()], ["api", "db", "flaky", "seed"]);
    assert.equal(wishes.get("db")?.desired, "up");
    assert.equal(JSON.parse(wishes.get("seed")?.adhoc ?? "").name, "seed");
    assert.equal(store.tasks.desired("blog").get("site")?.manual, true);
    assert.equal(store.leases.leaseOf("blog", "site"), 45123);
    assert.equal(store.runs.live().length, 3);
    assert.equal(store.runs.history("shop", "flaky", 1)[0]?.exit?.code, 3);
    const { events } = store.events.list({ limit: 0 });
    assert.equal(events.at(-1)?.seq, events.length);
    assert.equal(
      store.events.append({
        event: "daemon_started",
        session: null,
        at: 0,
      }).seq,
      events.length + 1,
    );
    // The mirror was lost with the old machine; it gets what the database has.
    assert.equal(folder.mirror().length, events.length + 1);
    const registry = new Registry({
      registry: `${FIXTURES}/${version}/registry.json`,
      registryLock: `${folder.path}/registry.lock`,
    }, { clock: stillClock, readOnly: true });
    assert.deepEqual(
      await registry.list(),
      ["blog", "shop"].map((id) => ({
        id,
        name: id,
        worktreeId: null,
        configPath: `/home/ada/${id}/taskmux.toml`,
        registeredAt: registeredAt(version, id),
      })),
    );
  });
}

function registeredAt(version: string, id: string): string {
  const text = Deno.readTextFileSync(`${FIXTURES}/${version}/registry.json`);
  return JSON.parse(text).projects[id].registered_at;
}
