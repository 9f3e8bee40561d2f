/**
 * What the server does with any catalogue: what it declares, calls, their progress and their end, what it tells unasked.
 *
 * @module
 */

import assert from "node:assert/strict";
import type {
  Catalogue,
  McpTool,
  NoticeReader,
  ToolContext,
  Watcher,
} from "../../../src/mcp/catalogue.ts";
import { MAX_IN_HAND } from "../../../src/mcp/outbox.ts";
import { MAX_SUBSCRIPTIONS } from "../../../src/mcp/subscriptions.ts";
import { until } from "../../support/until.ts";
import { EMPTY, type Message, WireClient } from "./_wire_client.ts";

/** A tool that answers when the test says so. */
class HeldTool implements McpTool {
  readonly declaration = {
    name: "held",
    inputSchema: { type: "object" },
  } as const;
  readonly contexts: ToolContext[] = [];
  readonly release = Promise.withResolvers<void>();

  async call(_args: unknown, context: ToolContext) {
    this.contexts.push(context);
    const gone = Promise.withResolvers<void>();
    context.signal.addEventListener("abort", () => gone.resolve());
    await Promise.race([this.release.promise, gone.promise]);
    return { content: [{ type: "text" as const, text: "done" }] };
  }

  /** The context of the call with that number, from 0. */
  async context(index = 0): Promise<ToolContext> {
    return await until(() => this.contexts[index]);
  }
}

async function heldCall(): Promise<
  { client: WireClient; tool: HeldTool; catalogue: Catalogue }
> {
  const client = new WireClient();
  const tool = new HeldTool();
  const catalogue = { ...EMPTY, tools: () => [tool] };
  await client.begin(catalogue);
  return { client, tool, catalogue };
}

Deno.test("only what a catalogue offers is declared and served", async () => {
  const plain = new WireClient();
  assert.deepEqual(await plain.begin(EMPTY), {
    tools: {},
    resources: {},
    logging: {},
  });
  for (
    const method of [
      "prompts/list",
      "completion/complete",
      "resources/subscribe",
    ]
  ) {
    assert.equal((await plain.ask(method)).error.code, -32601, method);
  }
  const rich = new WireClient();
  const capabilities = await rich.begin({
    ...EMPTY,
    resources: {
      ...EMPTY.resources,
      watch: () => Promise.resolve(true),
      watchList: () => {},
    },
    prompts: {
      list: () => Promise.resolve([{ name: "p" }]),
      get: (name) => Promise.resolve(name === "p" ? { messages: [] } : null),
    },
    complete: () => Promise.resolve({ values: ["x"] }),
  });
  assert.deepEqual(capabilities, {
    tools: {},
    resources: { subscribe: true, listChanged: true },
    logging: {},
    prompts: {},
    completions: {},
  });
  assert.deepEqual((await rich.ask("prompts/list")).result, {
    prompts: [{ name: "p" }],
  });
  const missing = await rich.ask("prompts/get", { name: "q" });
  assert.equal(missing.error.code, -32602);
  const ref = { type: "ref/prompt", name: "p" };
  const { result } = await rich.ask("completion/complete", {
    ref,
    argument: { name: "a", value: "" },
  });
  assert.deepEqual(result, { completion: { values: ["x"] } });
});

Deno.test("progress goes up, to whom asked for it, until the answer", async () => {
  const { client, tool } = await heldCall();
  const params = { name: "held", _meta: { progressToken: "t" } };
  client.send({ id: 1, method: "tools/call", params });
  const context = await tool.context();
  context.onProgress({ progress: 1, total: 3, message: "a" });
  context.onProgress({ progress: 1, total: 3 });
  context.onProgress({ progress: 0.5, total: 3 });
  context.onProgress({ progress: 3, total: 3 });
  tool.release.resolve();
  await client.answerTo(1);
  context.onProgress({ progress: 4 });
  context.onNotice({ level: "error", data: "late" });
  assert.deepEqual(client.of("notifications/progress"), [
    { progressToken: "t", progress: 1, total: 3, message: "a" },
    { progressToken: "t", progress: 3, total: 3 },
  ]);
  client.send({ id: 2, method: "tools/call", params: { name: "held" } });
  (await tool.context(1)).onProgress({ progress: 1 });
  await client.answerTo(2);
  assert.equal(client.of("notifications/progress").length, 2);
  assert.deepEqual(client.of("notifications/message"), []);
});

Deno.test("a call that is withdrawn ends at once, without an answer", async () => {
  const { client, tool } = await heldCall();
  const settled: boolean[] = [];
  client.send({ id: "a", method: "tools/call", params: { name: "held" } });
  client.send({ id: "b", method: "tools/call", params: { name: "held" } });
  const [a, b] = [await tool.context(0), await tool.context(1)];
  a.onNews((hasArrived) => !settled.push(hasArrived));
  client.send({
    method: "notifications/cancelled",
    params: { requestId: "a", reason: "enough" },
  });
  await until(() => a.signal.aborted);
  assert.deepEqual(settled, [false]);
  assert.ok(!b.signal.aborted);
  tool.release.resolve();
  await client.answerTo("b");
  await client.ask("ping");
  assert.ok(!client.heard.some(({ id }) => id === "a"));
});

Deno.test("news count as told when the answer has gone, and not when nobody took it", async () => {
  const { client, tool } = await heldCall();
  const settled: boolean[] = [];
  client.send({ id: 1, method: "tools/call", params: { name: "held" } });
  (await tool.context()).onNews((hasArrived) => !settled.push(hasArrived));
  assert.equal(settled.length, 0);
  tool.release.resolve();
  await client.answerTo(1);
  await until(() => settled.length > 0);
  assert.deepEqual(settled, [true]);

  const gone = await heldCall();
  gone.client.send({ id: 1, method: "tools/call", params: { name: "held" } });
  (await gone.tool.context()).onNews((it) => !settled.push(it));
  gone.client.isBroken = true;
  gone.tool.release.resolve();
  await until(() => settled.length > 1);
  assert.deepEqual(settled, [true, false]);
});

Deno.test("the end of a connection withdraws its calls", async () => {
  const { client, tool } = await heldCall();
  client.send({ id: 1, method: "tools/call", params: { name: "held" } });
  const { signal, server } = await tool.context();
  await server.close();
  assert.ok(signal.aborted);
});

Deno.test("calls are bounded, and a tool that is not there is said so", async () => {
  const { client, tool } = await heldCall();
  const none = await client.ask("tools/call", { name: "none" });
  assert.equal(none.error.code, -32602);
  for (let id = 1; id <= 129; id++) {
    client.send({ id, method: "tools/call", params: { name: "held" } });
  }
  const refused = await client.answerTo(129);
  assert.match(refused.error.message, /128 calls are under way/);
  tool.release.resolve();
  await client.answerTo(128);
  const again = await client.ask("tools/call", { name: "held" });
  assert.equal(again.error, undefined);
});

Deno.test("a level lets through what is as bad or worse", async () => {
  const client = new WireClient();
  const reader = Promise.withResolvers<NoticeReader>();
  await client.begin({
    ...EMPTY,
    notices: (_connection, it) => reader.resolve(it),
  });
  const { onNotice } = await reader.promise;
  const levels = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
  ] as const;
  for (const [least, level] of levels.entries()) {
    const { error } = await client.ask("logging/setLevel", { level });
    assert.equal(error, undefined);
    client.heard.length = 0;
    for (const each of levels) onNotice({ level: each, data: each });
    await client.ask("ping");
    const told = client.of("notifications/message").map(({ data }) => data);
    assert.deepEqual(told, levels.slice(least), level);
  }
});

Deno.test("who says twice that it is there is told once", async () => {
  const client = new WireClient();
  const readers: NoticeReader[] = [];
  await client.begin({
    ...EMPTY,
    notices: (_connection, it) => void readers.push(it),
  });
  client.send({ method: "notifications/initialized" });
  await client.ask("ping");
  assert.equal(readers.length, 1);
});

Deno.test("a client that does not read gets a gap in place of what it missed", async () => {
  const client = new WireClient();
  const reader = Promise.withResolvers<NoticeReader>();
  await client.begin({
    ...EMPTY,
    notices: (_connection, it) => reader.resolve(it),
  });
  const { onNotice } = await reader.promise;
  client.blocked = Promise.withResolvers();
  for (let n = 0; n < MAX_IN_HAND + 50; n++) {
    onNotice({ level: "info", data: n });
  }
  client.blocked.resolve();
  client.blocked = null;
  await until(() => client.of("notifications/message").length === MAX_IN_HAND);
  onNotice({ level: "info", data: "after" });
  await client.ask("ping");
  assert.deepEqual(client.of("notifications/message").slice(MAX_IN_HAND), [
    { level: "warning", logger: "taskmux", data: { gap: 50 } },
    { level: "info", data: "after" },
  ]);
});

/** A server with resources that change when the test says so. */
async function watched(): Promise<
  { client: WireClient; watchers: Map<string, Watcher> }
> {
  const client = new WireClient();
  const watchers = new Map<string, Watcher>();
  await client.begin({
    ...EMPTY,
    resources: {
      ...EMPTY.resources,
      watch: (uri, _connection, watcher) => {
        if (!uri.startsWith("x:")) return Promise.resolve(false);
        watchers.set(uri, watcher);
        return Promise.resolve(true);
      },
    },
  });
  return { client, watchers };
}

const updates = (client: WireClient): string[] =>
  client.of("notifications/resources/updated").map(({ uri }) => uri);

Deno.test("changes of a resource are told at once, then gathered", async () => {
  const { client, watchers } = await watched();
  for (const uri of ["x:a", "x:b", "x:a"]) {
    assert.deepEqual(
      (await client.ask("resources/subscribe", { uri })).result,
      {},
    );
  }
  const none = await client.ask("resources/subscribe", { uri: "y:a" });
  assert.equal(none.error.code, -32002);
  assert.equal(watchers.size, 2);
  const [a, b] = [watchers.get("x:a")!, watchers.get("x:b")!];
  a.onChange();
  await client.ask("ping");
  assert.deepEqual(updates(client), ["x:a"]);
  for (let n = 0; n < 1000; n++) a.onChange();
  b.onChange();
  const told = (uri: string): number =>
    updates(client).filter((each) => each === uri).length;
  await until(() => told("x:b") === 1 && told("x:a") >= 2);
  await client.ask("resources/unsubscribe", { uri: "x:a" });
  // One for the first change; of the thousand at most the first and all others together.
  assert.ok(told("x:a") <= 3, `${told("x:a")}`);
  const before = told("x:a");
  assert.ok(a.signal.aborted);
  a.onChange();
  b.onChange();
  await until(() => told("x:b") === 2);
  assert.equal(told("x:a"), before);
  client.ending.abort();
  assert.ok(b.signal.aborted);
});

Deno.test("subscriptions are bounded", async () => {
  const { client } = await watched();
  const subscribe = (n: number): Promise<Message> =>
    client.ask("resources/subscribe", { uri: `x:${n}` });
  for (let n = 0; n < MAX_SUBSCRIPTIONS; n++) {
    assert.equal((await subscribe(n)).error, undefined);
  }
  assert.match((await subscribe(-1)).error.message, /more than 64/);
  await client.ask("resources/unsubscribe", { uri: "x:0" });
  assert.equal((await subscribe(-1)).error, undefined);
});
