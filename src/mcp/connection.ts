/**
 * Who is connected over MCP, and what it may do.
 *
 * @module
 */

import type { Access } from "../contract/access.ts";
import type { Settle } from "../domain/recent_events.ts";
import type { RequestId } from "./sdk.ts";
import type { FrameDispatcher } from "../transports/socket_server.ts";

/** One connection of a client. */
export interface Connection {
  /** Its name as a caller, by which answers carry what is new to it. */
  readonly caller: string;
  readonly access: Access;
  /** Answers hold no secrets. */
  readonly dispatcher: FrameDispatcher;
  /** Aborts when the connection is over. */
  readonly signal: AbortSignal;
  /** Aborts when the daemon ends. */
  readonly lifetime: AbortSignal;
  /** The client as it called itself, such as `claude-code 2.1.0`; null until it has. */
  clientName(): string | null;
  /**
   * The answer to a request will carry what is new to the caller; `settle` is called once with what became of it. On a
   * connection without this, what its transport has taken has arrived.
   */
  onNews?(request: RequestId, settle: Settle): void;
}
