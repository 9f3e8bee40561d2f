/**
 * The programs of tunnels that stand in for the real ones really carry, and fail as the real ones do.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FakeCloudflare } from "../support/fake_cloudflare.ts";
import type { FakeTunnel } from "../support/fake_cloudflare/world.ts";
import { askPublic } from "../support/fake_edge/public_client.ts";
import { FakeEdge } from "../support/fake_edge.ts";
import {
  type FakeProgram,
  writeFakePrograms,
} from "../support/fake_programs.ts";
import { ProviderWorld } from "../support/provider_world.ts";
import { TunnelProgram } from "../support/tunnel_program.ts";
import { until } from "../support/until.ts";

/** A named tunnel of `api.example.com`, with its program to be started. */
class World implements AsyncDisposable {
  readonly cloudflare: FakeCloudflare;
  readonly tunnel: FakeTunnel;
  readonly #world: ProviderWorld;

  private constructor(cloudflare: FakeCloudflare, world: ProviderWorld) {
    this.cloudflare = cloudflare;
    this.#world = world;
    this.tunnel = cloudflare.addTunnel({ name: "shop" });
    cloudflare.addRecord({
      name: "api.example.com",
      content: `${this.tunnel.id}.cfargotunnel.com`,
    });
  }

  static async open(): Promise<World> {
    const cloudflare = await FakeCloudflare.open();
    const world = await ProviderWorld.make();
    await writeFakePrograms(`${world.root}/bin`, cloudflare.edge, {
      env: { FAKE_RETRY_MS: "5" },
    });
    return new World(cloudflare, world);
  }

  /** Has the tunnel lead to a port from now on. */
  async lead(port: number): Promise<void> {
    const answer = await this.api("PUT", "/configurations", {
      config: {
        ingress: [
          { hostname: "api.example.com", service: `http://127.0.0.1:${port}` },
          { service: "http_status:404" },
        ],
      },
    });
    assert.equal(answer, 200);
  }

  async api(method: string, path: string, body?: unknown): Promise<number> {
    const { base, account } = this.cloudflare;
    const answer = await fetch(
      `${base}/accounts/${account.id}/cfd_tunnel/${this.tunnel.id}${path}`,
      {
        method,
        headers: { authorization: `Bearer ${this.cloudflare.token().value}` },
        body: body === undefined ? null : JSON.stringify(body),
      },
    );
    await answer.body?.cancel();
    return answer.status;
  }

  start(): TunnelProgram {
    const token = this.cloudflare.world.runToken(this.tunnel);
    return TunnelProgram.start({
      name: "cloudflared",
      command: "exec cloudflared tunnel --metrics 127.0.0.1:$PORT run",
      env: { TUNNEL_TOKEN: token },
      healthUrl: "http://127.0.0.1:$PORT/ready",
      readyLog: null,
    }, this.#world.context);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cloudflare[Symbol.asyncDispose]();
    await this.#world[Symbol.asyncDispose]();
  }
}

async function readyStatus({ port }: TunnelProgram): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/ready`);
  const { status, readyConnections } = await answer.json();
  assert.equal(status, answer.status);
  assert.equal(readyConnections > 0, answer.ok);
  return answer.status;
}

Deno.test("what is streamed arrives as it comes, and WebSockets pass", async () => {
  const gate = Promise.withResolvers<void>();
  await using origin = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      if (request.headers.get("upgrade") === "websocket") {
        const { socket, response } = Deno.upgradeWebSocket(request);
        socket.onmessage = ({ data }) => socket.send(`${data} came`);
        return response;
      }
      return new Response(
        ReadableStream.from((async function* () {
          yield new TextEncoder().encode("first");
          await gate.promise;
          yield new TextEncoder().encode(", second");
        })()),
      );
    },
  );
  await using world = await World.open();
  await world.lead(origin.addr.port);
  await using program = world.start();
  await program.ready();
  const { edge } = world.cloudflare;
  {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: edge.port });
    await send(conn, "GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
    assert.match(await readUntil(conn, /first/), /^HTTP\/1\.1 200 /);
    gate.resolve();
    await readUntil(conn, /, second/);
  }
  {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: edge.port });
    await send(
      conn,
      "GET / HTTP/1.1\r\nHost: api.example.com\r\nUpgrade: websocket\r\n" +
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
        "\x81\x82\0\0\0\0it",
    );
    assert.match(await readUntil(conn, /it came/), /^HTTP\/1\.1 101 /);
  }
});

Deno.test("a named tunnel follows its rules, and tells when nobody is behind it", async () => {
  await using world = await World.open();
  await using program = world.start();
  await program.ready();
  const { edge } = world.cloudflare;
  const address = "https://api.example.com/";
  assert.equal((await askPublic(edge, address)).status, 503, "no rules yet");
  await using origin = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("here"),
  );
  await world.lead(origin.addr.port);
  await until(async () => (await askPublic(edge, address)).text === "here");
  world.cloudflare.addRecord({
    name: "other.example.com",
    content: `${world.tunnel.id}.cfargotunnel.com`,
  });
  const other = await askPublic(edge, "https://other.example.com/");
  assert.equal(other.status, 404, "the catch-all");
  await origin.shutdown();
  assert.equal((await askPublic(edge, address)).status, 502);
  await until(() =>
    program.lines.some((line) =>
      /ERR .*Unable to reach the origin service.*connection refused/.test(line)
    )
  );
});

Deno.test("a tunnel that loses its connections comes back, until it is gone", async () => {
  await using world = await World.open();
  const { cloudflare, tunnel } = world;
  await using program = world.start();
  await program.ready();
  assert.equal(tunnel.connections.length, 4);
  assert.equal(await world.api("DELETE", ""), 400, "it is in use");
  cloudflare.edge.pause();
  cloudflare.edge.drop();
  await until(async () => await readyStatus(program) === 503);
  assert.equal(tunnel.connections.length, 0);
  cloudflare.edge.resume();
  await until(async () => await readyStatus(program) === 200);
  cloudflare.edge.pause();
  cloudflare.edge.drop();
  await until(() => tunnel.connections.length === 0);
  assert.equal(await world.api("DELETE", ""), 200);
  cloudflare.edge.resume();
  assert.equal(await program.ended(), 1);
  const text = program.lines.join("\n");
  assert.match(
    text,
    /Register tunnel error .*"Unauthorized: Tunnel not found"/,
  );
  assert.match(text, /Retrying connection in up to 2s/);
});

Deno.test("a program ends as it is told to", async () => {
  await using world = await World.open();
  await using program = world.start();
  await program.ready();
  await world.cloudflare.edge.kill(7);
  assert.equal(await program.ended(), 7);
  await until(() => world.tunnel.connections.length === 0);
});

Deno.test("what a crash leaves behind is in the way of a deletion until it is cleaned up", async () => {
  await using world = await World.open();
  world.cloudflare.edge.lingers = true;
  {
    await using program = world.start();
    await program.ready();
  }
  await until(() => world.cloudflare.edge.connectors.length === 0);
  assert.equal(await world.api("DELETE", ""), 400);
  assert.equal(await world.api("DELETE", "/connections"), 200);
  assert.equal(await world.api("DELETE", ""), 200);
});

Deno.test("command lines are refused as the real programs refuse them", async () => {
  await using edge = await FakeEdge.open();
  await using world = await ProviderWorld.make();
  const folder = await writeFakePrograms(`${world.root}/bin`, edge, {
    programs: ["cloudflared", "ngrok", "tailscale"],
  });
  const table: [FakeProgram, string[], number, RegExp][] = [
    ["cloudflared", ["--version"], 0, /^cloudflared version 2025\./],
    ["cloudflared", ["tunnel", "--nope"], 0, /flag provided but not defined/],
    ["cloudflared", ["tunnel", "run", "--metrics", "x"], 0, /not defined: -m/],
    ["cloudflared", ["tunnel", "run"], 255, /requires the ID or name/],
    ["cloudflared", ["tunnel", "run", "--token", "x"], 255, /not valid/],
    ["ngrok", ["version"], 0, /^ngrok version 3\./],
    ["ngrok", ["config", "check"], 1, /no such file or directory/],
    ["ngrok", ["http", "--nope"], 1, /^ERROR: {2}unknown flag: --nope/],
    ["ngrok", ["http", "80"], 1, /ERR_NGROK_4018/],
    ["tailscale", ["version"], 0, /^1\.\d+\.\d+\n/],
    ["tailscale", ["funnel", "--nope"], 2, /flag provided but not defined/],
    ["tailscale", ["serve", "status", "--json"], 0, /^\{\}\n$/],
  ];
  const runs = table.map(async ([program, args, code, words]) => {
    const outcome = await new Deno.Command(`${folder}/${program}`, {
      args,
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin", HOME: world.root },
    }).output();
    const decoder = new TextDecoder();
    const told = decoder.decode(outcome.stdout) +
      decoder.decode(outcome.stderr);
    const line = [program, ...args].join(" ");
    assert.equal(outcome.code, code, line);
    assert.match(told, words, line);
  });
  await Promise.all(runs);
});

async function send(conn: Deno.Conn, text: string): Promise<void> {
  await conn.write(Uint8Array.from(text, (char) => char.charCodeAt(0)));
}

/** All that came until it matches. */
async function readUntil(conn: Deno.Conn, pattern: RegExp): Promise<string> {
  const chunk = new Uint8Array(4096);
  let text = "";
  while (!pattern.test(text)) {
    const count = await conn.read(chunk);
    assert.ok(count !== null, `it ended with: ${text}`);
    text += new TextDecoder("latin1").decode(chunk.subarray(0, count));
  }
  return text;
}
