import assert from "node:assert/strict";
import { systemClock } from "../../src/kit/clock.ts";
import {
  type FileWatchOptions,
  MAX_WATCHED_FOLDERS,
  watchFiles,
} from "../../src/supervisor/file_watch.ts";

/** A folder under watch. */
class Watched implements AsyncDisposable {
  readonly root: string;
  readonly #end = new AbortController();
  readonly #changes: AsyncGenerator<string[], void, void>;
  readonly warnings: string[] = [];
  readonly #ready = Promise.withResolvers<void>();
  #next: Promise<IteratorResult<string[], void>>;

  constructor(root: string, options: Partial<FileWatchOptions>) {
    this.root = root;
    this.#changes = watchFiles({
      root,
      patterns: ["**/*"],
      ignore: [],
      debounceMs: 50,
      clock: systemClock,
      signal: this.#end.signal,
      onReady: () => this.#ready.resolve(),
      onWarning: (message) => this.warnings.push(message),
      ...options,
    });
    this.#next = this.#changes.next();
  }

  /** Watches a new folder with the given files and links in it. */
  static async over(
    files: readonly string[],
    options: Partial<FileWatchOptions> = {},
    links: Readonly<Record<string, string>> = {},
  ): Promise<Watched> {
    const root = await Deno.realPath(
      await Deno.makeTempDir({ prefix: "tmx-watch-" }),
    );
    for (const name of files) write(root, name, name);
    for (const [name, target] of Object.entries(links)) {
      await Deno.symlink(target, `${root}/${name}`);
    }
    const watched = new Watched(root, options);
    await watched.#ready.promise;
    return watched;
  }

  write(name: string, text: string): void {
    write(this.root, name, text);
  }

  path(name: string): string {
    return `${this.root}/${name}`;
  }

  /** The files that changed together next. */
  async changed(): Promise<string[]> {
    const { value } = await this.#next;
    assert.ok(value);
    this.#next = this.#changes.next();
    return value;
  }

  /** That nothing so far was a change: the next one is of this file only. */
  async quietUntil(name: string): Promise<void> {
    this.write(name, crypto.randomUUID());
    assert.deepEqual(await this.changed(), [name]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    assert.equal((await this.#next).done, true);
    await Deno.remove(this.root, { recursive: true });
  }
}

function write(root: string, name: string, text: string): void {
  const path = `${root}/${name}`;
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  Deno.writeTextFileSync(path, text);
}

Deno.test("watchFiles tells files that are changed, created and removed", async () => {
  await using watched = await Watched.over(["a.ts", "src/b.ts"]);
  watched.write("a.ts", "changed");
  assert.deepEqual(await watched.changed(), ["a.ts"]);
  watched.write("src/new.ts", "new");
  assert.deepEqual(await watched.changed(), ["src/new.ts"]);
  Deno.removeSync(watched.path("src/b.ts"));
  assert.deepEqual(await watched.changed(), ["src/b.ts"]);
});

Deno.test("watchFiles tells what changed together at once, sorted", async () => {
  await using watched = await Watched.over(["b.ts", "src/a.ts", "c.ts"]);
  for (const name of ["c.ts", "b.ts", "src/a.ts", "c.ts"]) {
    // Of another length: the kernel's clock for files ticks every 4 ms, and they may be younger than that.
    watched.write(name, "changed by the test");
  }
  assert.deepEqual(await watched.changed(), ["b.ts", "c.ts", "src/a.ts"]);
});

Deno.test("watchFiles counts the replacement of a file as one change of it", async () => {
  await using watched = await Watched.over(["a.ts"]);
  watched.write("a.ts.tmp-1", "changed");
  Deno.renameSync(watched.path("a.ts.tmp-1"), watched.path("a.ts"));
  assert.deepEqual(await watched.changed(), ["a.ts"]);
  Deno.renameSync(watched.path("a.ts"), watched.path("a.ts~"));
  watched.write("a.ts", "once more");
  Deno.removeSync(watched.path("a.ts~"));
  assert.deepEqual(await watched.changed(), ["a.ts"]);
});

Deno.test("watchFiles ignores what does not change a file", async () => {
  await using watched = await Watched.over(["a.ts", "b.ts"]);
  await Deno.readTextFile(watched.path("a.ts"));
  Deno.chmodSync(watched.path("a.ts"), 0o600);
  watched.write(".a.ts.swp", "");
  watched.write("brief.ts", "");
  Deno.removeSync(watched.path("brief.ts"));
  Deno.mkdirSync(watched.path("empty"));
  await watched.quietUntil("b.ts");
});

Deno.test("watchFiles tells only files that are meant", async () => {
  await using watched = await Watched.over(
    ["src/a.ts", "docs/a.ts", "src/gen/a.ts"],
    { patterns: ["src/**/*.ts"], ignore: ["gen"] },
  );
  watched.write("docs/a.ts", "changed");
  watched.write("src/gen/a.ts", "changed");
  watched.write("src/a.css", "changed");
  watched.write("src/node_modules/x/a.ts", "changed");
  await watched.quietUntil("src/a.ts");
});

Deno.test("watchFiles follows folders that come, go and come back", async () => {
  await using watched = await Watched.over(["src/old/a.ts"], {
    patterns: ["src/**/*.ts"],
  });
  watched.write("src/x/y/z/deep.ts", "1");
  assert.deepEqual(await watched.changed(), ["src/x/y/z/deep.ts"]);
  watched.write("src/x/y/z/deep.ts", "22");
  assert.deepEqual(await watched.changed(), ["src/x/y/z/deep.ts"]);
  Deno.renameSync(watched.path("src/old"), watched.path("src/new"));
  assert.deepEqual(await watched.changed(), ["src/new/a.ts", "src/old/a.ts"]);
  watched.write("src/new/a.ts", "333");
  assert.deepEqual(await watched.changed(), ["src/new/a.ts"]);
  Deno.removeSync(watched.path("src"), { recursive: true });
  assert.deepEqual(await watched.changed(), [
    "src/new/a.ts",
    "src/x/y/z/deep.ts",
  ]);
  watched.write("src/new/a.ts", "4444");
  assert.deepEqual(await watched.changed(), ["src/new/a.ts"]);
  watched.write("src/new/a.ts", "55555");
  assert.deepEqual(await watched.changed(), ["src/new/a.ts"]);
});

Deno.test("watchFiles waits for a folder that does not exist yet", async () => {
  await using watched = await Watched.over([], { patterns: ["dist/js/*.js"] });
  watched.write("dist/js/app.js", "1");
  assert.deepEqual(await watched.changed(), ["dist/js/app.js"]);
});

Deno.test("watchFiles tells files elsewhere by their whole path", async () => {
  const elsewhere = await Deno.realPath(await Deno.makeTempDir());
  try {
    await using watched = await Watched.over(["a.ts"], {
      patterns: ["*.ts", `${elsewhere}/*.json`],
    });
    await Deno.writeTextFile(`${elsewhere}/x.json`, "1");
    assert.deepEqual(await watched.changed(), [`${elsewhere}/x.json`]);
    await watched.quietUntil("a.ts");
  } finally {
    await Deno.remove(elsewhere, { recursive: true });
  }
});

Deno.test("watchFiles enters a link only if a pattern names it", async () => {
  const elsewhere = await Deno.realPath(await Deno.makeTempDir());
  try {
    const links = { "src/loop": ".", linked: elsewhere };
    await using watched = await Watched.over(
      ["src/a.ts"],
      { patterns: ["src/**/*.ts", "linked/*.ts"] },
      links,
    );
    watched.write("src/a.ts", "changed");
    assert.deepEqual(await watched.changed(), ["src/a.ts"]);
    await Deno.writeTextFile(`${elsewhere}/b.ts`, "1");
    assert.deepEqual(await watched.changed(), ["linked/b.ts"]);
  } finally {
    await Deno.remove(elsewhere, { recursive: true });
  }
});

Deno.test("watchFiles keeps changes for a consumer that is busy", async () => {
  await using watched = await Watched.over(["a.ts", "b.ts", "c.ts"]);
  watched.write("a.ts", "changed");
  const first = await watched.changed();
  watched.write("b.ts", "changed");
  watched.write("c.ts", "changed");
  assert.deepEqual(first, ["a.ts"]);
  assert.deepEqual(await watched.changed(), ["b.ts", "c.ts"]);
});

Deno.test("watchFiles says so when there are too many folders, and watches what it can", async () => {
  const folders = Array.from(
    { length: MAX_WATCHED_FOLDERS },
    (_, n) => `many/${n}/x.ts`,
  );
  await using watched = await Watched.over([...folders, "a.ts"]);
  assert.deepEqual(watched.warnings, [
    "Cannot watch all files: more than 4096 folders; narrow watch or add folders to watch_ignore",
  ]);
  await watched.quietUntil("a.ts");
});

// Deno's watcher opens what changes. That took what a writer had for somebody else, and never came back without one.
Deno.test("watchFiles leaves named pipes alone", async () => {
  await using watched = await Watched.over(["a.ts"]);
  const pipe = watched.path("pipe");
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  const writer = new Deno.Command("sh", {
    args: ["-c", 'echo text > "$0"', pipe],
  }).spawn();
  watched.write("a.ts", "changed");
  assert.deepEqual(await watched.changed(), ["a.ts"]);
  await using another = await Watched.over(["b.ts"]);
  another.write("b.ts", "changed");
  assert.deepEqual(await another.changed(), ["b.ts"]);
  assert.equal(await Deno.readTextFile(pipe), "text\n");
  assert.equal((await writer.status).code, 0);
});

Deno.test("watchFiles ends at once when it is cancelled before it began", async () => {
  const changes = watchFiles({
    root: "/no/such",
    patterns: ["*"],
    ignore: [],
    clock: systemClock,
    signal: AbortSignal.abort(),
  });
  assert.equal((await changes.next()).done, true);
});
