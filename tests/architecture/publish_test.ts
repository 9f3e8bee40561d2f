import assert from "node:assert/strict";
import { REPOSITORY } from "../support/deno_flags.ts";
import { deno, entryPaths, moduleGraph } from "./_module_graph.ts";

/** The paths that `deno publish` would upload. */
async function publishedFiles(): Promise<Set<string>> {
  const output = await deno(
    ["publish", "--dry-run", "--allow-dirty"],
    "both",
  );
  const prefix = `file://${encodeURI(REPOSITORY)}/`;
  const paths = output.split("\n").flatMap((line) => {
    const url = /^\s+(file:\S+) \(/.exec(line)?.[1];
    return url?.startsWith(prefix)
      ? [decodeURIComponent(url.slice(prefix.length))]
      : [];
  });
  return new Set(paths);
}

Deno.test("the package holds all it imports, what it promises, and no more", async (t) => {
  const published = await publishedFiles();

  // The dry run notices a missing module but not a missing text or JSON file.
  await t.step("every imported file, assets too", async () => {
    const { edges } = await moduleGraph(entryPaths());
    const missing = edges
      .map(({ to }) => to)
      .filter((to) => !to.includes(":") && !published.has(to));
    assert.deepEqual(missing, []);
  });

  await t.step("the entry points and the papers", () => {
    const papers = ["README.md", "LICENSE", "CHANGELOG.md", "deno.json"];
    for (const path of [...entryPaths(), ...papers]) {
      assert.ok(published.has(path), `${path} is not published`);
    }
  });

  await t.step("no test, tool or bench", () => {
    const strange = [...published].filter((path) =>
      /^(?:tests|tools|bench|docs|examples|\.)/.test(path)
    );
    assert.deepEqual(strange, []);
  });
});
