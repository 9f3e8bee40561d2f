/**
 * Who is connected over MCP, and what it may do.
 *
 * @module
 */

import type { FrameDispatcher } from "../transports/socket_server.ts";

/** What the address of a connection grants. Fixed when it begins. */
export interface Access {
  /** The one project that it is about; null = any. */
  readonly pin: string | null;
  readonly isReadOnly: boolean;
}

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
}

/** What `?session=` and `&access=read` of an address grant. */
export function accessOf(url: URL): Access {
  const pin = url.searchParams.get("session")?.trim() ?? "";
  return {
    pin: pin === "" ? null : pin,
    isReadOnly: url.searchParams.get("access") === "read",
  };
}
