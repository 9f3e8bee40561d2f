/**
 * Messages in lines: what is one, what is not, and what a client that does not read costs.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  MAX_LINE_BYTES,
  MAX_REQUESTS,
  MAX_UNREAD_BYTES,
} from "../../../src/mcp/stdio_transport.ts";
import { until } from "../../support/until.ts";
import { EMPTY, WireClient } from "./_wire_client.ts";

Deno.test("a line may come in any pieces", async () => {
  const client = new WireClient();
  await client.serve({ ...EMPTY, instructions: "ä€😀" });
  const request = JSON.stringify({
    jsonrpc: "2.0",
    id: "ä€😀",
    method: "initialize",
    params: {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "test", version: "1" },
    },
  });
  for (const byte of new TextEncoder().encode(`\n\r\n${request}\r\n`)) {
    client.bytes(Uint8Array.of(byte));
  }
  const { result } = await client.answerTo("ä€😀");
  assert.equal(result.instructions, "ä€😀");
});

Deno.test("what is no message is refused, and the next one counts", async () => {
  const client = new WireClient();
  await client.begin(EMPTY);
  const cases: readonly (readonly [line: string, code: number])[] = [
    ["{", -32700],
    ["\u0000", -32700],
    ["[]", -32600],
    ["null", -32600],
    ['{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600],
    ['{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600],
    [`"${"x".repeat(MAX_LINE_BYTES)}"`, -32600],
  ];
  for (const [line, code] of cases) {
    client.heard.length = 0;
    client.line(line);
    const refusal = await until(() => client.heard[0]);
    assert.equal(refusal["id"], null);
    assert.equal(refusal["error"].code, code, line.slice(0, 80));
  }
  assert.deepEqual((await client.ask("ping")).result, {});
});

Deno.test("nothing more is read from a client that does not read", async () => {
  const text = "x".repeat(MAX_UNREAD_BYTES / 4);
  const client = new WireClient();
  await client.begin({
    ...EMPTY,
    resources: {
      ...EMPTY.resources,
      read: (uri) => Promise.resolve([{ uri, text }]),
    },
  });
  client.blocked = Promise.withResolvers();
  const params = { uri: "x:" };
  const ask = async (id: number): Promise<void> => {
    client.send({ id, method: "resources/read", params });
    // Whoever reads has done so by then, since nothing else has to be waited for.
    let looks = 0;
    await until(() => ++looks === 3);
  };
  for (let id = 0; id < 8; id++) await ask(id);
  const { taken } = client;
  for (let id = 8; id < 16; id++) await ask(id);
  assert.equal(client.taken, taken);
  client.blocked.resolve();
  client.blocked = null;
  await client.answerTo(15);
});

Deno.test("requests under way are bounded", async () => {
  const client = new WireClient();
  const release = Promise.withResolvers<null>();
  await client.begin({
    ...EMPTY,
    resources: { ...EMPTY.resources, read: () => release.promise },
  });
  for (let id = 0; id <= MAX_REQUESTS; id++) {
    client.send({ id, method: "resources/read", params: { uri: "x:" } });
  }
  const { error } = await client.answerTo(MAX_REQUESTS);
  assert.match(error.message, /512 are under way/);
  release.resolve(null);
  await client.answerTo(MAX_REQUESTS - 1);
  assert.deepEqual((await client.ask("ping")).result, {});
});

Deno.test("the end of the input is the end, once what was asked has its answer", async () => {
  const client = new WireClient();
  await client.begin(EMPTY);
  client.send({ id: 1, method: "ping" });
  client.end();
  await client.transport.ended;
  await client.transport.answered;
  await client.answerTo(1);
});

Deno.test("nobody who reads is the end, too", async () => {
  const client = new WireClient();
  await client.begin(EMPTY);
  client.isBroken = true;
  client.send({ id: 1, method: "ping" });
  await client.transport.ended;
  await client.transport.answered;
});
