import assert from "node:assert/strict";
import { writeFileAtomic } from "../../../src/kit/atomic_file.ts";

async function withFolder(
  run: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.chmod(folder, 0o700);
    await Deno.remove(folder, { recursive: true });
  }
}

async function modeOf(path: string): Promise<number> {
  return (await Deno.stat(path)).mode! & 0o7777;
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("writeFileAtomic creates and replaces a file", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a`;
    await writeFileAtomic(path, "one");
    await writeFileAtomic(path, new TextEncoder().encode("two"));
    assert.equal(await Deno.readTextFile(path), "two");
    assert.deepEqual(namesIn(folder), ["a"]);
  });
});

Deno.test("writeFileAtomic gives the exact mode whatever the umask", async () => {
  await withFolder(async (folder) => {
    await writeFileAtomic(`${folder}/a`, "x", { mode: 0o666 });
    assert.equal(await modeOf(`${folder}/a`), 0o666);
    await writeFileAtomic(`${folder}/a`, "x", { mode: 0o600 });
    assert.equal(await modeOf(`${folder}/a`), 0o600);
  });
});

Deno.test("writeFileAtomic keeps the mode of the file it replaces", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a`;
    await Deno.writeTextFile(path, "old");
    await Deno.chmod(path, 0o640);
    await writeFileAtomic(path, "new");
    assert.equal(await modeOf(path), 0o640);
  });
});

Deno.test("writeFileAtomic replaces the file behind links", async () => {
  await withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/real`);
    await Deno.writeTextFile(`${folder}/real/file`, "old");
    await Deno.symlink("real/file", `${folder}/link`);
    await Deno.symlink(`${folder}/link`, `${folder}/link2`);
    await writeFileAtomic(`${folder}/link2`, "new");
    assert.equal(await Deno.readLink(`${folder}/link`), "real/file");
    assert.equal(await Deno.readTextFile(`${folder}/real/file`), "new");
    assert.deepEqual(namesIn(`${folder}/real`), ["file"]);
  });
});

Deno.test("writeFileAtomic creates the file a dangling link names", async () => {
  await withFolder(async (folder) => {
    await Deno.symlink("missing", `${folder}/link`);
    await writeFileAtomic(`${folder}/link`, "new");
    assert.equal(await Deno.readTextFile(`${folder}/missing`), "new");
    assert.ok((await Deno.lstat(`${folder}/link`)).isSymlink);
  });
});

Deno.test("writeFileAtomic refuses a ring of links", async () => {
  await withFolder(async (folder) => {
    await Deno.symlink("b", `${folder}/a`);
    await Deno.symlink("a", `${folder}/b`);
    await assert.rejects(
      writeFileAtomic(`${folder}/a`, "x"),
      Deno.errors.FilesystemLoop,
    );
  });
});

Deno.test("writeFileAtomic leaves nothing behind when it fails", async () => {
  await withFolder(async (folder) => {
    // A folder in the file's place makes the very last step fail.
    await Deno.mkdir(`${folder}/taken/inside`, { recursive: true });
    await assert.rejects(writeFileAtomic(`${folder}/taken`, "x"));
    assert.deepEqual(namesIn(folder), ["taken"]);
    await assert.rejects(
      writeFileAtomic(`${folder}/no/such`, "x"),
      Deno.errors.NotFound,
    );
  });
});

Deno.test("writeFileAtomic never shows a part to a reader", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a`;
    const contents = ["a", "b"].map((char) => char.repeat(300_000));
    await writeFileAtomic(path, contents[0]!);
    const writing = { isDone: false };
    const writer = (async () => {
      for (let round = 0; round < 20; round++) {
        await writeFileAtomic(path, contents[round % 2]!);
      }
      writing.isDone = true;
    })();
    while (!writing.isDone) {
      const seen = await Deno.readTextFile(path);
      assert.ok(contents.includes(seen), `read ${seen.length} characters`);
    }
    await writer;
  });
});
