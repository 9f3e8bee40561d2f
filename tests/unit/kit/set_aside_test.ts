import assert from "node:assert/strict";
import {
  asideCopies,
  clearObstacle,
  kindOf,
  MAX_ASIDE,
  setAside,
} from "../../../src/kit/set_aside.ts";
import { FAULTS } from "../../support/state_faults.ts";
import { NOW_MS } from "../../support/store_folder.ts";

function inFolder(test: (path: string) => void): void {
  const path = Deno.makeTempDirSync({ prefix: "tmx-aside-" });
  try {
    test(path);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

Deno.test("kindOf() tells what has a name without opening it", () => {
  inFolder((path) => {
    const file = `${path}/file`;
    const kinds = {
      gone: "absent",
      empty: "file",
      "a folder": "folder",
      "a pipe": "pipe",
      "a link into nowhere": "dangling link",
    };
    for (const [fault, kind] of Object.entries(kinds)) {
      FAULTS["gone"]!(file);
      FAULTS[fault]!(file);
      assert.equal(kindOf(file), kind);
    }
    assert.equal(kindOf("/dev/null"), "device");
    assert.equal(kindOf(`${path}/file/below`), "absent");
    Deno.symlinkSync(path, `${path}/link`);
    assert.equal(kindOf(`${path}/link`), "folder");
    Deno.symlinkSync("loop", `${path}/loop`);
    assert.equal(kindOf(`${path}/loop`), "dangling link");
  });
});

Deno.test("clearObstacle() moves what is no file, and nothing else", () => {
  inFolder((path) => {
    const file = `${path}/state.db`;
    assert.equal(clearObstacle(file, NOW_MS), null);
    Deno.writeTextFileSync(file, "content");
    assert.equal(clearObstacle(file, NOW_MS), null);
    Deno.symlinkSync(file, `${path}/link`);
    assert.equal(clearObstacle(`${path}/link`, NOW_MS), null);
    Deno.symlinkSync("/dev/null", `${path}/sink`);
    assert.equal(clearObstacle(`${path}/sink`, NOW_MS), null);
    FAULTS["a folder"]!(file);
    const aside = clearObstacle(file, NOW_MS);
    assert.equal(aside, `${file}.corrupt-20261120T100000000Z`);
    assert(Deno.statSync(`${aside}/inside`).isDirectory);
    assert.equal(kindOf(file), "absent");
  });
});

Deno.test("setAside() overwrites nothing and keeps the newest copies with their side files", () => {
  inFolder((path) => {
    const file = `${path}/state.db`;
    // What only looks like a copy is the user's.
    Deno.writeTextFileSync(`${file}.corrupt-mine`, "");
    for (let n = 0; n < MAX_ASIDE + 6; n++) {
      Deno.writeTextFileSync(file, String(n));
      Deno.writeTextFileSync(`${file}-wal`, String(n));
      setAside(file, NOW_MS, ["-wal", "-shm"]);
    }
    const copies = asideCopies(file);
    const texts = copies.map((name) =>
      Deno.readTextFileSync(`${path}/${name}`)
    );
    assert.deepEqual(texts, ["6", "7", "8", "9", "10"]);
    const names = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
    assert.deepEqual(
      names,
      [
        "state.db.corrupt-mine",
        ...copies,
        ...copies.map((name) => `${name}-wal`),
      ].sort(),
    );
  });
});
