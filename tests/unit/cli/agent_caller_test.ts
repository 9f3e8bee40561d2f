import assert from "node:assert/strict";
import { AGENT_VARIABLES, agentCaller } from "../../../src/cli/agent_caller.ts";

function caller(env: Record<string, string>): string | null {
  return agentCaller(new Map(Object.entries(env)));
}

Deno.test("agentCaller knows agents by what they set for their commands", () => {
  const known: [Record<string, string>, string][] = [
    [{ CLAUDECODE: "1", CLAUDE_CODE_ENTRYPOINT: "cli" }, "claude-code"],
    [{ CODEX_CI: "1", TERM: "dumb" }, "codex"],
    [{ CODEX_SANDBOX: "seatbelt" }, "codex"],
    [{ CODEX_THREAD_ID: "0199" }, "codex"],
    [{ GEMINI_CLI: "1" }, "gemini-cli"],
    [{ OPENCODE: "1", AGENT: "1" }, "opencode"],
    [{ CURSOR_AGENT: "1", CURSOR_TRACE_ID: "f00" }, "cursor"],
    [{ CURSOR_EXTENSION_HOST_ROLE: "agent-exec" }, "cursor"],
    [{ AGENT: "amp" }, "amp"],
    [{ AI_AGENT: "devin@1", CLAUDECODE: "1" }, "devin@1"],
  ];
  for (const [env, agent] of known) {
    assert.equal(caller(env), agent, JSON.stringify(env));
  }
});

Deno.test("agentCaller takes no person for an agent", () => {
  const people: Record<string, string>[] = [
    {},
    { CURSOR_TRACE_ID: "f00", TERM_PROGRAM: "vscode" },
    { CURSOR_EXTENSION_HOST_ROLE: "user" },
    { CLAUDE_CODE_SSE_PORT: "1234", ENABLE_IDE_INTEGRATION: "true" },
    { CLAUDE_CONFIG_DIR: "/x", ANTHROPIC_API_KEY: "k" },
    { CODEX_HOME: "/x", CODEX_API_KEY: "k" },
    { COPILOT_MODEL: "gpt", COPILOT_ALLOW_ALL: "1", GITHUB_COPILOT_TOKEN: "t" },
    { GOOSE_PROVIDER: "openai" },
    { REPL_ID: "1", ZED_TERM: "true", AIDER_MODEL: "x", CI: "true" },
    { AGENT: "1" },
    { AI_AGENT: "", CLAUDECODE: "0", GEMINI_CLI: "false" },
  ];
  for (const env of people) {
    assert.equal(caller(env), null, JSON.stringify(env));
  }
});

Deno.test("TASKMUX_AGENT has the last word", () => {
  assert.equal(caller({ TASKMUX_AGENT: "0", CLAUDECODE: "1" }), null);
  assert.equal(caller({ TASKMUX_AGENT: "mine", CLAUDECODE: "1" }), "mine");
  assert.equal(caller({ TASKMUX_AGENT: "", CLAUDECODE: "1" }), "claude-code");
  for (const variable of ["TASKMUX_AGENT", "AI_AGENT", "CLAUDECODE"]) {
    assert(AGENT_VARIABLES.includes(variable));
  }
});
