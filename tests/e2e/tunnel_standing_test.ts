/**
 * Tunnels that stand: they open with their task where this machine has agreed, and a file alone opens nothing.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FakeCloudflare } from "../support/fake_cloudflare.ts";
import type { TestProject } from "../support/project.ts";
import { PROXY_CONFIG, type Taskmux } from "../support/taskmux.ts";
import {
  PUBLIC_SERVER,
  TunnelledProject,
  tunnelledTaskmux,
} from "../support/tunnelled.ts";
import { until } from "../support/until.ts";

const SHOP = `name = "standing"
[tasks.web]
host = "web"
command = "${PUBLIC_SERVER}"
stop_grace_period = 1
tunnel = "cloudflare"
public_hostname = "web.example.com"
`;

const URL_OF_WEB = "https://web.example.com";

/** What the steps share. */
interface Scene {
  readonly cloudflare: FakeCloudflare;
  readonly taskmux: Taskmux;
  readonly shop: TunnelledProject;
  readonly project: TestProject;
}

async function fileAlone({ cloudflare, shop, project }: Scene): Promise<void> {
  const { tasks } = await project.status();
  assert.deepEqual(tasks.map(({ name }) => name), ["web"]);
  assert.equal(tasks[0]?.tunnel?.state, "off");
  assert.match(tasks[0]?.tunnel?.reason ?? "", /taskmux tunnel up web/);
  assert.equal((await shop.tunnels()).size, 0);
  assert.deepEqual(cloudflare.journal, []);
  assert.equal(cloudflare.edge.connectors.length, 0);
}

async function follows({ taskmux, shop, project }: Scene): Promise<void> {
  const enabled = await taskmux.call("tunnel.enable", {
    scope: { config: project.config },
    tasks: ["web"],
    env: { ...taskmux.home.env },
  });
  assert.equal(enabled.ok, true, enabled.error ?? "");
  await shop.when("web", ({ state }) => state === "open");
  assert.equal((await shop.told(URL_OF_WEB)).task, "web");
  await project.ok(["stop", "web"]);
  const waiting = await shop.when("web", ({ state }) => state === "waiting");
  assert.equal(waiting.public, false);
  await until(async () => (await shop.ask(URL_OF_WEB)).status === 530);
  await project.ok(["start", "web"]);
  await shop.when("web", ({ state }) => state === "open");
  assert.equal((await shop.told(URL_OF_WEB)).task, "web");
  assert.deepEqual(await shop.events("web"), [
    "tunnel_opened",
    "tunnel_closed task_stopped",
    "tunnel_opened",
  ]);
}

async function pauses({ shop, project }: Scene): Promise<void> {
  await shop.down("web");
  await project.ok(["restart", "web"]);
  const off = await shop.when("web", ({ state }) => state === "off");
  assert.match(off.reason ?? "", /taskmux tunnel up web/);
  assert.equal((await shop.ask(URL_OF_WEB)).status, 530);
  const { tunnel } = await shop.up({ task: "web" });
  assert.equal(tunnel.standing, true);
  assert.equal((await shop.told(URL_OF_WEB)).task, "web");
}

async function expires({ shop, project }: Scene): Promise<void> {
  await shop.up({ task: "web", expires: 1 });
  const off = await shop.when("web", ({ state }) => state === "off");
  assert.match(off.reason ?? "", /it has expired; "taskmux tunnel up web"/);
  // As if somebody had closed it: not even another time of day opens it again.
  await assert.rejects(shop.down("web"), /no open tunnel/);
  const { tunnel } = await shop.up({ task: "web" });
  assert.equal(tunnel.expires_at, null);
  assert.equal((await shop.told(URL_OF_WEB)).task, "web");
  assert.equal((await project.status()).tasks[0]?.tunnel?.state, "open");
}

async function obeysFile({ cloudflare, shop, project }: Scene): Promise<void> {
  const changes = cloudflare.records.length;
  await project.replace(SHOP.replace("web.example", "evil.example"));
  const off = await shop.when("web", ({ state }) => state === "off");
  assert.match(off.reason ?? "", /web\.example\.com/);
  await until(async () => (await shop.ask(URL_OF_WEB)).status === 530);
  assert.equal(cloudflare.records.length, changes);
  await project.replace(SHOP);
  await shop.when("web", ({ state }) => state === "open");
  await until(async () => (await shop.ask(URL_OF_WEB)).status === 203);
}

async function survives({ taskmux, shop, project }: Scene): Promise<void> {
  await taskmux.ok(["daemon", "stop"]);
  assert.equal((await shop.ask(URL_OF_WEB)).status, 530);
  await taskmux.ok(["daemon", "start"]);
  await shop.when("web", ({ state }) => state === "waiting");
  await project.ok(["start"]);
  await shop.when("web", ({ state }) => state === "open");
  assert.equal((await shop.told(URL_OF_WEB)).task, "web");
}

async function ends({ taskmux, shop, project }: Scene): Promise<void> {
  const disabled = await taskmux.call("tunnel.disable", {
    scope: { config: project.config },
    env: { ...taskmux.home.env },
  });
  assert.equal(disabled.ok, true);
  assert.equal((await shop.ask(URL_OF_WEB)).status, 530);
  await project.ok(["restart", "web"]);
  assert.equal((await shop.tunnels()).size, 0);
}

async function isOfItsOwner(
  { taskmux, shop, project }: Scene,
): Promise<void> {
  await project.replace(SHOP);
  await taskmux.call("tunnel.enable", {
    scope: { config: project.config },
    env: { ...taskmux.home.env },
  });
  await shop.when("web", ({ state }) => state === "open");
  await taskmux.ok(["daemon", "stop"]);
  await Deno.remove(project.config);
  // Its id is free, and goes to whoever comes with that name.
  const other = await taskmux.project(SHOP, "clone");
  await other.ok(["start"]);
  assert.equal((await other.status()).tasks[0]?.tunnel?.state, "off");
  assert.equal((await shop.tunnels()).size, 0);
  assert.equal((await shop.ask(URL_OF_WEB)).status, 530);
}

type Step = readonly [string, (scene: Scene) => Promise<void>];

/** In this order: each goes on from what the one before has left. */
const STEPS: readonly Step[] = [
  ["a file alone opens nothing", fileAlone],
  ["it follows its task", follows],
  ["down pauses it until up", pauses],
  ["its end pauses it until up, which has none", expires],
  ["another name in the file is none that was agreed to", obeysFile],
  ["it waits after a stop of the daemon", survives],
  ["disable ends it", ends],
  ["another file of that name has no consent", isOfItsOwner],
];

Deno.test("a tunnel that stands", async (t) => {
  await using cloudflare = await FakeCloudflare.open();
  await using of = await tunnelledTaskmux({
    edge: cloudflare.edge,
    env: {
      TASKMUX_CLOUDFLARE_API: cloudflare.base,
      CLOUDFLARE_API_TOKEN: cloudflare.token().value,
    },
    hostConfig:
      `${PROXY_CONFIG}[tunnel.cloudflare]\naccount_id = "${cloudflare.account.id}"\n`,
  });
  const { taskmux } = of;
  const shop = await TunnelledProject.start(of, SHOP);
  const scene: Scene = { cloudflare, taskmux, shop, project: shop.project };
  for (const [name, work] of STEPS) {
    assert(await t.step(name, () => work(scene)), name);
  }
});
