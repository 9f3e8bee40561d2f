/**
 * Every tool, and which of them a connection is offered.
 *
 * @module
 */

import {
  MCP_TOOL_NAMES,
  type McpToolName,
  shortToolName,
} from "../../domain/mcp_tool_names.ts";
import type { Catalogue, McpTool } from "../catalogue.ts";
import { kill, restart, start, stop } from "./act.ts";
import { errors } from "./errors.ts";
import { events } from "./events.ts";
import { health } from "./health.ts";
import { inspect } from "./inspect.ts";
import { listProjects } from "./list_projects.ts";
import { logs } from "./logs.ts";
import { mcpTool } from "./mcp_tool.ts";
import { status } from "./status.ts";
import type { AnyTool } from "./tool.ts";
import { wait } from "./wait.ts";
import { why } from "./why.ts";

/** Every tool. */
export const TOOLS: Readonly<Record<McpToolName, AnyTool>> = {
  status,
  list_projects: listProjects,
  inspect,
  logs,
  errors,
  why,
  events,
  health,
  wait,
  start,
  stop,
  restart,
  kill,
};

/**
 * The tools of a connection, in their order: all, or those that the host's settings name.
 *
 * @param names With or without `taskmux_`; empty = all. Names of none are passed over.
 */
export function offeredTools(names: readonly string[]): Catalogue["tools"] {
  const wanted = new Set(names.map(shortToolName));
  const offered = MCP_TOOL_NAMES.filter((name) =>
    wanted.size === 0 || wanted.has(name)
  ).map((name) => TOOLS[name]);
  const variant = (isPinned: boolean, isReadOnly: boolean): McpTool[] =>
    offered.map((tool) => mcpTool(tool, { isPinned, isReadOnly }));
  const free = { act: variant(false, false), look: variant(false, true) };
  const pinned = { act: variant(true, false), look: variant(true, true) };
  return ({ access: { pin, isReadOnly } }) => {
    const { act, look } = pin === null ? free : pinned;
    return isReadOnly ? look : act;
  };
}
