import assert from "node:assert/strict";
import {
  assignProjectId,
  type Checkout,
  type IdentityFacts,
  slug,
} from "../../../src/domain/worktree_id.ts";

const RULES = {
  enabled: true,
  separator: "-",
  mainBranches: ["main", "master"],
};

const LINKED: Checkout = {
  isLinked: true,
  branch: "feature/Fix_Bug!",
  path: "/work/w1",
  head: "abc1234",
};

function assign(facts: Partial<IdentityFacts>): ReturnType<
  typeof assignProjectId
> {
  return assignProjectId({
    name: "proj",
    rules: RULES,
    checkout: LINKED,
    assigned: null,
    taken: new Set(),
    ...facts,
  });
}

function checkLinked(
  checkout: Partial<Checkout>,
  projectId: string,
): void {
  const result = assign({ checkout: { ...LINKED, ...checkout } });
  assert.equal(result.projectId, projectId, JSON.stringify(checkout));
}

Deno.test("a project outside linked worktrees is called by its name", () => {
  const plain = { projectId: "proj", worktreeId: null };
  assert.deepEqual(assign({ checkout: null }), plain);
  assert.deepEqual(assign({ checkout: "unknown" }), plain);
  assert.deepEqual(assign({ checkout: { ...LINKED, isLinked: false } }), plain);
  assert.deepEqual(assign({ rules: { ...RULES, enabled: false } }), plain);
  const taken = new Set(["proj"]);
  assert.deepEqual(assign({ checkout: null, taken }), plain);
});

Deno.test("a linked worktree is called by the last segment of its branch", () => {
  checkLinked({}, "proj-fix-bug");
  checkLinked({ branch: "main2" }, "proj-main2");
  checkLinked({ branch: "release/v1.2.3" }, "proj-v1-2-3");
  assert.equal(assign({}).worktreeId, "fix-bug");
});

Deno.test("a linked worktree is called by its folder when the branch says nothing", () => {
  checkLinked({ branch: "main", path: "/work/w4dir" }, "proj-w4dir");
  checkLinked({ branch: "master", path: "/work/w4dir/" }, "proj-w4dir");
  checkLinked({ branch: null, path: "/work/Det.ached" }, "proj-det-ached");
  checkLinked({ branch: "___", path: "/work/w5.." }, "proj-w5");
});

Deno.test("a linked worktree is called by its commit when nothing else is left", () => {
  checkLinked({ branch: "___", path: "/work/__" }, "proj-sha-abc1234");
  checkLinked({ branch: null, path: "/work/__", head: null }, "proj");
});

Deno.test("a project id is one label whatever the lengths", () => {
  const branch = "x".repeat(100);
  const long = assign({ checkout: { ...LINKED, branch } }).projectId;
  assert.equal(long.length, 63);
  assert.match(long, /^proj-x+-[0-9a-f]{6}$/);
  const other = assign({ checkout: { ...LINKED, branch: `${branch}y` } });
  assert.notEqual(other.projectId, long);
  const name = "n".repeat(60);
  const result = assign({ name }).projectId;
  assert.equal(result.length, 63);
  assert.match(result, /^n+-[0-9a-f]{6}$/);
  assert.notEqual(
    assign({ name, checkout: { ...LINKED, branch: "b" } }).projectId,
    result,
  );
});

Deno.test("only the newcomer's id gives way to one that is taken", () => {
  const taken = new Set(["proj-fix"]);
  const branch = "bob/fix";
  const newcomer = assign({ checkout: { ...LINKED, branch }, taken });
  assert.match(newcomer.projectId, /^proj-fix-[0-9a-f]{6}$/);
  assert.match(newcomer.worktreeId ?? "", /^fix-[0-9a-f]{6}$/);
  const third = assign({
    checkout: { ...LINKED, branch, path: "/work/w2" },
    taken,
  });
  assert.notEqual(third.projectId, newcomer.projectId);
});

Deno.test("an id that was assigned stays", () => {
  const assigned = { id: "proj-fix", name: "proj", worktreeId: "fix" };
  const kept = { projectId: "proj-fix", worktreeId: "fix" };
  assert.deepEqual(assign({ assigned }), kept);
  const switched = { ...LINKED, branch: "other" };
  assert.deepEqual(assign({ assigned, checkout: switched }), kept);
  const rules = { ...RULES, separator: "--" };
  assert.deepEqual(assign({ assigned, rules }), kept);
  assert.deepEqual(assign({ assigned, checkout: "unknown" }), kept);
});

Deno.test("an id is derived anew when it cannot be right any more", () => {
  const assigned = { id: "old-fix", name: "old", worktreeId: "fix" };
  assert.equal(assign({ assigned }).projectId, "proj-fix-bug");
  const known = { id: "proj-fix", name: "proj", worktreeId: "fix" };
  const rules = { ...RULES, enabled: false };
  assert.equal(assign({ assigned: known, rules }).projectId, "proj");
  assert.equal(assign({ assigned: known, checkout: null }).projectId, "proj");
  const primary = { id: "proj", name: "proj", worktreeId: null };
  assert.equal(assign({ assigned: primary }).projectId, "proj-fix-bug");
});

Deno.test("slug makes a label of any text", () => {
  const cases: Record<string, string> = {
    "": "",
    "---": "",
    "Fix_Bug!": "fix-bug",
    "a--b": "a-b",
    "Ünïcode": "n-code",
    "-x-": "x",
  };
  for (const [text, expected] of Object.entries(cases)) {
    assert.equal(slug(text), expected, text);
  }
  assert.equal(slug("x".repeat(63)), "x".repeat(63));
  assert.equal(slug(`${"x".repeat(55)}-${"y".repeat(20)}`).length, 62);
});

Deno.test("no worktree gets the name that is kept for taskmux itself", () => {
  const rules = { enabled: true, separator: "ask", mainBranches: [] };
  const checkout = { ...LINKED, branch: "mux" };
  const { projectId } = assign({ name: "t", rules, checkout });
  assert.match(projectId, /^taskmux-[0-9a-f]{6}$/);
});
