import assert from "node:assert/strict";
import {
  EVENTS_STREAM,
  EventShelf,
  EventStore,
  type StoreLimits,
} from "../../../src/mcp/event_store.ts";
import type { JSONRPCMessage } from "../../../src/mcp/sdk.ts";

const LIMITS: StoreLimits = { messages: 3, bytes: 10_000, streams: 2 };

function storeOn(shelf: EventShelf): EventStore {
  return new EventStore({
    shelf,
    limits: LIMITS,
    onAnswer: () => true,
    isWithdrawn: () => false,
  });
}

function told(n: number, padding = ""): JSONRPCMessage {
  return { jsonrpc: "2.0", method: "told", params: { n, padding } };
}

/** What a client gets that comes back after an event, in short: `n`, `gap N` or `error ID`. */
async function replayed(store: EventStore, last: string): Promise<string[]> {
  const found: string[] = [];
  await store.replayEventsAfter(last, {
    send: (_, message) => {
      if ("error" in message) found.push(`error ${message.id}`);
      else if ("result" in message) found.push(`result ${message.id}`);
      else if ("params" in message) {
        const { n, data } = message.params as {
          n?: number;
          data?: { gap: number };
        };
        found.push(data === undefined ? String(n) : `gap ${data.gap}`);
      }
      return Promise.resolve();
    },
  });
  return found;
}

Deno.test("what nobody followed is not kept", async () => {
  const shelf = new EventShelf();
  const store = storeOn(shelf);
  for (let n = 1; n <= 3; n++) await store.storeEvent(EVENTS_STREAM, told(n));
  assert.equal(shelf.bytes, 0);
  const place = store.follow();
  await store.storeEvent(EVENTS_STREAM, told(4));
  assert.deepEqual(await replayed(store, place), ["4"]);
});

Deno.test("gaps are told exactly, one stream's messages do not count for another", async () => {
  const store = storeOn(new EventShelf());
  const place = store.follow();
  await store.storeEvent("post", {} as JSONRPCMessage);
  const ids: string[] = [];
  for (let n = 1; n <= 4; n++) {
    ids.push(await store.storeEvent(EVENTS_STREAM, told(n)));
  }
  await store.storeEvent("post", told(10));
  // Of five the last three are kept.
  assert.deepEqual(await replayed(store, place), ["gap 2", "3", "4"]);
  assert.deepEqual(await replayed(store, ids[0]!), ["gap 1", "3", "4"]);
  assert.deepEqual(await replayed(store, ids[2]!), ["4"]);
  assert.deepEqual(await replayed(store, ids[3]!), []);
  assert.deepEqual(await replayed(store, "0.post"), ["10"]);
  for (const id of [`5.${EVENTS_STREAM}`, "0.other", "x", "", "1e3.post"]) {
    assert.equal(store.streamOf(id), null, id);
  }
});

Deno.test("an answer that is gone is one with an error, and it is known when a stream is over", async () => {
  const store = storeOn(new EventShelf());
  store.follow();
  await store.storeEvent("post", {} as JSONRPCMessage);
  assert.equal(store.endOf("post"), null);
  store.taken("0.post");
  const id = await store.storeEvent("post", {
    jsonrpc: "2.0",
    id: 7,
    result: {},
  });
  assert.equal(store.endOf("post"), id);
  assert.equal(store.canGiveAgain(id), true);
  assert.deepEqual(await replayed(store, "0.post"), ["result 7"]);
  for (let n = 1; n <= 3; n++) await store.storeEvent(EVENTS_STREAM, told(n));
  assert.equal(store.canGiveAgain(id), false);
  assert.deepEqual(await replayed(store, "0.post"), ["gap 1", "error 7"]);
});

Deno.test("all sessions together keep so much, and the oldest of any goes", async () => {
  const shelf = new EventShelf(1_000);
  const stores = [storeOn(shelf), storeOn(shelf)] as const;
  const places = stores.map((store) => store.follow());
  const padding = "x".repeat(300);
  await stores[0].storeEvent(EVENTS_STREAM, told(1, padding));
  await stores[1].storeEvent(EVENTS_STREAM, told(2, padding));
  assert.ok(shelf.bytes > 600 && shelf.bytes <= 1_000);
  await stores[1].storeEvent(EVENTS_STREAM, told(3, padding));
  assert.ok(shelf.bytes <= 1_000);
  assert.deepEqual(await replayed(stores[0], places[0]!), ["gap 1"]);
  assert.deepEqual(await replayed(stores[1], places[1]!), ["2", "3"]);
  stores[1].clear();
  assert.equal(shelf.bytes, 0);
});
