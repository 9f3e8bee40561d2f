/**
 * The names of the tools that are offered over MCP, for those who must know them without loading the tools.
 *
 * @module
 */

/** What every name begins with. */
export const TOOL_PREFIX = "taskmux_";

/** The names without what they begin with, in the order in which they are offered. */
export const MCP_TOOL_NAMES = [
  "status",
  "list_projects",
  "inspect",
  "logs",
  "errors",
  "why",
  "events",
  "health",
  "wait",
  "start",
  "stop",
  "restart",
  "kill",
] as const;

/** A name without what it begins with. */
export type McpToolName = typeof MCP_TOOL_NAMES[number];

/** The name without what it may begin with. */
export function shortToolName(name: string): string {
  return name.startsWith(TOOL_PREFIX) ? name.slice(TOOL_PREFIX.length) : name;
}
