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
import { logCursorHandlers } from "./log_cursor.ts";
import { mcpHandlers } from "./mcp.ts";
import { portHandlers } from "./port.ts";
import { projectHandlers } from "./project.ts";
import { taskHandlers } from "./task.ts";
import { terminalHandlers } from "./terminal.ts";

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
    ...deferredHandlers(
      ["log.errors"],
      async () => (await import("./log_errors.ts")).logErrorHandlers(services),
    ),
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
    ...deferredHandlers(
      ["ca.status", "ca.install", "ca.uninstall", "ca.trust_clients"],
      async () => (await import("./trust.ts")).trustHandlers(services),
    ),
    ...deferredHandlers(
      ["tunnel.up", "tunnel.down", "tunnel.link", "tunnel.status"],
      async () => (await import("./tunnel.ts")).tunnelHandlers(services),
    ),
    ...deferredHandlers(
      [
        "tunnel.test",
        "tunnel.enable",
        "tunnel.disable",
        "tunnel.config",
        "tunnel.config_set",
        "tunnel.zones",
      ],
      async () =>
        (await import("./tunnel_setup.ts")).tunnelSetupHandlers(services),
    ),
    ...deferredHandlers(
      ["worktree.list", "worktree.status", "worktree.urls"],
      async () => (await import("./worktree.ts")).worktreeHandlers(services),
    ),
  };
}
