import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { cloudflareQuick } from "../../../src/tunnels/cloudflare_quick.ts";
import {
  ProviderWorld,
  running,
  target,
} from "../../support/provider_world.ts";

const SIGNAL = new AbortController().signal;

const FRAME = [
  "2026-11-21T10:00:00Z INF Requesting new quick Tunnel on trycloudflare.com...",
  "2026-11-21T10:00:02Z INF +-----------------------------------------------------+",
  "2026-11-21T10:00:02Z INF |  Your quick Tunnel has been created! Visit it at     |",
  "2026-11-21T10:00:02Z INF |  https://brave-tree-1234.trycloudflare.com           |",
  "2026-11-21T10:00:02Z INF +-----------------------------------------------------+",
];

Deno.test("the command of a quick tunnel passes by the user's own cloudflared settings", async () => {
  await using world = await ProviderWorld.make({
    TUNNEL_NAME: "mine",
    TUNNEL_TRANSPORT_PROTOCOL: "http2",
  });
  const settings = `${world.context.folder}/quick.yml`;
  deepEqual(await cloudflareQuick.open([target()], world.context, SIGNAL), {
    name: "tunnel-web",
    command: "exec env -u TUNNEL_NAME cloudflared tunnel --config " +
      `${settings} --no-autoupdate --metrics 127.0.0.1:$PORT ` +
      "--url http://127.0.0.1:4711",
    env: {},
    healthUrl: "http://127.0.0.1:$PORT/ready",
    readyLog: null,
  });
  equal(await Deno.readTextFile(settings), "{}\n");
});

Deno.test("a quick tunnel needs cloudflared only, and says what it cannot do", async () => {
  await using world = await ProviderWorld.make();
  await world.program("cloudflared", 'echo "cloudflared version 2025.9.1"');
  const checks = await cloudflareQuick.check([], world.context, SIGNAL);
  deepEqual(checks.map(({ name, ok }) => [name, ok]), [
    ["cloudflared_binary", true],
    ["quick_tunnel", true],
  ]);
  match(checks[1]?.detail ?? "", /no Server-Sent Events$/);
});

Deno.test("the address of a quick tunnel is what its metrics tell, as soon as there is one", async () => {
  await using world = await ProviderWorld.make();
  let asked = 0;
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) => {
      if (new URL(url).pathname !== "/quicktunnel") {
        return new Response("", { status: 404 });
      }
      const hostname = asked++ === 0 ? "" : "calm-sea.trycloudflare.com";
      return Response.json({ hostname });
    },
  );
  equal(
    await cloudflareQuick.addressOf(
      target(),
      running([], server.addr.port),
      world.context,
      SIGNAL,
    ),
    "https://calm-sea.trycloudflare.com",
  );
  equal(asked, 2);
});

Deno.test("an old cloudflared tells the address in its log only", async () => {
  await using world = await ProviderWorld.make();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("404 page not found", { status: 404 }),
  );
  equal(
    await cloudflareQuick.addressOf(
      target(),
      running(FRAME, server.addr.port),
      world.context,
      SIGNAL,
    ),
    "https://brave-tree-1234.trycloudflare.com",
  );
});

Deno.test("waiting for an address ends when nobody wants it any more", async () => {
  await using world = await ProviderWorld.make();
  const scope = new AbortController();
  const reason = new Error("enough");
  const address = cloudflareQuick.addressOf(
    target(),
    running(FRAME.slice(0, 3)),
    world.context,
    scope.signal,
  );
  scope.abort(reason);
  await rejects(address, reason);
});

Deno.test("what cloudflared says when it does not come up is explained", () => {
  const explained = [
    'ERR Error unmarshaling QuickTunnel response: error code: 1015 error="invalid character" status_code="429 Too Many Requests"',
    'failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": dial tcp: lookup api.trycloudflare.com',
    'ERR Failed to dial a quic connection error="failed to dial to edge with quic: timeout: no recent network activity"',
    "ERR Unable to establish connection with Cloudflare edge",
    'ERR Register tunnel error from server side error="Unauthorized: Tunnel not found" connIndex=0',
    "failed to parse quick Tunnel ID: invalid UUID length: 0",
  ].map((line) => cloudflareQuick.explain(line));
  match(explained[0] ?? "", /too many were asked for: wait/);
  match(explained[1] ?? "", /api\.trycloudflare\.com cannot be reached/);
  match(explained[2] ?? "", /TUNNEL_TRANSPORT_PROTOCOL=http2/);
  match(explained[3] ?? "", /port 7844/);
  match(explained[4] ?? "", /does not know this tunnel any more/);
  match(explained[5] ?? "", /gave no quick tunnel/);
  equal(cloudflareQuick.explain("INF Registered tunnel connection"), null);
});
