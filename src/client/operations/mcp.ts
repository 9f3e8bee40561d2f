// deno-fmt-ignore-file
/**
 * Parameters and answers of `mcp.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface McpOperations {
  /** Tell where agents find the MCP server, and which are connected. */
  readonly "mcp.status": {
    readonly params: Readonly<Record<string, never>>;
    readonly result: {
      readonly ok: true;
      readonly enabled: boolean;
      readonly url: string | null;
      readonly problem?: string | null;
      readonly transport: "streamable_http";
      readonly active_sessions: number;
      readonly sessions: readonly {
        readonly pin: string | null;
        readonly access: "read" | "full";
        readonly client: string | null;
        readonly since: number;
        readonly idle_s: number;
        readonly streams: number;
        readonly [key: string]: unknown;
      }[];
      readonly filter: readonly string[];
      readonly tools: readonly string[];
      readonly [key: string]: unknown;
    };
  };
}
