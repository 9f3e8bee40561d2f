/**
 * What a server offers over MCP. The sessions and the protocol know no tool and no resource by name.
 *
 * @module
 */

import type {
  CallToolResult,
  Resource,
  ResourceTemplate,
  Server,
  Tool,
} from "./sdk.ts";
import type { Connection } from "./connection.ts";

/** How far a tool is. */
export interface ToolProgress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** What a tool gets beside its arguments. */
export interface ToolContext {
  readonly connection: Connection;
  /** Aborts when the client withdraws or goes away. */
  readonly signal: AbortSignal;
  /** Of the connection, for what a tool asks of its client. */
  readonly server: Server;
  onProgress(progress: ToolProgress): void;
  /** The answer carries what is new to the caller; called once it was sent, or was lost. */
  onNews(settle: (hasArrived: boolean) => boolean): void;
}

/** A tool and what it does. */
export interface McpTool {
  readonly declaration: Tool;
  /** It is not listed; whoever calls it all the same is told why not. */
  readonly isHidden?: boolean;
  /** Never rejects for what a client can cause: that is an answer with `isError`. */
  call(
    args: Readonly<Record<string, unknown>>,
    context: ToolContext,
  ): Promise<CallToolResult>;
}

/** Resources, and when they change. */
export interface McpResources {
  list(connection: Connection): Promise<readonly Resource[]>;
  readonly templates: readonly ResourceTemplate[];
  /** Null = there is none. */
  read(
    uri: string,
    connection: Connection,
  ): Promise<{ readonly mimeType: string; readonly text: string } | null>;
}

/** Everything offered to a connection. */
export interface Catalogue {
  /** For the model: what this server is for. */
  readonly instructions: string;
  tools(connection: Connection): readonly McpTool[];
  readonly resources: McpResources;
}
