import assert from "node:assert/strict";
import {
  dependencyOrder,
  dependentsOf,
  withDependencies,
} from "../../../src/domain/dependency_graph.ts";
import type { TaskSpec } from "../../../src/domain/task_spec.ts";
import { taskSpec } from "./_samples.ts";

const PURE = { permissions: "none" } as const;

/** Tasks in file order, each with the names that it depends on. */
function tasksOf(
  graph: Readonly<Record<string, readonly string[]>>,
): ReadonlyMap<string, TaskSpec> {
  return new Map(
    Object.entries(graph).map(([name, needs]) => [
      name,
      taskSpec({
        name,
        dependsOn: needs.map((task) => ({ task, condition: "healthy" })),
      }),
    ]),
  );
}

const SHOP = tasksOf({
  web: ["api"],
  worker: ["queue", "migrate"],
  docs: [],
  api: ["migrate", "queue"],
  migrate: ["db"],
  queue: [],
  db: [],
});

Deno.test(
  "withDependencies() adds what is needed, dependencies first",
  PURE,
  () => {
    const check = (names: string[], expected: string[]) =>
      assert.deepEqual(withDependencies(SHOP, names), expected);
    check([], []);
    check(["docs"], ["docs"]);
    check(["web"], ["db", "migrate", "queue", "api", "web"]);
    check(["worker"], ["queue", "db", "migrate", "worker"]);
    check(
      [...SHOP.keys()],
      ["db", "migrate", "queue", "api", "web", "worker", "docs"],
    );
  },
);

Deno.test(
  "withDependencies() goes by the file, not by the asking",
  PURE,
  () => {
    assert.deepEqual(
      withDependencies(SHOP, ["docs", "queue", "migrate"]),
      ["docs", "db", "migrate", "queue"],
    );
    assert.deepEqual(
      withDependencies(SHOP, ["docs", "docs", "ghost"]),
      ["docs"],
    );
  },
);

Deno.test("dependencyOrder() sorts and adds nothing", PURE, () => {
  const check = (names: string[], expected: string[]) =>
    assert.deepEqual(dependencyOrder(SHOP, names), expected);
  check(["web", "db"], ["db", "web"]);
  check(["web", "worker", "queue"], ["queue", "web", "worker"]);
  check(["docs", "ghost"], ["docs"]);
  check([], []);
});

Deno.test("dependencyOrder() puts every task after all it needs", PURE, () => {
  const order = dependencyOrder(SHOP, SHOP.keys());
  for (const [name, task] of SHOP) {
    for (const dependency of task.dependsOn) {
      assert.ok(order.indexOf(dependency.task) < order.indexOf(name), name);
    }
  }
});

Deno.test("withDependencies() survives a long chain", PURE, () => {
  const chain = tasksOf(Object.fromEntries(
    Array.from({ length: 2_000 }, (_, index) => [
      `t${index}`,
      index === 1_999 ? [] : [`t${index + 1}`],
    ]),
  ));
  const order = withDependencies(chain, ["t0"]);
  assert.deepEqual([order.length, order[0], order.at(-1)], [
    2_000,
    "t1999",
    "t0",
  ]);
});

Deno.test("dependentsOf() names the direct ones, in file order", PURE, () => {
  assert.deepEqual(dependentsOf(SHOP, "migrate"), ["worker", "api"]);
  assert.deepEqual(dependentsOf(SHOP, "db"), ["migrate"]);
  assert.deepEqual(dependentsOf(SHOP, "web"), []);
  assert.deepEqual(dependentsOf(SHOP, "ghost"), []);
});
