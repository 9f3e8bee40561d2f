/**
 * The names of the tools that are offered over MCP, for those who must know them without loading the tools.
 *
 * @module
 */

import { closest } from "../kit/did_you_mean.ts";

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

/** Whether there is a tool of that name, with or without what it begins with. */
export function isToolName(name: string): boolean {
  return (MCP_TOOL_NAMES as readonly string[]).includes(shortToolName(name));
}

/** A sentence about a name of which there is no tool. */
export function unknownToolText(name: string): string {
  const near = closest(shortToolName(name), MCP_TOOL_NAMES);
  const known = near === null
    ? `there are ${MCP_TOOL_NAMES.join(", ")}`
    : `did you mean "${near}"?`;
  return `mcp.tools: there is no tool "${name}" (${known})`;
}
