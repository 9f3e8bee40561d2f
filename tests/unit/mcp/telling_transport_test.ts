/**
 * Our shortcut through the SDK's transport against the SDK's transport itself: nobody can tell them apart.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type JSONRPCMessage,
  WebStandardStreamableHTTPServerTransport,
} from "../../../src/mcp/sdk.ts";
import {
  TellingTransport,
  type ToldTexts,
} from "../../../src/mcp/telling_transport.ts";

const HEADERS = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
};

const FROZEN = Object.freeze({ level: "info", data: { text: "ä\n€" } });

const TOLD: readonly JSONRPCMessage[] = [
  { jsonrpc: "2.0", method: "notifications/message", params: FROZEN },
  { jsonrpc: "2.0", method: "notifications/resources/list_changed" },
  {
    jsonrpc: "2.0",
    method: "notifications/resources/updated",
    params: { uri: "x:y" },
  },
  { jsonrpc: "2.0", id: 7, method: "ping" },
  { jsonrpc: "2.0", method: "notifications/message", params: FROZEN },
];

/** What a client of the stream gets, and what is kept for one that comes back. */
async function told(
  create: (
    options: ConstructorParameters<
      typeof WebStandardStreamableHTTPServerTransport
    >[0],
  ) => WebStandardStreamableHTTPServerTransport,
  hasStore: boolean,
): Promise<readonly unknown[]> {
  const kept: unknown[] = [];
  const transport = create({
    sessionIdGenerator: () => "s",
    ...hasStore
      ? {
        eventStore: {
          storeEvent: (stream, message) =>
            Promise.resolve(`${stream}-${kept.push(message)}`),
          replayEventsAfter: () => Promise.reject(new Error("Not asked")),
        },
      }
      : {},
  });
  transport.onmessage = (message) => {
    if (!("id" in message)) return;
    const result = { protocolVersion: "2025-06-18" };
    transport.send({ jsonrpc: "2.0", id: message.id!, result });
  };
  await transport.start();
  const ask = (method: string, headers: HeadersInit, body?: object) =>
    transport.handleRequest(
      new Request("http://localhost/mcp", {
        method,
        headers: { ...HEADERS, ...headers },
        ...body === undefined ? {} : { body: JSON.stringify(body) },
      }),
    );
  await ask("POST", {}, {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "test", version: "1" },
    },
  });
  // Nobody listens yet.
  await transport.send(TOLD[0]!);
  const { body } = await ask("GET", { "mcp-session-id": "s" });
  for (const message of TOLD) await transport.send(message);
  await transport.close();
  const text = await new Response(body).text();
  const events = text.split("\n\n").map((event) =>
    event.split("\n").map((line) =>
      line.startsWith("data: {") ? JSON.parse(line.slice(6)) : line
    )
  );
  return [events, kept];
}

for (const hasStore of [true, false]) {
  Deno.test(`the shortcut says what the SDK says, ${hasStore ? "with" : "without"} a store`, async () => {
    const texts: ToldTexts = new WeakMap();
    const ours = await told(
      (options) => new TellingTransport(options, texts),
      hasStore,
    );
    const theirs = await told(
      (options) => new WebStandardStreamableHTTPServerTransport(options),
      hasStore,
    );
    assert.deepEqual(ours, theirs);
    assert.match(JSON.stringify(ours), /list_changed/);
    // Otherwise another SDK has closed the shortcut.
    assert.equal(texts.get(FROZEN), JSON.stringify(FROZEN));
  });
}
