import assert from "node:assert/strict";
import {
  HEAVY_MODULES,
  layerOf,
  LAYERS,
  layerViolation,
  PACKAGES,
  packageViolation,
} from "../../tools/layers.ts";
import { REPOSITORY } from "../support/deno_flags.ts";
import {
  entryPaths,
  findCycle,
  manifest,
  moduleGraph,
  sourceFiles,
  staticClosure,
} from "./_module_graph.ts";

Deno.test("the table of layers names every folder and no other", () => {
  const folders = [...Deno.readDirSync(`${REPOSITORY}/src`)]
    .filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => name);
  const known = Object.keys(LAYERS).filter((name) => name !== "main.ts");
  assert.deepEqual(folders.sort(), known.sort());
});

Deno.test("the table of layers only ever looks down", () => {
  for (const [name, layer] of Object.entries(LAYERS)) {
    for (const other of [...layer.only ?? [], ...layer.typesOf ?? []]) {
      const target = LAYERS[other];
      assert.ok(target !== undefined, `${name} may see unknown ${other}`);
      assert.ok(target.rank < layer.rank, `${name} may see ${other} above it`);
    }
  }
});

Deno.test("every import follows the table, dynamic ones and types too", async () => {
  const { edges } = await moduleGraph(entryPaths());
  const violations = edges.flatMap((edge) => {
    const isOurs = layerOf(edge.to) !== null || !edge.to.includes(":");
    const reason = isOurs
      ? layerViolation(edge)
      : packageViolation(edge.from, edge.specifier);
    return reason === null
      ? []
      : [`${edge.from} → ${edge.to} (${edge.kind}): ${reason}`];
  });
  assert.deepEqual(violations, []);
});

Deno.test("no file imports itself by a detour", async () => {
  assert.equal(findCycle(await moduleGraph(entryPaths())), null);
});

Deno.test("every file of src/ is part of a process", async () => {
  const { files } = await moduleGraph(entryPaths());
  const unused = sourceFiles(["src"]).filter((path) => !files.has(path));
  assert.deepEqual(unused, []);
});

Deno.test("the CLI loads nothing heavy before it knows its command", async () => {
  const graph = await moduleGraph(["main.ts"]);
  const loaded = [...staticClosure(graph, "main.ts")];
  const heavy = loaded.filter((name) =>
    name.startsWith("npm:") || HEAVY_MODULES.includes(name)
  );
  assert.deepEqual(heavy, []);
});

Deno.test("the client for scripts needs neither Deno nor a package", async () => {
  const { files, edges } = await moduleGraph(["src/client/api_client.ts"]);
  assert.ok(files.has("src/client/api_socket.ts"));
  const packages = edges.filter(({ to }) => /^(?:npm|jsr|https?):/.test(to));
  assert.deepEqual(packages, []);
  const bound = [...files].filter((path) =>
    /\bDeno\./.test(Deno.readTextFileSync(`${REPOSITORY}/${path}`))
  );
  assert.deepEqual(bound, []);
});

Deno.test("every package is pinned, listed for a folder, and used", async () => {
  // What no folder of ours may import is for tests.
  const { edges } = await moduleGraph([
    ...entryPaths(),
    "tests/model/model_run.ts",
    "tests/fixtures/programs/mcp_conformance.ts",
  ]);
  const used = new Set(edges.map(({ specifier }) => specifier));
  for (const [name, target] of Object.entries(manifest().imports)) {
    assert.match(target, /@\d+\.\d+\.\d+$/, `${name} is not pinned`);
    assert.ok(PACKAGES[name] !== undefined, `${name} is not in PACKAGES`);
    assert.ok(
      [...used].some((it) => it === name || it.startsWith(`${name}/`)),
      `${name} is imported by nothing`,
    );
  }
});

Deno.test("all that the daemon loads later is loaded before it gives up the rights of root", async () => {
  const deferring = "src/daemon/deferred_modules.ts";
  const { edges } = await moduleGraph(["src/daemon/main.ts"]);
  const dynamic = edges.filter(({ kind }) => kind === "dynamic");
  const loaded = dynamic.filter(({ from }) => from === deferring)
    .map(({ to }) => to);
  // The beginning of such a daemon is itself what gives them up.
  const later = dynamic.map(({ to }) => to)
    .filter((to) => to !== "src/daemon/privileged_start.ts");
  assert.deepEqual([...new Set(later)].sort(), loaded.toSorted());
});
