/**
 * What taskmux offers over MCP.
 *
 * @module
 */

import {
  MCP_TOOL_NAMES,
  type McpToolName,
  shortToolName,
} from "../domain/mcp_tool_names.ts";
import type { Catalogue, McpTool } from "./catalogue.ts";
import type { EventFeed } from "./event_feed.ts";
import { eventNotices } from "./event_notices.ts";
import { taskmuxResources } from "./resources.ts";
import { kill, restart, start, stop } from "./tools/act.ts";
import { mcpTool } from "./tools/call_tool.ts";
import { errors } from "./tools/errors.ts";
import { events } from "./tools/events.ts";
import { health } from "./tools/health.ts";
import { inspect } from "./tools/inspect.ts";
import { listProjects } from "./tools/list_projects.ts";
import { logs } from "./tools/logs.ts";
import { status } from "./tools/status.ts";
import type { AnyTool } from "./tools/tool.ts";
import { wait } from "./tools/wait.ts";
import { why } from "./tools/why.ts";

/** What a host's settings say of it. */
export interface CatalogueOptions {
  /** Names of tools, with or without `taskmux_`; empty = all. Names of none are passed over. */
  readonly tools: readonly string[];
  /** Types of events that are told; empty = all. */
  readonly filter: readonly string[];
  /** What happens. */
  readonly feed: EventFeed;
}

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

/** See the module. */
export function taskmuxCatalogue(
  { tools, filter, feed }: CatalogueOptions,
): Catalogue {
  const wanted = new Set(tools.map(shortToolName));
  const offered = MCP_TOOL_NAMES.filter((name) =>
    wanted.size === 0 || wanted.has(name)
  ).map((name) => TOOLS[name]);
  const variant = (isPinned: boolean, isReadOnly: boolean): McpTool[] =>
    offered.map((tool) => mcpTool(tool, { isPinned, isReadOnly }));
  const free = { act: variant(false, false), look: variant(false, true) };
  const pinned = { act: variant(true, false), look: variant(true, true) };
  return {
    instructions: "Runs this machine's dev servers and workers. Ask " +
      "taskmux_status before you start anything.",
    tools: ({ access: { pin, isReadOnly } }) => {
      const { act, look } = pin === null ? free : pinned;
      return isReadOnly ? look : act;
    },
    resources: taskmuxResources(feed),
    notices: eventNotices(feed, filter),
  };
}
