import assert from "node:assert/strict";
import { editTextFile } from "../../../src/agents/edit_text_file.ts";
import { contextFiles } from "../../../src/agents/context_files.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { tempHome } from "../../support/temp_home.ts";

Deno.test("editTextFile makes its change again on what somebody saved meanwhile", async () => {
  await using home = await tempHome();
  const path = `${home.work}/A.md`;
  await Deno.writeTextFile(path, "one\n");
  let calls = 0;
  const action = await editTextFile(path, (text) => {
    if (calls++ === 0) Deno.writeTextFileSync(path, "two\n");
    return `${text}ours\n`;
  });
  assert.equal(action, "updated");
  assert.equal(await Deno.readTextFile(path), "two\nours\n");
  assert.equal(calls, 2);
});

Deno.test("editTextFile loses neither a file that appears nor one that goes on changing", async () => {
  await using home = await tempHome();
  const root = home.work;
  let calls = 0;
  await editTextFile(`${root}/new.md`, (text) => {
    if (calls++ === 0) Deno.writeTextFileSync(`${root}/new.md`, "theirs\n");
    return `${text ?? ""}ours\n`;
  });
  assert.equal(await Deno.readTextFile(`${root}/new.md`), "theirs\nours\n");

  const busy = `${root}/busy.md`;
  await assert.rejects(
    editTextFile(busy, (text) => {
      Deno.writeTextFileSync(busy, `${text ?? ""}x`);
      return "ours";
    }),
    (error) => error instanceof TaskmuxError && error.code === "E500",
  );
  assert.match(await Deno.readTextFile(busy), /^x+$/);
  const left = [...Deno.readDirSync(root)].map(({ name }) => name).sort();
  assert.deepEqual(left, ["busy.md", "new.md"]);
});

Deno.test("editTextFile keeps mode and links, and refuses what is no text", async () => {
  await using home = await tempHome();
  const root = home.work;
  await Deno.writeTextFile(`${root}/real.md`, "a");
  await Deno.chmod(`${root}/real.md`, 0o640);
  await Deno.symlink("real.md", `${root}/link.md`);
  assert.equal(await editTextFile(`${root}/link.md`, () => "b"), "updated");
  assert.equal(await Deno.readTextFile(`${root}/real.md`), "b");
  assert.equal((await Deno.stat(`${root}/real.md`)).mode! & 0o777, 0o640);
  assert((await Deno.lstat(`${root}/link.md`)).isSymlink);
  assert.equal(await editTextFile(`${root}/real.md`, () => "b"), "unchanged");
  // A link is not deleted: what it leads to is somebody's.
  assert.equal(await editTextFile(`${root}/link.md`, () => null), "updated");
  assert.equal(await editTextFile(`${root}/real.md`, () => null), "deleted");

  await Deno.writeFile(`${root}/utf16.md`, new Uint8Array([0xff, 0xfe, 97, 0]));
  await Deno.mkdir(`${root}/folder.md`);
  await Deno.symlink("ring.md", `${root}/ring.md`);
  for (const name of ["utf16.md", "folder.md", "ring.md"]) {
    await assert.rejects(
      editTextFile(`${root}/${name}`, () => "x"),
      (error) => error instanceof TaskmuxError && error.code === "E500",
      name,
    );
  }
  assert.deepEqual(
    await Deno.readFile(`${root}/utf16.md`),
    new Uint8Array([0xff, 0xfe, 97, 0]),
  );
});

Deno.test("contextFiles tells a file once, whatever leads to it", async () => {
  await using home = await tempHome();
  const root = home.work;
  await Deno.symlink("AGENTS.md", `${root}/CLAUDE.md`);
  const paths = async (): Promise<string[]> =>
    (await contextFiles(root)).map(({ path, exists }) =>
      `${path.slice(root.length + 1)} ${exists}`
    );
  assert.deepEqual(await paths(), ["AGENTS.md false", "GEMINI.md false"]);
  await Deno.writeTextFile(`${root}/AGENTS.md`, "");
  assert.deepEqual(await paths(), ["AGENTS.md true", "GEMINI.md false"]);
});
