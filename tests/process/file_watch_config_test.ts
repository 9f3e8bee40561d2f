import assert from "node:assert/strict";
import { systemClock } from "../../src/kit/clock.ts";
import {
  CONFIG_LOOK_MS,
  type ConfigPresence,
  watchConfig,
} from "../../src/supervisor/config_watch.ts";
import { tellingClock } from "../support/telling_clock.ts";
import { until } from "../support/until.ts";

/** A project's file under watch. */
class Watched implements AsyncDisposable {
  readonly folder: string;
  readonly path: string;
  readonly #parent: string;
  readonly #end = new AbortController();
  readonly #states: AsyncGenerator<ConfigPresence, void, void>;
  #next: Promise<IteratorResult<ConfigPresence, void>>;
  /** How often it began to wait for its next look. */
  #waits = 0;

  constructor(parent: string, name = "taskmux.toml") {
    this.#parent = parent;
    this.folder = `${parent}/project`;
    this.path = `${this.folder}/${name}`;
    this.#states = watchConfig(this.path, {
      debounceMs: 50,
      clock: tellingClock((ms) => {
        if (ms === CONFIG_LOOK_MS) this.#waits++;
      }),
      signal: this.#end.signal,
    });
    this.#next = this.#states.next();
  }

  /** Watches a file in a new folder; `text` null = there is none yet. */
  static async over(text: string | null): Promise<Watched> {
    const parent = await tempDir();
    Deno.mkdirSync(`${parent}/project`);
    if (text !== null) {
      Deno.writeTextFileSync(`${parent}/project/taskmux.toml`, text);
    }
    const watched = new Watched(parent);
    assert.equal(await watched.state(), text === null ? "missing" : "present");
    return watched;
  }

  write(text: string): void {
    Deno.writeTextFileSync(this.path, text);
  }

  /** Does something, and waits until the watch has looked and waits again. */
  async looksAgainAfter(action: () => void): Promise<void> {
    await until(() => this.#waits > 0);
    const before = this.#waits;
    action();
    await until(() => this.#waits > before);
  }

  async state(): Promise<ConfigPresence> {
    const { value } = await this.#next;
    assert.ok(value);
    this.#next = this.#states.next();
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    assert.equal((await this.#next).done, true);
    await Deno.remove(this.#parent, { recursive: true });
  }
}

async function tempDir(): Promise<string> {
  return await Deno.realPath(
    await Deno.makeTempDir({ prefix: "tmx-config-" }),
  );
}

Deno.test("watchConfig tells each change of the content", async () => {
  await using watched = await Watched.over("one");
  watched.write("two");
  assert.equal(await watched.state(), "present");
  watched.write("three");
  assert.equal(await watched.state(), "present");
});

Deno.test("watchConfig survives that the file is replaced, again and again", async () => {
  await using watched = await Watched.over("0");
  for (let n = 1; n <= 3; n++) {
    Deno.writeTextFileSync(`${watched.path}.tmp`, String(n));
    Deno.renameSync(`${watched.path}.tmp`, watched.path);
    assert.equal(await watched.state(), "present");
  }
});

Deno.test("watchConfig tells a file that disappears, and one that comes back", async () => {
  await using watched = await Watched.over("one");
  Deno.removeSync(watched.path);
  assert.equal(await watched.state(), "missing");
  watched.write("one");
  assert.equal(await watched.state(), "present");
});

Deno.test("watchConfig does not tell of other files, nor of a file that is away for a moment", async () => {
  await using watched = await Watched.over("one");
  await watched.looksAgainAfter(() =>
    Deno.writeTextFileSync(`${watched.folder}/other`, "x")
  );
  // Saved as some editors do: away with the old one, then the new one.
  Deno.removeSync(watched.path);
  watched.write("one");
  assert.equal(await watched.state(), "present");
  Deno.removeSync(watched.path);
  assert.equal(await watched.state(), "missing");
});

Deno.test("watchConfig waits for a file that does not exist yet", async () => {
  await using watched = await Watched.over(null);
  watched.write("one");
  assert.equal(await watched.state(), "present");
});

Deno.test("watchConfig follows a folder that is removed and made again", async () => {
  await using watched = await Watched.over("one");
  Deno.removeSync(watched.folder, { recursive: true });
  assert.equal(await watched.state(), "missing");
  Deno.mkdirSync(watched.folder);
  watched.write("two");
  assert.equal(await watched.state(), "present");
  watched.write("three");
  assert.equal(await watched.state(), "present");
});

Deno.test("watchConfig follows a folder that is exchanged for another", async () => {
  await using watched = await Watched.over("one");
  Deno.renameSync(watched.folder, `${watched.folder}.old`);
  Deno.mkdirSync(watched.folder);
  watched.write("two");
  assert.equal(await watched.state(), "present");
  watched.write("three");
  assert.equal(await watched.state(), "present");
});

Deno.test("watchConfig sees changes behind a link", async () => {
  const parent = await tempDir();
  Deno.mkdirSync(`${parent}/project`);
  Deno.mkdirSync(`${parent}/real`);
  Deno.writeTextFileSync(`${parent}/real/shared.toml`, "one");
  Deno.symlinkSync("../real/shared.toml", `${parent}/project/taskmux.toml`);
  await using watched = new Watched(parent);
  assert.equal(await watched.state(), "present");
  Deno.writeTextFileSync(`${parent}/real/shared.toml`, "two");
  assert.equal(await watched.state(), "present");
});

// Deno's watcher opens what changes. Here that would take a writer's data, and never come back without one.
Deno.test("watchConfig leaves a named pipe beside the file alone", async () => {
  await using watched = await Watched.over("one");
  const pipe = `${watched.folder}/pipe`;
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  const writer = new Deno.Command("sh", {
    args: ["-c", 'echo text > "$0"', pipe],
  }).spawn();
  for (const text of ["two", "three"]) {
    watched.write(text);
    assert.equal(await watched.state(), "present");
  }
  assert.equal(await Deno.readTextFile(pipe), "text\n");
  assert.equal((await writer.status).code, 0);
});

Deno.test("watchConfig ends at once when it is cancelled before it began", async () => {
  const states = watchConfig("/no/such/taskmux.toml", {
    clock: systemClock,
    signal: AbortSignal.abort(),
  });
  assert.equal((await states.next()).done, true);
});
