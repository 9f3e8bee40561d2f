import assert from "node:assert/strict";
import { contract } from "../../../src/contract/mod.ts";
import { MCP_TOOL_NAMES } from "../../../src/domain/mcp_tool_names.ts";
import { offeredTools, TOOLS } from "../../../src/mcp/tools/offered_tools.ts";
import { fakeConnection } from "../../support/mcp_results.ts";

function namesOf(
  tools: readonly string[],
  access: Parameters<typeof fakeConnection>[0] = {},
): string[] {
  return offeredTools(tools)(fakeConnection(access))
    .filter(({ isHidden }) => !isHidden)
    .map(({ declaration }) => declaration.name.replace("taskmux_", ""));
}

Deno.test("the catalogue offers every tool, or those that are wanted", () => {
  assert.deepEqual(namesOf([]), [...MCP_TOOL_NAMES]);
  const wanted = ["stop", "taskmux_logs", "status", "nothing"];
  assert.deepEqual(namesOf(wanted), ["status", "logs", "stop"]);
  assert.deepEqual(namesOf(wanted, { isReadOnly: true }), ["status", "logs"]);
  assert.deepEqual(namesOf(["nothing"]), [], "never more than was asked for");
});

Deno.test("a tool that is not wanted is none for a call either", () => {
  const tools = offeredTools(["status"])(fakeConnection({ isReadOnly: true }));
  assert.equal(tools.length, 1);
});

Deno.test("what a tool says of itself is what the contract says of its operation", () => {
  for (const [name, tool] of Object.entries(TOOLS)) {
    const { permission, effect } = contract[tool.operation];
    for (const isPinned of [true, false]) {
      const declared = tool.declare({ isPinned });
      assert.equal(declared.name, `taskmux_${name}`);
      const { annotations = {}, inputSchema } = declared;
      if (permission === "read") {
        assert.deepEqual(annotations, { readOnlyHint: true }, name);
      } else {
        assert.equal(annotations.readOnlyHint, undefined, name);
        assert.equal(annotations.destructiveHint, effect === "destructive");
      }
      const hasSession = "session" in (inputSchema.properties ?? {});
      assert.equal(hasSession, !isPinned && tool.reach !== "all", name);
    }
  }
});

Deno.test("arguments have the names that they had in the original", () => {
  const original = {
    inspect: ["task", "session"],
    logs: ["task", "session", "lines", "grep", "since"],
    start: ["task", "session"],
    stop: ["task", "session"],
    restart: ["task", "session"],
    kill: ["task", "session"],
    health: ["task", "session"],
    events: ["session", "task", "since", "limit"],
  } as const;
  for (const [name, args] of Object.entries(original)) {
    const { properties = {} } = TOOLS[name as keyof typeof original]
      .declare({ isPinned: false }).inputSchema;
    for (const arg of args) assert.ok(arg in properties, `${name} ${arg}`);
  }
});
