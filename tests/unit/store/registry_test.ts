import assert from "node:assert/strict";
import { systemClock } from "../../../src/kit/clock.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import {
  LOCK_WAIT_MS,
  type Registration,
  Registry,
} from "../../../src/store/registry.ts";
import { stillClock, StoreFolder } from "../../support/store_folder.ts";

/** A registry in a folder of its own, with two configuration files. */
class Fixture implements Disposable {
  readonly folder = new StoreFolder();
  readonly registry = `${this.folder.path}/home/registry.json`;
  readonly registryLock = `${this.folder.path}/home/registry.lock`;
  readonly warnings: string[] = [];

  constructor() {
    for (const name of ["one", "two"]) {
      Deno.mkdirSync(`${this.folder.path}/${name}`);
      Deno.writeTextFileSync(this.config(name), "");
    }
  }

  open(clock = stillClock): Registry {
    return new Registry(this, {
      clock,
      warn: (message) => this.warnings.push(message),
    });
  }

  config(name: string): string {
    return `${this.folder.path}/${name}/taskmux.toml`;
  }

  text(): string {
    return Deno.readTextFileSync(this.registry);
  }

  write(text: string): void {
    Deno.mkdirSync(`${this.folder.path}/home`, { recursive: true });
    Deno.writeTextFileSync(this.registry, text);
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

function projectOf(fixture: Fixture, id: string, name: string): Registration {
  return { id, configPath: fixture.config(name), name: id, worktreeId: null };
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof TaskmuxError && error.code === code;
}

Deno.test("a registry that does not exist is empty and stays so", async () => {
  using fixture = new Fixture();
  const registry = fixture.open();
  assert.deepEqual(await registry.list(), []);
  assert.equal(await registry.get("shop"), null);
  assert.equal(await registry.findByConfig(fixture.config("one")), null);
  assert.deepEqual(fixture.folder.files(), ["one", "two"]);
});

Deno.test("register writes a private, sorted, readable file", async () => {
  using fixture = new Fixture();
  const registry = fixture.open();
  await registry.register(projectOf(fixture, "shop", "one"));
  await registry.register({
    ...projectOf(fixture, "blog-fix", "two"),
    name: "blog",
    worktreeId: "fix",
  });
  const project = (
    id: string,
    name: string,
    config: string,
    tree: unknown,
  ) => ({
    config_path: fixture.config(config),
    name,
    registered_at: "2026-11-20T10:00:00.000Z",
    session: id,
    worktree_id: tree,
  });
  const expected = {
    projects: {
      "blog-fix": project("blog-fix", "blog", "two", "fix"),
      shop: project("shop", "shop", "one", null),
    },
    version: 1,
  };
  assert.equal(fixture.text(), `${JSON.stringify(expected, null, 2)}\n`);
  const { mode } = Deno.statSync(fixture.registry);
  assert.equal((mode ?? 0) & 0o777, 0o600);
  const folder = Deno.statSync(`${fixture.folder.path}/home`);
  assert.equal((folder.mode ?? 0) & 0o777, 0o700);
  assert.deepEqual((await registry.list()).map(({ id }) => id), [
    "blog-fix",
    "shop",
  ]);
  const found = await registry.findByConfig(fixture.config("two"));
  assert.equal(found?.id, "blog-fix");
  assert.equal(found?.worktreeId, "fix");
});

Deno.test("registering again changes nothing", async () => {
  using fixture = new Fixture();
  const first = await fixture.open().register(
    projectOf(fixture, "shop", "one"),
  );
  const before = Deno.statSync(fixture.registry).ino;
  const again = await fixture.open().register(
    projectOf(fixture, "shop", "one"),
  );
  assert.deepEqual(again, first);
  assert.equal(Deno.statSync(fixture.registry).ino, before);
});

Deno.test("an id that belongs to another checkout is E305 and names both", async () => {
  using fixture = new Fixture();
  const registry = fixture.open();
  await registry.register(projectOf(fixture, "shop", "one"));
  const other = projectOf(fixture, "shop", "two");
  await assert.rejects(
    registry.register(other),
    (error) =>
      hasCode("E305")(error) && error instanceof Error &&
      error.message.includes(fixture.config("one")) &&
      error.message.includes(fixture.config("two")),
  );
  assert.equal(
    (await registry.get("shop"))?.configPath,
    fixture.config("one"),
  );
  const forced = await registry.register(other, { force: true });
  assert.equal(forced.configPath, fixture.config("two"));
  assert.deepEqual(await registry.get("shop"), forced);
});

Deno.test("a project whose old path is gone moves by itself", async () => {
  using fixture = new Fixture();
  const registry = fixture.open();
  await registry.register(projectOf(fixture, "shop", "one"));
  Deno.removeSync(`${fixture.folder.path}/one`, { recursive: true });
  await registry.register(projectOf(fixture, "shop", "two"));
  assert.equal(
    (await registry.get("shop"))?.configPath,
    fixture.config("two"),
  );
  // A folder of the old path became a file.
  Deno.removeSync(`${fixture.folder.path}/two`, { recursive: true });
  Deno.writeTextFileSync(`${fixture.folder.path}/two`, "");
  await registry.register(projectOf(fixture, "shop", "one"));
});

Deno.test("unregister answers what it removed", async () => {
  using fixture = new Fixture();
  const registry = fixture.open();
  await registry.register(projectOf(fixture, "shop", "one"));
  assert.equal((await registry.unregister("shop"))?.id, "shop");
  assert.equal(await registry.unregister("shop"), null);
  assert.deepEqual(await registry.list(), []);
});

Deno.test("fifty registrations at once all arrive", async () => {
  using fixture = new Fixture();
  const ids = Array.from({ length: 50 }, (_, n) => `p${n}`);
  await Promise.all(
    ids.map((id) =>
      fixture.open(systemClock).register(projectOf(fixture, id, "one"))
    ),
  );
  const listed = await fixture.open().list();
  assert.deepEqual(listed.map(({ id }) => id), ids.sort());
});

Deno.test("a damaged registry is moved aside and told", async () => {
  using fixture = new Fixture();
  for (const text of ["{ not json", "[]", '{"projects":[]}', "null", ""]) {
    fixture.warnings.length = 0;
    fixture.write(text);
    assert.deepEqual(await fixture.open().list(), [], text);
    assert.equal(fixture.warnings.length, 1);
    const aside = /"([^"]+\.corrupt-[^"]+)"/.exec(fixture.warnings[0] ?? "");
    assert.equal(Deno.readTextFileSync(aside?.[1] ?? ""), text);
  }
  await fixture.open().register(projectOf(fixture, "shop", "one"));
  assert.equal((await fixture.open().list()).length, 1);
});

Deno.test("damaged entries are kept aside, good ones stay", async () => {
  using fixture = new Fixture();
  const good = { config_path: "/a/taskmux.toml", future: [1] };
  const bad = { config_path: 7 };
  const text = JSON.stringify({ projects: { bad, good }, version: 1 });
  fixture.write(text);
  const listed = await fixture.open().list();
  assert.deepEqual(listed.map(({ id }) => id), ["good"]);
  assert.match(fixture.warnings[0] ?? "", /\(bad\)/);
  assert.deepEqual(JSON.parse(fixture.text()), {
    projects: { good },
    version: 1,
  });
  const aside = [...Deno.readDirSync(`${fixture.folder.path}/home`)]
    .find(({ name }) => name.includes("corrupt"));
  assert.equal(
    Deno.readTextFileSync(`${fixture.folder.path}/home/${aside?.name}`),
    text,
  );
});

Deno.test("a registry of the first taskmux is read, unknown keys are kept", async () => {
  using fixture = new Fixture();
  fixture.write(JSON.stringify({
    projects: {
      shop: {
        config_path: fixture.config("one"),
        registered_at: "2026-01-01T00:00:00+00:00",
        session: "shop",
        colour: "green",
      },
    },
  }));
  const registry = fixture.open();
  assert.deepEqual(await registry.list(), [{
    id: "shop",
    configPath: fixture.config("one"),
    registeredAt: "2026-01-01T00:00:00+00:00",
    name: "shop",
    worktreeId: null,
  }]);
  await registry.register({
    ...projectOf(fixture, "shop", "one"),
    name: "Shop",
  });
  const { shop } = JSON.parse(fixture.text()).projects;
  assert.equal(shop.colour, "green");
  assert.equal(shop.name, "Shop");
  assert.equal(shop.registered_at, "2026-01-01T00:00:00+00:00");
  assert.deepEqual(fixture.warnings, []);
});

Deno.test("a registry of a newer taskmux is refused and not touched", async () => {
  using fixture = new Fixture();
  const text = '{"version":2,"projects":"elsewhere"}';
  fixture.write(text);
  const registry = fixture.open();
  await assert.rejects(registry.list(), hasCode("E601"));
  await assert.rejects(
    registry.register(projectOf(fixture, "shop", "one")),
    hasCode("E601"),
  );
  assert.equal(fixture.text(), text);
});

Deno.test("a lock that nobody gives back ends in E900, in bounded time", async () => {
  using fixture = new Fixture();
  fixture.write('{"projects":{}}');
  using held = Deno.openSync(fixture.registryLock, {
    create: true,
    write: true,
  });
  held.lockSync(true);
  let now = 0;
  const clock = {
    now: () => 0,
    monotonic: () => now,
    sleep: (ms: number) => {
      now += ms;
      return Promise.resolve();
    },
  };
  const registry = fixture.open(clock);
  await assert.rejects(
    registry.register(projectOf(fixture, "shop", "one")),
    hasCode("E900"),
  );
  assert.ok(now >= LOCK_WAIT_MS && now < LOCK_WAIT_MS + 100);
  // Reading takes no lock.
  assert.deepEqual(await registry.list(), []);
});

Deno.test("waiting for the lock ends when the signal aborts", async () => {
  using fixture = new Fixture();
  fixture.write('{"projects":{}}');
  using held = Deno.openSync(fixture.registryLock, {
    create: true,
    write: true,
  });
  held.lockSync(true);
  const abort = new AbortController();
  const registering = fixture.open(systemClock).register(
    projectOf(fixture, "shop", "one"),
    { signal: abort.signal },
  );
  const reason = new Error("enough");
  abort.abort(reason);
  await assert.rejects(registering, reason);
});
