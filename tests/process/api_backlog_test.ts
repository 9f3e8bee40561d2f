/**
 * Clients of the WebSocket API that do not read: others go on, memory does not grow, and who reads again lacks nothing.
 *
 * The API is the real one, on a real port; what it tells of is made up here, as fast as anybody takes it.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  MOST_OF_ALL,
  MOST_SUBSCRIPTIONS,
} from "../../src/api/api_connection.ts";
import { WebSocketApi } from "../../src/api/web_socket_api.ts";
import type { JsonObject } from "../../src/kit/json.ts";
import { inLaterTurn } from "../../src/kit/turn.ts";
import { TaskScope } from "../../src/kit/task_scope.ts";
import type { FrameDispatcher } from "../../src/transports/socket_server.ts";
import { RawSocket } from "../support/raw_web_socket.ts";
import { until } from "../support/until.ts";
import { TestWebSocket } from "../support/web_socket.ts";

const PADDING = "x".repeat(4000);

/** Bytes that fit between the API and a client that reads nothing: both sockets of the kernel, and what may wait. */
const MOST_UNREAD = 12 * 1024 * 1024;

/** A daemon with a history of events that grows when told, and a log without end. */
class Source implements FrameDispatcher {
  readonly #events: JsonObject[] = [];
  readonly #listeners = new Set<() => void>();
  /** Pieces of the log that were taken. */
  taken = 0;
  /** Pages of the history that were read. */
  pages = 0;

  happen(): void {
    const seq = this.#events.length + 1;
    const event = { seq, ts: "", event: "task_started", session: "p", PADDING };
    this.#events.push(event);
    for (const wake of this.#listeners) wake();
  }

  kindOf(): "call" {
    return "call";
  }

  call(name: string, params: unknown): Promise<JsonObject> {
    if (name !== "event.list") return Promise.resolve({ ok: true });
    const { cursor, limit } = params as { cursor?: string; limit: number };
    if (cursor !== undefined) this.pages++;
    const after = Number(cursor ?? this.#events.length);
    const events = this.#events.slice(after, after + limit);
    const end = after + events.length;
    return Promise.resolve({
      ok: true,
      events,
      cursor: String(end),
      has_more: end < this.#events.length,
    });
  }

  stream(
    name: string,
    params: unknown,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncIterable<JsonObject> {
    return name === "log.feed"
      ? this.#log(signal)
      : this.#follow(Number((params as { cursor: string }).cursor), signal);
  }

  async *#log(signal: AbortSignal): AsyncGenerator<JsonObject> {
    while (!signal.aborted) {
      await new Promise<void>(inLaterTurn);
      const text = PADDING.repeat(5);
      const cursor = String(++this.taken);
      const lines = [{ ts: "", task: "t", text }];
      yield { lines, dropped: 0, cursor };
    }
  }

  async *#follow(
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<JsonObject> {
    for (let next = from; !signal.aborted;) {
      while (next < this.#events.length) yield this.#events[next++]!;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#listeners.add(resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
      await promise;
      this.#listeners.delete(resolve);
    }
  }
}

async function serve(source: Source) {
  const scope = new TaskScope((error) => {
    throw error;
  });
  const api = new WebSocketApi({ dispatcher: source, scope, log: () => {} });
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => api.handle(request, new URL(request.url)),
  );
  await Promise.resolve();
  return {
    port: server.addr.port,
    api,
    [Symbol.asyncDispose]: async () => {
      await scope[Symbol.asyncDispose]();
      await server.shutdown();
    },
  };
}

Deno.test("a log is read no faster than its client reads", async () => {
  const source = new Source();
  await using served = await serve(source);
  await using stalled = await RawSocket.open(served.port);
  await stalled.send({ command: "subscribe", params: LOGS });
  // It has stopped when nothing is taken although everything else goes on.
  await using reader = await TestWebSocket.open({ port: served.port });
  let before = -1;
  await until(async () => {
    for (let count = 0; count < 50; count++) await reader.ask("ping");
    const isQuiet = source.taken > 0 && source.taken === before;
    before = source.taken;
    return isQuiet;
  });
  assert.ok(source.taken * 20_000 < MOST_UNREAD, `${source.taken} pieces`);
  // It reads again, and lacks nothing.
  const cursors = new Set<number>();
  await until(async () => {
    for (const { cursor } of await stalled.frames()) {
      if (typeof cursor === "string") cursors.add(Number(cursor));
    }
    return cursors.size > before + 100;
  });
  const found = [...cursors];
  assert.deepEqual(found, found.map((_, index) => index + 1));
});

const LOGS = { to: "logs", session: "p" };

Deno.test("one subscriber that does not read keeps no event from others, nor from itself", async () => {
  const source = new Source();
  await using served = await serve(source);
  const { port } = served;
  await using stack = new AsyncDisposableStack();
  const readers: TestWebSocket[] = [];
  for (let count = 0; count < 5; count++) {
    const reader = stack.use(await TestWebSocket.open({ port }));
    await reader.ask("subscribe", { to: "events" });
    readers.push(reader);
  }
  await using stalled = await RawSocket.open(port);
  await stalled.send({ command: "subscribe", params: { to: "events" } });
  await until(() => served.api.size === 6);
  const [first] = readers;
  await first!.ask("ping");
  const events = 5_000;
  for (let seq = 1; seq <= events; seq++) {
    source.happen();
    // As fast as the slowest of the readers.
    if (seq % 100 > 0) continue;
    await Promise.all(readers.map((reader) => reader.drop(100)));
  }
  const seqs: number[] = [];
  await until(async () => {
    for (const { cursor, type } of await stalled.frames()) {
      if (type === "event") seqs.push(Number(cursor));
    }
    return seqs.length >= events;
  });
  assert.deepEqual(seqs, seqs.map((_, index) => index + 1));
  assert.ok(source.pages > 6, "it was behind");
});

Deno.test("all clients together have so many subscriptions, and give them back with their connections", async () => {
  await using served = await serve(new Source());
  const { port } = served;
  const connections = MOST_OF_ALL.subscriptions / MOST_SUBSCRIPTIONS;
  {
    await using stack = new AsyncDisposableStack();
    for (let count = 0; count < connections; count++) {
      const client = stack.use(await TestWebSocket.open({ port }));
      for (let id = 1; id <= MOST_SUBSCRIPTIONS; id++) {
        client.send({ id, command: "subscribe", params: { to: "events" } });
      }
      const last = await client.next(({ id }) => id === MOST_SUBSCRIPTIONS);
      assert.equal(last["ok"], true);
    }
    const late = stack.use(await TestWebSocket.open({ port }));
    const { error } = await late.ask("subscribe", { to: "events" });
    assert.equal(error, "too_many");
  }
  await using next = await TestWebSocket.open({ port });
  await until(async () =>
    (await next.ask("subscribe", { to: "events" }))["ok"] === true
  );
});
