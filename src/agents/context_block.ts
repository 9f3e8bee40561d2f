/**
 * What a project's files for agents say about taskmux: where to ask, nothing that can become wrong.
 *
 * @module
 */

/** Files that agents read at the root of a project, in the order in which they are told. */
export const CONTEXT_FILES: readonly string[] = [
  "CLAUDE.md",
  "AGENTS.md",
  "GEMINI.md",
];

/** First line of a block. */
export const BLOCK_START = "<!-- taskmux:start -->";

/** Last line of a block. */
export const BLOCK_END = "<!-- taskmux:end -->";

/** What the first heading of a block begins with. */
export const BLOCK_HEADING = "# Taskmux";

/**
 * The lines of a block, markers included. Names no task, port or address, so it is the same until the project is called
 * otherwise; at most 900 characters with any name.
 *
 * @param name The project's name, a DNS label.
 */
export function contextBlock(name: string): readonly string[] {
  return [
    BLOCK_START,
    `${BLOCK_HEADING} — ${name}`,
    "",
    "taskmux runs this project's dev servers, workers, databases and jobs. Start none",
    "of them by hand (`npm run dev &`), or there are two. End none with `kill`.",
    "",
    "- Ask for the live state; this file does not know it. Prefer the MCP tools",
    "  `mcp__taskmux__*` (status, inspect, logs, errors, why, wait, events).",
    "- Not loaded? The same by shell, with `--json`: `taskmux status`,",
    "  `taskmux ensure TASK`, `taskmux errors`, `taskmux why TASK`,",
    "  `taskmux inspect TASK`, `taskmux logs TASK --grep REGEXP --max-tokens 1500`.",
    "- Take addresses from `status`, and wait with `taskmux wait TASK`, not `sleep`.",
    "- More: the `taskmux` skill, `taskmux --help`. MCP set-up: `taskmux mcp install`.",
    BLOCK_END,
  ];
}
