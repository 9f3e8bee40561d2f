/**
 * A task becomes public: what is asked at the edge reaches it, and nothing does any more once it is closed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FakeEdge } from "../support/fake_edge.ts";
import { PublicSocket } from "../support/public_socket.ts";
import {
  PUBLIC_SERVER,
  TunnelledProject,
  tunnelledTaskmux,
} from "../support/tunnelled.ts";

const SHOP = `name = "shop"
[tasks.web]
host = "web"
command = "${PUBLIC_SERVER}"
`;

Deno.test("a task is public from up to down", async () => {
  await using edge = await FakeEdge.open();
  await using of = await tunnelledTaskmux({ edge });
  const shop = await TunnelledProject.start(of, SHOP);

  const opened = await shop.up({ task: "web" });
  assert.equal(opened.action, "opened");
  assert.equal(opened.tunnel.state, "open");
  assert.match(
    opened.public_url,
    /^https:\/\/fake-[a-z-]+\.trycloudflare\.com$/,
  );
  const { host } = new URL(opened.public_url);

  const told = await shop.told(`${opened.public_url}/a/b?c`, {
    method: "POST",
    body: "hello",
  });
  assert.equal(told.task, "web");
  assert.equal(told.method, "POST");
  assert.equal(told.path, "/a/b");
  assert.equal(told.body, "hello");
  assert.match(told.headers["host"]!, /^web\.shop\.localhost(:\d+)?$/);
  assert.equal(told.headers["x-forwarded-host"], host);
  assert.equal(told.headers["x-forwarded-proto"], "https");
  assert.equal(told.headers["x-forwarded-for"], "203.0.113.7");

  using socket = await PublicSocket.open(edge, opened.public_url);
  assert.equal(await socket.ask("one"), "echo one");

  const again = await shop.up({ task: "web" });
  assert.equal(again.action, "noop");
  assert.equal(again.public_url, opened.public_url);

  const { closed } = await shop.down("web");
  assert.deepEqual(closed, ["web"]);
  await socket.closed;
  assert.equal((await shop.ask(opened.public_url)).status, 530);
  assert.deepEqual(await shop.events("web"), [
    "tunnel_opened",
    "tunnel_closed down",
  ]);
  assert.equal((await shop.tunnels()).size, 0);
});
