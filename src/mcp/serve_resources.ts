/**
 * The requests about resources, and what is told of them unasked.
 *
 * @module
 */

import type { McpResources } from "./catalogue.ts";
import type { Connection } from "./connection.ts";
import type { Outbox } from "./outbox.ts";
import { RPC_ERROR } from "./rpc_error.ts";
import {
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  type Server,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from "./sdk.ts";
import { Coalescer, Subscriptions } from "./subscriptions.ts";

/** What serves a connection. */
export interface Serving {
  readonly server: Server;
  readonly connection: Connection;
  readonly outbox: Outbox;
}

/** Answers what a client asks about resources. */
export function serveResources(
  resources: McpResources,
  { server, connection, outbox }: Serving,
): void {
  server.setRequestHandler(ListResourcesRequestSchema, async () => ({
    resources: [...await resources.list(connection)],
  }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [...resources.templates],
  }));
  server.setRequestHandler(
    ReadResourceRequestSchema,
    async ({ params: { uri } }, { signal }) => {
      const contents = await resources.read(uri, connection, signal);
      if (contents === null) throw notFound(uri);
      return { contents: [...contents] };
    },
  );
  if (resources.watch === undefined) return;
  const subscriptions = new Subscriptions({
    connection,
    outbox,
    watch: resources.watch.bind(resources),
  });
  server.setRequestHandler(
    SubscribeRequestSchema,
    async ({ params: { uri } }) => {
      if (!await subscriptions.add(uri)) throw notFound(uri);
      return {};
    },
  );
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params: { uri } }) => {
    subscriptions.remove(uri);
    return {};
  });
}

/** Tells the client when the list of resources has changed. */
export function tellListChanges(
  resources: McpResources,
  { connection, outbox }: Serving,
): void {
  const method = "notifications/resources/list_changed";
  const changed = new Coalescer(() => outbox.send({ method }));
  const { signal } = connection;
  signal.addEventListener("abort", () => changed[Symbol.dispose](), {
    once: true,
  });
  const onChange = (): void => {
    if (!signal.aborted) changed.notify();
  };
  resources.watchList?.(connection, { signal, onChange });
}

function notFound(uri: string): McpError {
  return new McpError(RPC_ERROR.noResource, "Resource not found", { uri });
}
