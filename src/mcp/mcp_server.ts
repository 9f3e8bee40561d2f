/**
 * One MCP server per connection: the requests of the protocol, answered from a catalogue.
 *
 * @module
 */

import {
  CallToolRequestSchema,
  ErrorCode,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  Server,
} from "./sdk.ts";
import { VERSION } from "../contract/wire.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Connection } from "./connection.ts";

/** JSON-RPC error code of the specification for a resource that is not there. */
const RESOURCE_NOT_FOUND = -32002;

/** A server for a connection; whoever has a transport connects it. */
export function createMcpServer(
  catalogue: Catalogue,
  connect: (server: Server) => Connection,
): Server {
  const server = new Server(
    { name: "taskmux", version: VERSION },
    {
      capabilities: { tools: {}, resources: {} },
      instructions: catalogue.instructions,
    },
  );
  const connection = connect(server);
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
    return await tool.call(params.arguments ?? {}, {
      connection,
      signal: extra.signal,
      server,
      onProgress: () => {},
      onNews: (settle) => void settle(true),
    });
  });
  serveResources(server, catalogue, connection);
  return server;
}

function serveResources(
  server: Server,
  { resources }: Catalogue,
  connection: Connection,
): void {
  server.setRequestHandler(ListResourcesRequestSchema, async () => ({
    resources: [...await resources.list(connection)],
  }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [...resources.templates],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params }) => {
    const { uri } = params;
    const found = await resources.read(uri, connection);
    if (found === null) {
      throw new McpError(RESOURCE_NOT_FOUND, "Resource not found", { uri });
    }
    return { contents: [{ uri, ...found }] };
  });
}
