import assert from "node:assert/strict";
import { findConfig } from "../../../src/config/find_config.ts";

function withTree(run: (root: string) => void): void {
  const root = Deno.realPathSync(Deno.makeTempDirSync());
  try {
    Deno.mkdirSync(`${root}/a/b/c`, { recursive: true });
    run(root);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

Deno.test("findConfig takes the nearest file upwards", () => {
  withTree((root) => {
    Deno.writeTextFileSync(`${root}/taskmux.toml`, "");
    Deno.writeTextFileSync(`${root}/a/b/taskmux.toml`, "");
    assert.equal(findConfig(`${root}/a/b/c`), `${root}/a/b/taskmux.toml`);
    assert.equal(findConfig(`${root}/a/b`), `${root}/a/b/taskmux.toml`);
    assert.equal(findConfig(`${root}/a`), `${root}/taskmux.toml`);
    assert.equal(findConfig(`${root}/gone/there`), `${root}/taskmux.toml`);
  });
});

Deno.test("findConfig gives null where there is none", () => {
  withTree((root) => assert.equal(findConfig(`${root}/a/b`), null));
  assert.equal(findConfig("/"), null);
});

Deno.test("findConfig passes over a folder of the name", () => {
  withTree((root) => {
    Deno.writeTextFileSync(`${root}/taskmux.toml`, "");
    Deno.mkdirSync(`${root}/a/taskmux.toml`);
    assert.equal(findConfig(`${root}/a`), `${root}/taskmux.toml`);
  });
});

Deno.test("findConfig follows a link and passes over a broken one", () => {
  withTree((root) => {
    Deno.writeTextFileSync(`${root}/elsewhere`, "");
    Deno.symlinkSync(`${root}/elsewhere`, `${root}/a/taskmux.toml`);
    Deno.symlinkSync("taskmux.toml", `${root}/a/b/taskmux.toml`);
    assert.equal(findConfig(`${root}/a/b`), `${root}/a/taskmux.toml`);
  });
});

Deno.test("findConfig understands dots and slashes", () => {
  withTree((root) => {
    Deno.writeTextFileSync(`${root}/taskmux.toml`, "");
    const expected = `${root}/taskmux.toml`;
    assert.equal(findConfig(`${root}/a/b/../../`), expected);
    assert.equal(findConfig(`${root}//./a/`), expected);
    // Where the walk up goes through "..", it must not come back down.
    Deno.writeTextFileSync(`${root}/a/b/taskmux.toml`, "");
    assert.equal(findConfig(`${root}/a/b/../c`), expected);
  });
});

Deno.test("findConfig refuses a relative path", () => {
  assert.throws(() => findConfig("a"), TypeError);
});
