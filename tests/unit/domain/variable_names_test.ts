import assert from "node:assert/strict";
import { TaskmuxError } from "../../../src/domain/error.ts";
import {
  projectVariables,
  variableName,
  variableNames,
} from "../../../src/domain/variable_names.ts";

Deno.test("variableName makes a task part of a variable's name", () => {
  const cases: Record<string, string> = {
    web: "WEB",
    "web-1": "WEB_1",
    "a.b-c_d": "A_B_C_D",
    _private: "PRIVATE",
    "x-": "X",
    Api2: "API2",
    _: "TASK",
  };
  for (const [task, expected] of Object.entries(cases)) {
    assert.equal(variableName(task), expected, task);
  }
});

function checkNames(tasks: string[], expected: string[]): void {
  const names = variableNames(tasks);
  assert.deepEqual(tasks.map((task) => names.get(task)), expected);
}

Deno.test("variableNames keeps names apart", () => {
  checkNames(["web", "api"], ["WEB", "API"]);
  checkNames(["a-b", "a.b", "a_b"], ["A_B", "A_B_2", "A_B_3"]);
  checkNames(["_", "task"], ["TASK", "TASK_2"]);
});

Deno.test("variableNames lets a task keep the name that is its own", () => {
  checkNames(["a-b", "a.b", "a-b-2"], ["A_B", "A_B_3", "A_B_2"]);
  checkNames(["a-b-2", "a.b", "a-b"], ["A_B_2", "A_B", "A_B_3"]);
});

const FACTS = {
  project: "shop",
  projectId: "shop-fix",
  baseHost: "shop-fix.localhost",
  branch: "alice/fix",
  worktreeId: "fix",
  isLinked: true,
  urls: [
    ["web", "https://web.shop-fix.localhost"],
    ["db", null],
    ["rest", "https://*.shop-fix.localhost"],
    ["api-1", "http://localhost:3000"],
  ],
} as const;

Deno.test("projectVariables tells all about a linked worktree in a fixed order", () => {
  assert.deepEqual(Object.entries(projectVariables(FACTS)), [
    ["TASKMUX_PROJECT", "shop"],
    ["TASKMUX_PROJECT_ID", "shop-fix"],
    ["TASKMUX_BASE_HOST", "shop-fix.localhost"],
    ["TASKMUX_IS_LINKED", "1"],
    ["TASKMUX_BRANCH", "alice/fix"],
    ["TASKMUX_WORKTREE", "fix"],
    ["TASKMUX_URL_WEB", "https://web.shop-fix.localhost"],
    ["TASKMUX_URL_API_1", "http://localhost:3000"],
  ]);
});

Deno.test("projectVariables leaves out what does not exist", () => {
  const facts = {
    ...FACTS,
    projectId: "shop",
    baseHost: "shop.localhost",
    branch: null,
    worktreeId: null,
    isLinked: false,
    urls: [],
  };
  assert.deepEqual(projectVariables(facts), {
    TASKMUX_PROJECT: "shop",
    TASKMUX_PROJECT_ID: "shop",
    TASKMUX_BASE_HOST: "shop.localhost",
    TASKMUX_IS_LINKED: "0",
  });
});

Deno.test("projectVariables takes another prefix and leaves addresses out", () => {
  const names = (prefix: string, urls: boolean) =>
    Object.keys(projectVariables(FACTS, { prefix, urls }));
  assert.deepEqual(names("", false), [
    "PROJECT",
    "PROJECT_ID",
    "BASE_HOST",
    "IS_LINKED",
    "BRANCH",
    "WORKTREE",
  ]);
  assert.ok(names("MY_", true).includes("MY_URL_API_1"));
});

Deno.test("projectVariables refuses a prefix that cannot begin a name", () => {
  for (const prefix of ["1A", "a-", " ", "é"]) {
    assert.throws(
      () => projectVariables(FACTS, { prefix }),
      (error) => error instanceof TaskmuxError && error.code === "E500",
      prefix,
    );
  }
});
