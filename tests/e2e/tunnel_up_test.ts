/**
 * A task becomes public: what is asked at the edge reaches it, and nothing does any more once it is closed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FakeEdge } from "../support/fake_edge.ts";
import { askPublic } from "../support/fake_edge/public_client.ts";
import { PublicSocket } from "../support/public_socket.ts";
import {
  PUBLIC_SERVER,
  TunnelledProject,
  type TunnelledTaskmux,
  tunnelledTaskmux,
} from "../support/tunnelled.ts";
import { testRepository } from "../support/worktrees.ts";

const SHOP = `name = "visited"
[hooks]
before_start = "echo start >> hooks"
after_stop = "echo stop >> hooks"
[tasks.web]
host = "web"
command = "${PUBLIC_SERVER}"
`;

const REPOSITORY = `name = "repo"
[tasks.db]
host = "db"
command = "${PUBLIC_SERVER}"
scope = "repo"
[tasks.web]
host = "web"
command = "${PUBLIC_SERVER}"
tunnel = "noop"
public_hostname = "web.example.com"
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
  assert.match(told.headers["host"]!, /^web\.visited\.localhost(:\d+)?$/);
  assert.equal(told.headers["x-forwarded-host"], host);
  assert.equal(told.headers["x-forwarded-proto"], "https");
  assert.equal(told.headers["x-forwarded-for"], "203.0.113.7");

  using socket = await PublicSocket.open(edge, opened.public_url);
  assert.equal(await socket.ask("one"), "echo one");

  const again = await shop.up({ task: "web" });
  assert.equal(again.action, "noop");
  assert.equal(again.public_url, opened.public_url);

  const hooks = await shop.project.lines("hooks");
  const { closed } = await shop.down("web");
  assert.deepEqual(closed, ["web"]);
  await socket.closed;
  assert.equal((await shop.ask(opened.public_url)).status, 530);
  assert.deepEqual(await shop.events("web"), [
    "tunnel_opened",
    "tunnel_closed down",
  ]);
  assert.equal((await shop.tunnels()).size, 0);
  // Hooks are about the user's tasks.
  assert.deepEqual(await shop.project.lines("hooks"), hooks);
  assert.deepEqual(hooks, ["start"]);
  await shared(of);
});

/** What worktrees share is public once, and has one name. */
async function shared(of: TunnelledTaskmux): Promise<void> {
  const { taskmux, edge } = of;
  const repository = await testRepository(taskmux, REPOSITORY);
  const tree = await repository.add("tree");
  await repository.main.ok(["start"]);
  await tree.ok(["start"]);
  const scope = { config: tree.config };
  const env = { ...taskmux.home.env };
  const { public_url, session } = await taskmux.call("tunnel.up", {
    scope,
    task: "db",
    env,
  });
  assert.equal(session, "repo");
  const { tunnels } = await taskmux.call("tunnel.status", { scope });
  assert.deepEqual(tunnels.map(({ task }) => task), ["db"]);
  const { text } = await askPublic(edge, public_url);
  assert.equal(JSON.parse(text).task, "db");
  await taskmux.call("tunnel.up", {
    scope: { config: repository.main.config },
    task: "web",
    env,
  });
  await assert.rejects(
    taskmux.call("tunnel.up", { scope, task: "web", env }),
    { code: "E742" },
  );
  // Of all only what is the worktree's own is closed; what is shared by its name.
  const all = await taskmux.call("tunnel.down", { scope });
  assert.deepEqual(all.closed, []);
  const { closed } = await taskmux.call("tunnel.down", {
    scope,
    tasks: ["db"],
  });
  assert.deepEqual(closed, ["db"]);
  assert.equal((await askPublic(edge, public_url)).status, 530);
}
