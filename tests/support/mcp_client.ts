/**
 * A client of MCP over Streamable HTTP that knows nothing of the SDK: what a test sees is what goes over the wire.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Taskmux } from "./taskmux.ts";

/** Newest version of the protocol that the client asks for. */
const PROTOCOL_VERSION = "2025-11-25";

/** Any JSON object. */
export type Json = Record<string, unknown>;

/** A message of JSON-RPC. */
export interface Message {
  readonly jsonrpc: "2.0";
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: Json;
  readonly result?: Json;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: unknown;
  };
}

/** What a tool answered. */
export interface ToolAnswer {
  readonly content: readonly { readonly type: string; readonly text: string }[];
  readonly structuredContent?: Json;
  readonly isError?: boolean;
}

/** How a client connects. */
export interface McpClientOptions {
  /** What follows `?` in the address, such as `session=shop&access=read`. */
  readonly query?: string;
  /** How it calls itself. */
  readonly client?: { readonly name: string; readonly version: string };
  readonly capabilities?: Json;
}

/** How one request is sent. */
export interface RequestOptions {
  readonly signal?: AbortSignal;
  /** Gets a token, and its progress goes to {@linkcode McpClient.notifications}. */
  readonly progressToken?: string | number;
  /** Called with each message of the answer that is not the answer itself, when it comes. */
  onMessage?(message: Message): void;
}

/** A connection. Disposal ends it with DELETE. */
export class McpClient implements AsyncDisposable {
  readonly url: string;
  /** Null = the server gave none. */
  readonly sessionId: string | null;
  /** The answer to `initialize`. */
  readonly server: Json;
  /** What came with answers beside the answers, in order. */
  readonly notifications: Message[] = [];
  #lastId = 1;

  constructor(url: string, sessionId: string | null, server: Json) {
    this.url = url;
    this.sessionId = sessionId;
    this.server = server;
  }

  /** Headers of every request after the first. */
  get headers(): Record<string, string> {
    return {
      ...HEADERS,
      "mcp-protocol-version": String(this.server["protocolVersion"]),
      ...this.sessionId === null ? {} : { "mcp-session-id": this.sessionId },
    };
  }

  /** Sends any body, and gives the answer as it is. */
  post(body: unknown, signal?: AbortSignal): Promise<Response> {
    return fetch(this.url, {
      method: "POST",
      headers: this.headers,
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...signal === undefined ? {} : { signal },
    });
  }

  /** Sends a notification, which must be accepted. */
  async notify(method: string, params: Json = {}): Promise<void> {
    const response = await this.post({ jsonrpc: "2.0", method, params });
    await response.body?.cancel();
    assert.equal(response.status, 202, `status of ${method}`);
  }

  /** Sends a request. @returns The message that answers it, be it an error. */
  async send(
    method: string,
    params: Json = {},
    options: RequestOptions = {},
  ): Promise<Message> {
    const { progressToken, signal, onMessage } = options;
    const id = ++this.#lastId;
    const meta = progressToken === undefined
      ? {}
      : { _meta: { progressToken } };
    const response = await this.post({
      jsonrpc: "2.0",
      id,
      method,
      params: { ...params, ...meta },
    }, signal);
    for await (const message of messagesOf(response)) {
      if (message.id === id && message.method === undefined) return message;
      this.notifications.push(message);
      onMessage?.(message);
    }
    throw new Error(`Cannot find the answer to ${method}: the stream ended`);
  }

  /** Sends a request that must succeed. */
  async request<T extends object = Json>(
    method: string,
    params: Json = {},
    options: RequestOptions = {},
  ): Promise<T> {
    const { error, result } = await this.send(method, params, options);
    assert.equal(error, undefined, `${method}: ${JSON.stringify(error)}`);
    return result as T;
  }

  /** Calls a tool, whatever comes of it. */
  async tool(
    name: string,
    args: Json = {},
    options: RequestOptions = {},
  ): Promise<ToolAnswer> {
    const params = { name, arguments: args };
    return await this.request<ToolAnswer>("tools/call", params, options);
  }

  /** Calls a tool, which must succeed. @returns Its structured content. */
  async ok<T extends object = Json>(
    name: string,
    args: Json = {},
    options: RequestOptions = {},
  ): Promise<T> {
    const answer = await this.tool(name, args, options);
    assert.notEqual(answer.isError, true, `${name}: ${JSON.stringify(answer)}`);
    return answer.structuredContent as T;
  }

  /** Calls a tool, which must fail. @returns Its structured content. */
  async fails<T extends object = Json>(
    name: string,
    args: Json = {},
  ): Promise<T> {
    const answer = await this.tool(name, args);
    assert.equal(answer.isError, true, `${name}: ${JSON.stringify(answer)}`);
    return answer.structuredContent as T;
  }

  /** Opens the stream of what the server sends by itself, and gives its messages until the signal aborts. */
  async *listen(
    signal: AbortSignal,
    lastEventId?: string,
  ): AsyncGenerator<Message, void, void> {
    const response = await fetch(this.url, {
      headers: {
        ...this.headers,
        accept: "text/event-stream",
        ...lastEventId === undefined ? {} : { "last-event-id": lastEventId },
      },
      signal,
    });
    assert.equal(response.status, 200, "status of the stream");
    try {
      yield* messagesOf(response);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Ends the session. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.sessionId === null) return;
    const response = await fetch(this.url, {
      method: "DELETE",
      headers: this.headers,
    });
    await response.body?.cancel();
  }
}

const HEADERS = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
};

/** The address of the running daemon's MCP, with a query or without. */
export async function mcpUrl(taskmux: Taskmux, query = ""): Promise<string> {
  const { api_port: port } = await taskmux.call("daemon.status", {});
  return `http://localhost:${port}/mcp${query === "" ? "" : `?${query}`}`;
}

/** Connects to the running daemon, and is initialized. */
export async function mcpClient(
  taskmux: Taskmux,
  options: McpClientOptions = {},
): Promise<McpClient> {
  return await connectMcp(await mcpUrl(taskmux, options.query), options);
}

/** Connects to an address, and is initialized. */
export async function connectMcp(
  url: string,
  { client = { name: "test", version: "1" }, capabilities = {} }:
    McpClientOptions = {},
): Promise<McpClient> {
  const response = await fetch(url, {
    method: "POST",
    headers: HEADERS,
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: {
        protocolVersion: PROTOCOL_VERSION,
        capabilities,
        clientInfo: client,
      },
    }),
  });
  const id = response.headers.get("mcp-session-id");
  let server: Json | undefined;
  for await (const message of messagesOf(response)) {
    if (message.id === 1) server = message.result;
  }
  assert.ok(server, `initialize: ${response.status}`);
  const connection = new McpClient(url, id, server);
  await connection.notify("notifications/initialized");
  return connection;
}

/** The messages of an answer: one as JSON, or a stream of server-sent events. */
export async function* messagesOf(
  response: Response,
): AsyncGenerator<Message, void, void> {
  const type = response.headers.get("content-type") ?? "";
  if (!type.startsWith("text/event-stream")) {
    yield await response.json() as Message;
    return;
  }
  for await (const { data } of sseEvents(response)) {
    if (data !== "") yield JSON.parse(data) as Message;
  }
}

/** A server-sent event. */
export interface SseEvent {
  readonly id: string | null;
  readonly data: string;
}

/** The server-sent events of an answer, those without data too. */
export async function* sseEvents(
  response: Response,
): AsyncGenerator<SseEvent, void, void> {
  assert.ok(response.body, "a stream has a body");
  let rest = "";
  for await (
    const text of response.body.pipeThrough(new TextDecoderStream())
  ) {
    const blocks = (rest + text).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const lines = block.split("\n");
      const values = (name: string): string[] =>
        lines.filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).replace(/^ /, ""));
      const [id = null] = values("id");
      yield { id, data: values("data").join("\n") };
    }
  }
}
