// deno-fmt-ignore-file
/**
 * What the daemon can be asked. Generated from the contract by `deno task generate`.
 *
 * @module
 */

import type { AddressOperations } from "./address.ts";
import type { AliasOperations } from "./alias.ts";
import type { CaOperations } from "./ca.ts";
import type { DaemonOperations } from "./daemon.ts";
import type { DnsOperations } from "./dns.ts";
import type { EventOperations } from "./event.ts";
import type { LogOperations } from "./log.ts";
import type { McpOperations } from "./mcp.ts";
import type { PortOperations } from "./port.ts";
import type { ProjectOperations } from "./project.ts";
import type { TaskOperations } from "./task.ts";
import type { TerminalOperations } from "./terminal.ts";
import type { TunnelOperations } from "./tunnel.ts";
import type { WorktreeOperations } from "./worktree.ts";

export type { AddressOperations } from "./address.ts";
export type { AliasOperations } from "./alias.ts";
export type { CaOperations } from "./ca.ts";
export type { DaemonOperations } from "./daemon.ts";
export type { DnsOperations } from "./dns.ts";
export type { EventOperations } from "./event.ts";
export type { LogOperations } from "./log.ts";
export type { McpOperations } from "./mcp.ts";
export type { PortOperations } from "./port.ts";
export type { ProjectOperations } from "./project.ts";
export type { TaskOperations } from "./task.ts";
export type { TerminalOperations } from "./terminal.ts";
export type { TunnelOperations } from "./tunnel.ts";
export type { WorktreeOperations } from "./worktree.ts";

/** Name of an operation → its parameters and its answer. */
export interface Operations
  extends
    AddressOperations,
    AliasOperations,
    CaOperations,
    DaemonOperations,
    DnsOperations,
    EventOperations,
    LogOperations,
    McpOperations,
    PortOperations,
    ProjectOperations,
    TaskOperations,
    TerminalOperations,
    TunnelOperations,
    WorktreeOperations {}
