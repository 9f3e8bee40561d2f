/**
 * `mcp status` without a daemon: nobody is connected.
 *
 * @module
 */

import { loadHostConfig } from "../config/host_config.ts";
import type { Paths } from "../config/paths.ts";
import type { Result } from "../contract/mod.ts";

/** The answer of `mcp.status`. */
export async function readMcpStatus(
  paths: Paths,
): Promise<Result<"mcp.status">> {
  const { config: { mcp } } = await loadHostConfig(paths.hostConfig);
  return {
    ok: true,
    running: false,
    enabled: mcp.enabled,
    url: null,
    problem: null,
    transport: "streamable_http",
    active_sessions: 0,
    sessions: [],
    filter: [...mcp.filter],
    tools: [...mcp.tools],
  };
}
