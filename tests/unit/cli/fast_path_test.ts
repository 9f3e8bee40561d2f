import assert from "node:assert/strict";
import {
  moduleGraph,
  staticClosure,
} from "../../architecture/_module_graph.ts";

/** Modules that may be loaded before `status --json` is answered. Each costs about a tenth of a millisecond. */
const MAX_MODULES = 23;

Deno.test("status --json loads few modules, none of node: or npm:", async () => {
  const status = "src/cli/commands/status.ts";
  const graph = await moduleGraph(["main.ts"]);
  const loaded = new Set([
    ...staticClosure(graph, "main.ts"),
    ...staticClosure(graph, status),
  ]);
  const heavy = [...loaded].filter((name) => name.includes(":"));
  assert.deepEqual(heavy, []);
  const others = [...loaded].filter((name) =>
    name.startsWith("src/cli/commands/") && name !== status
  );
  assert.deepEqual(others, []);
  assert(loaded.size <= MAX_MODULES, [...loaded].join("\n"));
});
