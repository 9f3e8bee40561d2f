/**
 * Every backend by the daemon: a task becomes public, its program may die, and nothing is left when it is closed.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { TunnelBackend } from "../../src/domain/tunnel.ts";
import { FakeCloudflare } from "../support/fake_cloudflare.ts";
import { readBelow } from "../support/files.ts";
import { PROXY_CONFIG } from "../support/taskmux.ts";
import {
  PUBLIC_SERVER,
  TunnelledProject,
  tunnelledTaskmux,
} from "../support/tunnelled.ts";
import { until } from "../support/until.ts";

const AUTHTOKEN = "2abcDEFghiJKLmnoPQRstuVWXyz_3kLMnOPqrSTuvWXyz12345";

/** What each is asked with: a task of the same name. */
const WISHES: Readonly<Partial<Record<TunnelBackend, object>>> = {
  "cloudflare": { hostname: "shop.example.com" },
  "cloudflare-quick": {},
  "tailscale": {},
  "ngrok": { hostname: "shop.ngrok.app" },
};

const BACKENDS = Object.keys(WISHES) as TunnelBackend[];

const TOML = [
  'name = "backends"',
  ...BACKENDS.map((name) =>
    `[tasks.${name}]\nhost = "${name}"\ncommand = "${PUBLIC_SERVER}"`
  ),
].join("\n");

Deno.test("each backend carries its task, comes back after its program died, and ends without a trace", async () => {
  await using cloudflare = await FakeCloudflare.open();
  const { edge } = cloudflare;
  const token = cloudflare.token();
  await using of = await tunnelledTaskmux({
    edge,
    programs: ["cloudflared", "ngrok", "tailscale"],
    env: {
      CLOUDFLARE_API_TOKEN: token.value,
      NGROK_AUTHTOKEN: AUTHTOKEN,
      TASKMUX_CLOUDFLARE_API: cloudflare.base,
    },
    hostConfig:
      `${PROXY_CONFIG}\n[tunnel.cloudflare]\naccount_id = "${cloudflare.account.id}"\n`,
  });
  const shop = await TunnelledProject.start(of, TOML);
  const addresses = new Map<string, string>();
  for (const backend of BACKENDS) {
    const opened = await shop.up({
      task: backend,
      backend,
      ...WISHES[backend],
    });
    addresses.set(backend, opened.public_url);
    const told = await shop.told(`${opened.public_url}/hello`);
    assert.equal(told.task, backend);
  }
  assert.equal(addresses.get("cloudflare"), "https://shop.example.com");
  assert.equal(addresses.get("ngrok"), "https://shop.ngrok.app");
  assert.match(
    addresses.get("tailscale")!,
    /^https:\/\/dev\.tail1234\.ts\.net/,
  );

  const before = new Set(edge.connectors);
  await edge.kill(1);
  await until(() =>
    edge.connectors.length === BACKENDS.length &&
    edge.connectors.every((connector) => !before.has(connector))
  );
  for (const backend of BACKENDS) {
    const row = await shop.when(backend, ({ state }) => state === "open");
    await until(async () => {
      const { status } = await shop.ask(`${row.public_url}/again`);
      return status === 203;
    }, { what: `${backend} to carry again` });
  }

  const secrets = [
    token.value,
    AUTHTOKEN,
    ...cloudflare.tunnels.map((tunnel) => cloudflare.world.runToken(tunnel)),
  ];
  const files = await filesWith(of.taskmux.home.home, secrets);
  // What cloudflared connects with lies in a file of its own; nothing else is kept.
  assert.deepEqual(
    files.map((path) =>
      path.replace(/^.*\//, "").replace(/-[0-9a-f-]{36}/, "")
    ),
    ["named-tunnel.token"],
  );

  const { closed } = await shop.down(...BACKENDS);
  assert.deepEqual([...closed].sort(), [...BACKENDS].sort());
  assert.equal(edge.connectors.length, 0);
  assert.deepEqual(await filesWith(of.taskmux.home.home, secrets), []);
  for (const address of addresses.values()) {
    assert.equal((await shop.ask(address)).status, 530);
  }
});

/** Files below a folder in which one of the texts is. */
async function filesWith(
  folder: string,
  texts: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  for await (const { path, text } of readBelow(folder)) {
    if (texts.some((secret) => text.includes(secret))) found.push(path);
  }
  return found;
}
