/**
 * Whether a coding agent calls, told by its environment. An agent on a terminal can neither answer a question nor look
 * at a drawing, so it is given what a pipe is given.
 *
 * Only variables count that an agent sets for the commands it runs. What people set or inherit does not: `CODEX_HOME`,
 * `COPILOT_MODEL`, `GOOSE_PROVIDER` are settings, `CURSOR_TRACE_ID`, `CLAUDE_CODE_SSE_PORT`, `REPL_ID`, `ZED_TERM` are in
 * each terminal of an editor. Aider sets none.
 *
 * @module
 */

/** By which a person or a program says what it is, whatever else is set: an agent's name, or `0` for none. */
export const OWN_VARIABLE = "TASKMUX_AGENT";

/** A variable that gives an agent away. */
interface Sign {
  readonly variable: string;
  /** Where other values mean something else. */
  readonly value?: string;
  readonly agent: string;
}

/** Each with where it is written that it is set. */
const SIGNS: readonly Sign[] = [
  // code.claude.com/docs/en/env-vars: in each shell command and hook.
  { variable: "CLAUDECODE", agent: "claude-code" },
  // Undocumented; cli/cli internal/agents/detect.go: set by the program itself, so hooks have it as well.
  { variable: "CLAUDE_CODE_ENTRYPOINT", agent: "claude-code" },
  // openai/codex codex-rs/core/src/spawn.rs.
  { variable: "CODEX_SANDBOX", agent: "codex" },
  { variable: "CODEX_SANDBOX_NETWORK_DISABLED", agent: "codex" },
  // openai/codex codex-rs/core/src/unified_exec/process_manager.rs: on a terminal, too.
  { variable: "CODEX_CI", agent: "codex" },
  // openai/codex codex-rs/core/src/exec_env.rs.
  { variable: "CODEX_THREAD_ID", agent: "codex" },
  // google-gemini/gemini-cli docs/tools/shell.md.
  { variable: "GEMINI_CLI", agent: "gemini-cli" },
  // QwenLM/qwen-code, shellExecutionService.ts: on a terminal, too.
  { variable: "QWEN_CODE", agent: "qwen-code" },
  // sst/opencode packages/opencode/src/index.ts.
  { variable: "OPENCODE", agent: "opencode" },
  // Undocumented; web-infra-dev/rstest#994, vercel-labs/skills#1549: for the agent's commands only.
  { variable: "CURSOR_AGENT", agent: "cursor" },
  {
    variable: "CURSOR_EXTENSION_HOST_ROLE",
    value: "agent-exec",
    agent: "cursor",
  },
  // Undocumented; cli/cli internal/agents/detect.go.
  { variable: "COPILOT_CLI", agent: "copilot-cli" },
  // docs.cline.bot, "Disable terminal pagers": in the terminals that it opens.
  { variable: "CLINE_ACTIVE", agent: "cline" },
  // block/goose crates/goose-mcp, the developer's shell.
  { variable: "GOOSE_TERMINAL", agent: "goose" },
  { variable: "AGENT", value: "goose", agent: "goose" },
  // cli/cli internal/agents/detect.go.
  { variable: "AGENT", value: "amp", agent: "amp" },
  // vercel/vercel packages/detect-agent 1.1.
  { variable: "AUGMENT_AGENT", agent: "augment" },
  { variable: "ANTIGRAVITY_AGENT", agent: "antigravity" },
];

/** By which any agent may say its name, as Claude Code does: vercel/vercel packages/detect-agent. */
const COMMON_VARIABLE = "AI_AGENT";

/** Every variable that decides, for whoever wants an environment of a person. */
export const AGENT_VARIABLES: readonly string[] = [
  OWN_VARIABLE,
  COMMON_VARIABLE,
  ...new Set(SIGNS.map(({ variable }) => variable)),
];

const NO_REGEXP = /^(?:|0|false|no|off)$/i;

/** The name of the agent that calls; null for a person or a program that is none. */
export function agentCaller(
  env: { get(name: string): string | undefined },
): string | null {
  const own = env.get(OWN_VARIABLE);
  if (own !== undefined && own !== "") return NO_REGEXP.test(own) ? null : own;
  const common = env.get(COMMON_VARIABLE) ?? "";
  if (!NO_REGEXP.test(common)) return common;
  for (const { variable, value, agent } of SIGNS) {
    const found = env.get(variable) ?? "";
    if (value === undefined ? !NO_REGEXP.test(found) : found === value) {
      return agent;
    }
  }
  return null;
}
