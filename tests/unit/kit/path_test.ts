import assert from "node:assert/strict";
import { basename, dirname, resolve } from "node:path";
import { baseName, folderOf, resolvePath } from "../../../src/kit/path.ts";

Deno.test("paths are resolved as Node does", () => {
  const paths =
    " . .. ./a a/ a//b ../x ../../../../x /etc//hosts /a/./b/../c / a/.. .hidden ..a a.."
      .split(" ");
  for (const folder of ["/", "/srv", "/srv/shop/web", "/srv/../tmp/"]) {
    for (const path of ["", ...paths]) {
      assert.equal(
        resolvePath(folder, path),
        resolve(folder, path),
        `${folder} + ${path}`,
      );
    }
  }
});

Deno.test("paths are taken apart as Node does", () => {
  for (const path of ["/", "/a", "/a/b", "/a/b.toml", "/a b/ü.toml"]) {
    assert.equal(folderOf(path), dirname(path), path);
    assert.equal(baseName(path), basename(path), path);
  }
});
