/**
 * Everything the daemon can be asked. Adding an operation is one entry in `operations/` and one handler in
 * `daemon/handlers/`; the compiler finds a forgotten one.
 *
 * @module
 */

import type { z } from "zod";
import { ca } from "./operations/ca.ts";
import { address } from "./operations/address.ts";
import { alias } from "./operations/alias.ts";
import { daemon } from "./operations/daemon.ts";
import { dns } from "./operations/dns.ts";
import { event } from "./operations/event.ts";
import { log } from "./operations/log.ts";
import { logErrors } from "./operations/log_errors.ts";
import { mcp } from "./operations/mcp.ts";
import { port } from "./operations/port.ts";
import { project } from "./operations/project.ts";
import { task } from "./operations/task.ts";
import { terminal } from "./operations/terminal.ts";
import { trust } from "./operations/trust.ts";
import { tunnel } from "./operations/tunnel.ts";
import { tunnelSetup } from "./operations/tunnel_setup.ts";
import { worktree } from "./operations/worktree.ts";
import type { Call, Stream } from "./operation.ts";

/** The contract: operation name → its declaration. */
export const contract = {
  ...ca,
  ...address,
  ...alias,
  ...daemon,
  ...dns,
  ...event,
  ...log,
  ...logErrors,
  ...mcp,
  ...port,
  ...project,
  ...task,
  ...terminal,
  ...trust,
  ...tunnel,
  ...tunnelSetup,
  ...worktree,
};

/** All of it, as a type. */
export type Contract = typeof contract;

/** The name of an operation. */
export type Name = keyof Contract;

/** Names of the calls. */
export type CallName = {
  [N in Name]: Contract[N] extends Call ? N : never;
}[Name];

/** Names of the streams. */
export type StreamName = {
  [N in Name]: Contract[N] extends Stream ? N : never;
}[Name];

/** Parameters as a caller writes them, defaults optional. */
export type ParamsInput<N extends Name> = z.input<Contract[N]["params"]>;

/** Parameters as a handler gets them, defaults filled in. */
export type Params<N extends Name> = z.output<Contract[N]["params"]>;

/** The answer of a call, or one item of a stream. */
export type Result<N extends Name> = z.output<Contract[N]["result"]>;
