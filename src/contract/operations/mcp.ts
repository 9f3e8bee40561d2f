/**
 * Operations on the MCP server.
 *
 * @module
 */

import { z } from "zod";
import { call } from "../operation.ts";

/** See the module. */
export const mcp = {
  "mcp.status": call({
    summary: "Tell where agents find the MCP server, and which are connected",
    permission: "read",
    effect: "none",
    params: z.strictObject({}),
    result: z.looseObject({
      ok: z.literal(true),
      /** Whether the settings of this machine want it. */
      enabled: z.boolean(),
      /** Null while nothing answers: it is switched off, or the port could not be bound. */
      url: z.string().nullable(),
      /** What keeps clients from that address, and what to do; null = nothing. Not told by every version. */
      problem: z.string().nullable().optional(),
      transport: z.literal("streamable_http"),
      active_sessions: z.number(),
      /** The oldest first. */
      sessions: z.array(z.looseObject({
        /** The one project that it is about; null = any. */
        pin: z.string().nullable(),
        access: z.enum(["read", "full"]),
        /** Name and version that the client gave itself; null while it has not. */
        client: z.string().nullable(),
        /** Seconds since the epoch. */
        since: z.number(),
        /** Seconds since its last request. */
        idle_s: z.number(),
        /** Answers and event streams that are open now. */
        streams: z.number(),
      })),
      /** Types of events that are told; empty = all. */
      filter: z.array(z.string()),
      /** Tools that are offered; empty = all. */
      tools: z.array(z.string()),
    }),
    errors: [],
    since: "0.4.0",
  }),
};
