/**
 * One MCP server per connection: the requests of the protocol, answered from a catalogue, and what it tells unasked.
 *
 * @module
 */

import { VERSION } from "../contract/wire.ts";
import { AnswerReceipts } from "./answer_receipts.ts";
import { callTool } from "./call_tool.ts";
import type { Catalogue, McpPrompts } from "./catalogue.ts";
import type { Connection } from "./connection.ts";
import { Outbox } from "./outbox.ts";
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListToolsRequestSchema,
  McpError,
  Server,
  type ServerCapabilities,
  SetLevelRequestSchema,
  type Transport,
} from "./sdk.ts";
import {
  serveResources,
  type Serving,
  tellListChanges,
} from "./serve_resources.ts";

/** Calls of tools that one connection may have under way. */
const MAX_CALLS = 128;

/** A server for a connection; whoever has a transport connects it. */
export function createMcpServer(
  catalogue: Catalogue,
  connect: (server: Server) => Connection,
): Server {
  const receipts = new AnswerReceipts();
  const server = new WatchedServer(catalogue, receipts);
  const connection = connect(server);
  const outbox = new Outbox((notification) =>
    server.notification(notification)
  );
  const serving: Serving = { server, connection, outbox };
  serveTools(catalogue, receipts, serving);
  serveResources(catalogue.resources, serving);
  if (catalogue.prompts !== undefined) {
    servePrompts(catalogue.prompts, serving);
  }
  serveCompletion(catalogue, serving);
  server.setRequestHandler(SetLevelRequestSchema, ({ params: { level } }) => {
    outbox.level = level;
    return {};
  });
  let isTelling = false;
  server.oninitialized = () => {
    // A client may say so as often as it likes.
    if (isTelling) return;
    isTelling = true;
    const { signal } = connection;
    tellListChanges(catalogue.resources, serving);
    catalogue.notices?.(connection, {
      signal,
      onNotice: (notice) => outbox.notice(notice),
    });
  };
  return server;
}

/** A server that knows when its answers have left. */
class WatchedServer extends Server {
  readonly #receipts: AnswerReceipts;

  constructor(catalogue: Catalogue, receipts: AnswerReceipts) {
    super({ name: "taskmux", version: VERSION }, {
      capabilities: capabilitiesOf(catalogue),
      instructions: catalogue.instructions,
    });
    this.#receipts = receipts;
  }

  override async connect(transport: Transport): Promise<void> {
    await super.connect(this.#receipts.watch(transport));
  }
}

function capabilitiesOf(
  { resources, prompts, complete }: Catalogue,
): ServerCapabilities {
  return {
    tools: {},
    resources: {
      ...resources.watch === undefined ? {} : { subscribe: true },
      ...resources.watchList === undefined ? {} : { listChanged: true },
    },
    logging: {},
    ...prompts === undefined ? {} : { prompts: {} },
    ...complete === undefined ? {} : { completions: {} },
  };
}

function serveTools(
  catalogue: Catalogue,
  receipts: AnswerReceipts,
  serving: Serving,
): void {
  const { server, connection } = serving;
  let underWay = 0;
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: catalogue.tools(connection).filter(({ isHidden }) => !isHidden)
      .map(({ declaration }) => declaration),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = catalogue.tools(connection)
      .find(({ declaration }) => declaration.name === params.name);
    if (tool === undefined) {
      throw new McpError(
        ErrorCode.InvalidParams,
        `Cannot call "${params.name}": there is no such tool`,
      );
    }
    if (underWay >= MAX_CALLS) {
      throw new McpError(
        ErrorCode.InvalidRequest,
        `Cannot call "${params.name}": ${MAX_CALLS} calls are under way`,
      );
    }
    underWay++;
    const args = params.arguments ?? {};
    try {
      return await callTool({ tool, args, extra, receipts }, serving);
    } finally {
      underWay--;
    }
  });
}

function servePrompts(
  prompts: McpPrompts,
  { server, connection }: Serving,
): void {
  server.setRequestHandler(ListPromptsRequestSchema, async () => ({
    prompts: [...await prompts.list(connection)],
  }));
  server.setRequestHandler(GetPromptRequestSchema, async ({ params }) => {
    const { name, arguments: args = {} } = params;
    const prompt = await prompts.get(name, args, connection);
    if (prompt !== null) return prompt;
    throw new McpError(
      ErrorCode.InvalidParams,
      `Cannot get "${name}": there is no such prompt`,
    );
  });
}

function serveCompletion(
  catalogue: Catalogue,
  { server, connection }: Serving,
): void {
  if (catalogue.complete === undefined) return;
  const complete = catalogue.complete.bind(catalogue);
  server.setRequestHandler(CompleteRequestSchema, async ({ params }) => ({
    completion: await complete(params, connection),
  }));
}
