import assert from "node:assert/strict";
import { feed } from "../../../src/client/api_feed.ts";
import { ApiSocket } from "../../../src/client/api_socket.ts";
import type { JsonObject } from "../../../src/kit/json.ts";

/** A server of which the test sees each frame, and sends what it wants. */
function serve() {
  const frames: JsonObject[] = [];
  let socket: WebSocket | null = null;
  let wake = (): void => {};
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => {
      const upgrade = Deno.upgradeWebSocket(request);
      socket = upgrade.socket;
      socket.onmessage = ({ data }) => {
        frames.push(JSON.parse(data));
        wake();
      };
      return upgrade.response;
    },
  );
  return {
    url: new URL(`ws://127.0.0.1:${server.addr.port}/`),
    send: (frame: JsonObject) => socket!.send(JSON.stringify(frame)),
    drop: () => socket!.close(),
    next: async (): Promise<JsonObject> => {
      while (frames.length === 0) {
        await new Promise<void>((resolve) => wake = resolve);
      }
      return frames.shift()!;
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("feed() lets go when its reader is far behind, and goes on behind the last that it took", async () => {
  await using server = serve();
  const ended = new AbortController();
  let socket: ApiSocket | null = null;
  const pushes = feed({
    params: { to: "events", since: "5m", tasks: ["a"] },
    signal: ended.signal,
    connection: async () => {
      if (socket?.isOpen) return socket;
      socket = await ApiSocket.open(server.url, ended.signal);
      return socket;
    },
  });
  const first = pushes.next();
  const asked = await server.next();
  const params = { to: "events", since: "5m", tasks: ["a"] };
  assert.deepEqual(asked["params"], params);
  const begin = (id: JsonObject[string], subscription: number): void =>
    server.send({ id: id!, ok: true, subscription, cursor: "0" });
  const push = (subscription: number, seq: number): void =>
    server.send({
      type: "event",
      subscription,
      cursor: String(seq),
      data: "x".repeat(1024 * 1024),
    });
  begin(asked["id"]!, 1);
  for (let seq = 1; seq <= 8; seq++) push(1, seq);
  // The first one is read, nothing after it until the client has had enough.
  const seqs = [Number((await first).value!["cursor"])];
  const letGo = await server.next();
  assert.deepEqual(letGo["params"], { subscription: 1 });
  const rest = (async () => {
    for await (const { cursor } of pushes) seqs.push(Number(cursor));
  })();
  const again = await server.next();
  const { cursor, since, tasks } = again["params"] as JsonObject;
  assert.equal(since, undefined, "the cursor says where to begin");
  assert.deepEqual(tasks, ["a"]);
  const taken = Number(cursor);
  assert.ok(taken >= 4 && taken < 8, `up to ${taken}`);
  begin(again["id"]!, 2);
  for (let seq = taken + 1; seq <= 8; seq++) push(2, seq);
  // The connection ends; what was given out does not come again.
  server.send({ type: "event", subscription: 2, cursor: "9", data: "" });
  server.drop();
  const third = await server.next();
  assert.equal((third["params"] as JsonObject)["cursor"], "9");
  server.send({ id: third["id"]!, ok: true, subscription: 1, cursor: "9" });
  server.send({ type: "end", subscription: 1, ok: true });
  await rest;
  assert.deepEqual(seqs, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  socket!.close();
});
