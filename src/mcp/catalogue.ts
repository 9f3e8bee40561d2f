/**
 * What a server offers over MCP. The sessions and the protocol know no tool and no resource by name.
 *
 * @module
 */

import type {
  CallToolResult,
  CompleteRequestParams,
  CompleteResult,
  GetPromptResult,
  LoggingLevel,
  Prompt,
  ReadResourceResult,
  RequestId,
  Resource,
  ResourceTemplate,
  Server,
  Tool,
} from "./sdk.ts";
import type { Settle } from "../domain/recent_events.ts";
import type { Connection } from "./connection.ts";

/** How far a tool is. */
export interface ToolProgress {
  /** Only told when it is more than before. */
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** Something that happened, for the log of the client. */
export interface Notice {
  readonly level: LoggingLevel;
  /** Who tells it. */
  readonly logger?: string;
  /** As JSON. */
  readonly data: unknown;
}

/** What a tool gets beside its arguments. */
export interface ToolContext {
  readonly connection: Connection;
  /** Aborts when the client withdraws or goes away. */
  readonly signal: AbortSignal;
  /** Of the connection, for what a tool asks of its client; name `requestId` as `relatedRequestId` there. */
  readonly server: Server;
  readonly requestId: RequestId;
  /** Tells the client, if it wants to know. */
  onProgress(progress: ToolProgress): void;
  /** Tells the client, if its level lets that through; along with the answer, where the transport has several streams. */
  onNotice(notice: Notice): void;
  /** The answer carries what is new to the caller; called once it was sent, or was lost. */
  onNews(settle: Settle): void;
  /** Has the client come back for the rest of the answer; absent where it cannot. */
  readonly closeStream?: () => void;
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

/** Content of a resource: text or base64. */
export type ResourceContent = ReadResourceResult["contents"][number];

/** Who wants to know of changes. */
export interface Watcher {
  /** Aborts when it no longer wants to. */
  readonly signal: AbortSignal;
  /** Cheap; may be called often. */
  onChange(): void;
}

/** Resources, and when they change. What is refused is an `McpError`. */
export interface McpResources {
  list(connection: Connection): Promise<readonly Resource[]>;
  readonly templates: readonly ResourceTemplate[];
  /** Null = there is none. */
  read(
    uri: string,
    connection: Connection,
    signal: AbortSignal,
  ): Promise<readonly ResourceContent[] | null>;
  /**
   * Tells when the content may be another one, of everything that happens once it has resolved. False = there is no such
   * resource. Absent = nobody can subscribe.
   */
  watch?(
    uri: string,
    connection: Connection,
    watcher: Watcher,
  ): Promise<boolean>;
  /** Tells when the list may be another one. Absent = it never is. */
  watchList?(connection: Connection, watcher: Watcher): void;
}

/** Prompts. */
export interface McpPrompts {
  list(connection: Connection): Promise<readonly Prompt[]>;
  /** Null = there is none of that name. */
  get(
    name: string,
    args: Readonly<Record<string, string>>,
    connection: Connection,
  ): Promise<GetPromptResult | null>;
}

/** Who wants to know what happens. */
export interface NoticeReader {
  /** Aborts when it no longer wants to. */
  readonly signal: AbortSignal;
  /** Cheap. The same frozen notice for all readers. */
  onNotice(notice: Notice): void;
}

/** Everything offered to a connection. What is absent is not among the capabilities of the server. */
export interface Catalogue {
  /** For the model: what this server is for. */
  readonly instructions: string;
  tools(connection: Connection): readonly McpTool[];
  readonly resources: McpResources;
  readonly prompts?: McpPrompts;
  /** Values for an argument of a prompt or of the template of a resource. */
  complete?(
    request: CompleteRequestParams,
    connection: Connection,
  ): Promise<CompleteResult["completion"]>;
  /** Tells what happens, for the log of the client. */
  notices?(connection: Connection, reader: NoticeReader): void;
}
