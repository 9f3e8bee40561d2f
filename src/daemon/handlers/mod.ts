/**
 * Every handler.
 *
 * @module
 */

import type { Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";
import { caHandlers } from "./ca.ts";
import { addressHandlers } from "./address.ts";
import { aliasHandlers } from "./alias.ts";
import { daemonHandlers } from "./daemon.ts";
import { deferredHandlers } from "./deferred.ts";
import { dnsHandlers } from "./dns.ts";
import { eventHandlers } from "./event.ts";
import { logHandlers } from "./log.ts";
import { logErrorHandlers } from "./log_errors.ts";
import { logCursorHandlers } from "./log_cursor.ts";
import { mcpHandlers } from "./mcp.ts";
import { portHandlers } from "./port.ts";
import { projectHandlers } from "./project.ts";
import { taskHandlers } from "./task.ts";
import { terminalHandlers } from "./terminal.ts";
import { trustHandlers } from "./trust.ts";
import { worktreeHandlers } from "./worktree.ts";

/** One handler for each operation of the contract. */
export function createHandlers(services: Services): Handlers {
  return {
    ...caHandlers(services),
    ...addressHandlers(services),
    ...aliasHandlers(services),
    ...daemonHandlers(services),
    ...dnsHandlers(services),
    ...eventHandlers(services),
    ...logHandlers(services),
    ...logErrorHandlers(services),
    ...logCursorHandlers(services),
    ...mcpHandlers(services),
    ...portHandlers(services),
    ...projectHandlers(services),
    ...deferredHandlers(
      ["project.add_task", "project.remove_task", "project.resync"],
      async () =>
        (await import("./project_file.ts")).projectFileHandlers(services),
    ),
    ...taskHandlers(services),
    ...terminalHandlers(services),
    ...trustHandlers(services),
    ...deferredHandlers(
      ["tunnel.up", "tunnel.down", "tunnel.link", "tunnel.status"],
      async () => (await import("./tunnel.ts")).tunnelHandlers(services),
    ),
    ...worktreeHandlers(services),
  };
}
