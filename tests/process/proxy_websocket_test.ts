/**
 * WebSockets and other upgrades through the proxy, byte by byte, over real sockets.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { HostName } from "../../src/domain/host_name.ts";
import type { Clock } from "../../src/kit/clock.ts";
import type { Refusal, Route, Router } from "../../src/proxy/router.ts";
import { type TestProxy, testProxy } from "../support/test_proxy.ts";
import { until } from "../support/until.ts";
import {
  BINARY,
  CLOSE,
  frameBytes,
  PING,
  PONG,
  TEXT,
  Wire,
} from "../support/wire.ts";

const NAME = "web.shop.localhost";
const ACCEPTED =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nconnection: Upgrade\r\n" +
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
const MANY = 200;
const MESSAGES = 64;
const MEGABYTE = 1024 * 1024;

/** Leads every name to one port. */
class OneTask implements Router {
  readonly tld = "localhost";
  /** Where to; a promise = the task is on its way up. */
  route: (host: HostName, signal: AbortSignal) => Promise<Route>;

  constructor(port: number, addresses: readonly string[] = ["127.0.0.1"]) {
    this.route = () =>
      Promise.resolve({
        kind: "upstream",
        port,
        addresses,
        projectId: "shop",
        name: "web",
        key: "run-1",
      });
  }

  knows(projectId: string): boolean {
    return projectId === "shop";
  }

  find(
    name: HostName,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Route> {
    return this.route(name, signal);
  }

  failed(_upstream: unknown, error: Error): Refusal {
    return refusal(502, `web fails: ${error.message}`);
  }
}

function refusal(status: 502 | 503, message: string): Refusal {
  return {
    kind: "refusal",
    status,
    code: "not_running",
    message,
    projectId: "shop",
    task: "web",
    state: "stopped",
    hint: "taskmux start web",
    isTransient: false,
  };
}

/** Each wait is over at once, and takes as long as the test says. */
class FastTime implements Clock {
  stepMs = 0;
  #atMs = 0;

  now(): number {
    return this.#atMs;
  }

  monotonic(): number {
    return this.#atMs;
  }

  async sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    // Lets everything else have its turn.
    await Deno.lstat("/");
    signal?.throwIfAborted();
    this.#atMs += this.stepMs;
  }
}

/** A task of the test: takes one connection after the other. */
class Task implements Disposable {
  readonly #listener: Deno.TcpListener;

  constructor(hostname = "127.0.0.1") {
    this.#listener = Deno.listen({ hostname, port: 0 });
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async accept(): Promise<Wire> {
    const conn = await this.#listener.accept();
    conn.setNoDelay(true);
    return new Wire(conn);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

function handshake(
  fields: readonly string[] = [],
  first = "GET /hmr?a=%2F",
): string {
  return [
    `${first} HTTP/1.1`,
    `Host: ${NAME}:8443`,
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    ...fields,
    "",
    "",
  ].join("\r\n");
}

/** A proxy with an open tunnel. */
interface Tunnel {
  readonly client: Wire;
  readonly server: Wire;
}

async function openTunnel(proxy: TestProxy, task: Task): Promise<Tunnel> {
  const client = await proxy.connect(NAME);
  await client.write(handshake());
  const server = await task.accept();
  await server.readHead();
  await server.write(`${ACCEPTED}\r\n`);
  await client.readHead();
  return { client, server };
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

function closeFrame(code: number, isMasked: boolean): Uint8Array {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return frameBytes({ opcode: CLOSE, payload, isMasked });
}

async function closeCode(wire: Wire): Promise<number> {
  const frame = await wire.readFrame();
  assert.equal(frame?.opcode, CLOSE);
  return Buffer.from(frame.payload).readUInt16BE();
}

Deno.test("the handshake reaches the task as it was sent, and the answer the client", async () => {
  using task = new Task();
  await using proxy = await testProxy(new OneTask(task.port));
  using client = await proxy.connect(NAME);
  const own = [
    `Origin: https://${NAME}:8443`,
    "Cookie: a=1; b=\xe9",
    "Cookie: c=3",
    "sec-websocket-protocol: vite-hmr, b",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "X-Forwarded-For: 192.0.2.7",
    "X-Forwarded-Proto: http",
    "TE: trailers",
  ];
  await client.write(handshake(own));
  using server = await task.accept();
  assert.deepEqual((await server.readHead()).split("\r\n"), [
    "GET /hmr?a=%2F HTTP/1.1",
    `Host: ${NAME}:8443`,
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    ...own.slice(0, 5),
    "X-Forwarded-For: 192.0.2.7, 127.0.0.1",
    "X-Forwarded-Proto: http",
    `X-Forwarded-Host: ${NAME}:8443`,
    "X-Forwarded-Port: 8443",
    `Forwarded: for=127.0.0.1;host="${NAME}:8443";proto=https`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "",
    "",
  ]);
  const answer = `${ACCEPTED}Sec-WebSocket-Protocol: b\r\nX-Name: \xe9\r\n` +
    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
  // A hint before it, and the first frame together with it.
  const hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  await server.write(
    Buffer.concat([
      Buffer.from(hint + answer, "latin1"),
      frameBytes({ payload: bytes("first"), rsv1: true }),
    ]),
  );
  assert.equal(await client.readHead(), hint);
  assert.equal(await client.readHead(), answer);
  const { payload, rsv1 } = (await client.readFrame())!;
  assert.deepEqual([Buffer.from(payload).toString(), rsv1], ["first", true]);
});

Deno.test("frames of every kind, pings and close codes pass both ways", async () => {
  using task = new Task();
  await using proxy = await testProxy(new OneTask(task.port));
  const parts = [
    { opcode: TEXT, payload: bytes("text"), fin: true },
    { opcode: BINARY, payload: new Uint8Array([0, 255, 128]), fin: true },
    { opcode: TEXT, payload: bytes("frag"), fin: false },
    { opcode: PING, payload: bytes("between"), fin: true },
    { opcode: 0, payload: bytes("ments"), fin: true },
    { opcode: PONG, payload: new Uint8Array(), fin: true },
    { opcode: BINARY, payload: new Uint8Array(70_000).fill(7), fin: true },
  ];
  for (const isFromClient of [true, false]) {
    const tunnel = await openTunnel(proxy, task);
    using client = tunnel.client;
    using server = tunnel.server;
    const [from, to] = isFromClient ? [client, server] : [server, client];
    for (const part of parts) {
      await from.sendFrame({ ...part, isMasked: isFromClient });
      const { rsv1, isMasked, payload, ...rest } = (await to.readFrame())!;
      assert.deepEqual([rsv1, isMasked], [false, isFromClient]);
      assert.deepEqual({ ...rest, payload: Uint8Array.from(payload) }, {
        ...part,
        payload: Uint8Array.from(part.payload),
      });
    }
    await from.write(closeFrame(isFromClient ? 4321 : 4001, isFromClient));
    assert.equal(await closeCode(to), isFromClient ? 4321 : 4001);
    await to.write(closeFrame(1000, !isFromClient));
    assert.equal(await closeCode(from), 1000);
    server[Symbol.dispose]();
    assert.equal(await client.readFrame(), null);
  }
});

Deno.test("an end that breaks off is broken off on the other side too", async () => {
  using task = new Task();
  await using proxy = await testProxy(new OneTask(task.port));
  for (const isClient of [true, false]) {
    const { client, server } = await openTunnel(proxy, task);
    const [breaking, other] = isClient ? [client, server] : [server, client];
    // What nobody has read makes the kernel reset the connection.
    await other.sendFrame({ payload: bytes("unread"), isMasked: !isClient });
    breaking[Symbol.dispose]();
    assert.equal(await other.readFrame(), null);
    other[Symbol.dispose]();
  }
});

Deno.test("the last words of a task that leaves at once arrive", async () => {
  using task = new Task();
  await using proxy = await testProxy(new OneTask(task.port));
  for (let round = 0; round < 20; round++) {
    using client = await proxy.connect(NAME);
    await client.write(handshake());
    const server = await task.accept();
    await server.readHead();
    await server.write(`${ACCEPTED}\r\n`);
    await server.sendFrame({ payload: bytes(`bye ${round}`) });
    await server.write(closeFrame(1001, false));
    server[Symbol.dispose]();
    await client.readHead();
    const { payload } = (await client.readFrame())!;
    assert.equal(Buffer.from(payload).toString(), `bye ${round}`);
    assert.equal(await closeCode(client), 1001);
    assert.equal(await client.readFrame(), null);
  }
});

Deno.test("what comes right behind the handshake is kept until the task is there", async () => {
  using task = new Task();
  const router = new OneTask(task.port);
  const find = router.route;
  const up = Promise.withResolvers<void>();
  let asked = 0;
  router.route = async (host, signal) => {
    asked++;
    await up.promise;
    return await find(host, signal);
  };
  await using proxy = await testProxy(router);
  using client = await proxy.connect(NAME);
  const head = handshake(["Content-Length: 4"], "POST /attach");
  await client.write(`${head}bodyframe`);
  await until(() => asked === 1);
  const more = "x".repeat(MEGABYTE);
  const sending = client.write(more);
  up.resolve();
  using server = await task.accept();
  await server.readHead();
  const got = await server.read(9 + MEGABYTE);
  assert.equal(Buffer.from(got!).toString(), `bodyframe${more}`);
  await sending;
});

Deno.test("a connection may change its protocol after some requests", async () => {
  using task = new Task();
  await using proxy = await testProxy(new OneTask(task.port));
  using client = await proxy.connect(NAME);
  for (const path of ["/one", "/two"]) {
    await client.write(`GET ${path} HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`);
    using server = await task.accept();
    assert.match(await server.readHead(), /^GET \/(?:one|two) /);
    await server.write(
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
    );
    await client.readHead();
    assert.equal(Buffer.from((await client.read(2))!).toString(), "ok");
  }
  await client.write(handshake());
  using server = await task.accept();
  await server.readHead();
  await server.write(`${ACCEPTED}\r\n`);
  assert.equal(await client.readHead(), `${ACCEPTED}\r\n`);
  await client.sendFrame({ payload: bytes("hello"), isMasked: true });
  assert.equal((await server.readFrame())!.payload.length, 5);
});

Deno.test("a client that gives up while its task starts is forgotten", async () => {
  const router = new OneTask(1);
  const asked = Promise.withResolvers<AbortSignal>();
  router.route = (_host, signal) => {
    asked.resolve(signal);
    const { promise, reject } = Promise.withResolvers<Route>();
    signal.addEventListener("abort", () => reject(signal.reason));
    return promise;
  };
  await using proxy = await testProxy(router);
  const client = await proxy.connect(NAME);
  await client.write(handshake());
  const signal = await asked.promise;
  client[Symbol.dispose]();
  await until(() => signal.aborted);
});

Deno.test("an answer that refuses the upgrade is passed on, and ends the connection", async () => {
  using task = new Task();
  await using proxy = await testProxy(new OneTask(task.port));
  const cases = [
    ["Content-Length: 5\r\nKeep-Alive: timeout=5", "nope!", "nope!"],
    ["Transfer-Encoding: chunked", "2\r\nno\r\n0\r\n\r\n", null],
  ] as const;
  for (const [field, body, whole] of cases) {
    using client = await proxy.connect(NAME);
    await client.write(handshake());
    using server = await task.accept();
    await server.readHead();
    await server.write(
      `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n${field}\r\nConnection: keep-alive\r\n\r\n`,
    );
    assert.equal(
      await client.readHead(),
      `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n${
        field.split("\r\n")[0]
      }\r\nConnection: close\r\n\r\n`,
    );
    await server.write(body);
    // Where the length is known nobody has to end the connection first.
    if (whole === null) server[Symbol.dispose]();
    assert.equal(await client.readAll(), body);
  }
});

Deno.test("a task that is away, falls silent or talks nonsense is an error before 101", async () => {
  using task = new Task();
  const dead = new Task();
  const deadPort = dead.port;
  dead[Symbol.dispose]();
  const router = new OneTask(task.port);
  const alive = router.route;
  await using proxy = await testProxy(router);
  const ask = async (answer: string | null): Promise<string> => {
    using client = await proxy.connect(NAME);
    // More than is kept of it, so that somebody has to read the rest.
    const sending = client.write(handshake() + "x".repeat(4 * MEGABYTE));
    if (answer !== null) {
      using server = await task.accept();
      await server.readHead();
      await server.write(answer);
    }
    const got = await client.readAll();
    await sending;
    return got;
  };
  router.route = new OneTask(deadPort, ["127.0.0.1", "::1"]).route;
  assert.match(
    await ask(null),
    /^HTTP\/1\.1 502 Bad Gateway\r\n[^]*ECONNREFUSED/,
  );
  router.route = () => Promise.resolve(refusal(503, "web is stopped"));
  const stopped = await ask(null);
  assert.match(stopped, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
  assert.match(stopped, /web is stopped\ntype: taskmux start web\n$/);
  router.route = alive;
  assert.match(await ask(""), /^HTTP\/1\.1 502 [^]*without an answer/);
  assert.match(await ask("SSH-2.0-x\r\n\r\n"), /^HTTP\/1\.1 502 [^]*not HTTP/);
  const long = `HTTP/1.1 101 X\r\nA: ${"a".repeat(70_000)}`;
  assert.match(await ask(long), /^HTTP\/1\.1 502 [^]*longer than 65536/);
});

Deno.test("only names of ours, asked for once, lead anywhere", async () => {
  const router = new OneTask(1);
  router.route = () => Promise.reject(new Error("asked"));
  await using proxy = await testProxy(router);
  const heads = [
    handshake().replace(NAME, "evil.test"),
    handshake().replace(NAME, "127.0.0.1"),
    handshake([`Host: ${NAME}`]),
    handshake(["Transfer-Encoding: chunked"]),
  ];
  for (const head of heads) {
    using client = await proxy.connect(NAME);
    await client.write(head);
    assert.match(await client.readAll(), /^HTTP\/1\.1 400 Bad Request\r\n/);
  }
  using client = await proxy.connect(NAME);
  await client.write(
    `CONNECT ${NAME}:443 HTTP/1.1\r\nHost: ${NAME}:443\r\n\r\n`,
  );
  assert.match(
    await client.readAll(),
    /^HTTP\/1\.1 501 Not Implemented\r\n/,
  );
});

Deno.test("protocols other than WebSocket pass, HTTP/2 does not", async () => {
  using task = new Task("::1");
  const router = new OneTask(task.port, ["127.0.0.1", "::1"]);
  await using proxy = await testProxy(router);
  using client = await proxy.connect(NAME);
  await client.write(
    `GET / HTTP/1.1\r\nHost: ${NAME}\r\nConnection: upgrade\r\nUpgrade: h2c, foo/2\r\n\r\n`,
  );
  using server = await task.accept();
  assert.match(
    await server.readHead(),
    /\r\nConnection: Upgrade\r\nUpgrade: foo\/2\r\n\r\n$/,
  );
  await server.write("HTTP/1.1 101 Go\r\nUpgrade: foo/2\r\n\r\n");
  await client.readHead();
  await client.write("\0\xff");
  assert.deepEqual([...(await server.read(2))!], [0, 255]);

  using plain = await proxy.connect(NAME);
  await plain.write(
    `GET /page HTTP/1.1\r\nHost: ${NAME}\r\nConnection: Upgrade, HTTP2-Settings\r\n` +
      "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nAccept: a/b\r\n\r\n",
  );
  using other = await task.accept();
  const head = await other.readHead();
  assert.match(
    head,
    /^GET \/page HTTP\/1\.1\r\n[^]*\r\nConnection: close\r\n\r\n$/,
  );
  assert.match(head, /\r\nAccept: a\/b\r\n/);
  assert.doesNotMatch(head, /upgrade|http2/i);
  await other.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  assert.match(await plain.readAll(), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/);
});

Deno.test("HTTP/2 clients are not offered WebSockets over their connection", async () => {
  await using proxy = await testProxy(new OneTask(1));
  using client = await proxy.connect(NAME, ["h2"]);
  await client.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
  const head = Buffer.from((await client.read(9))!);
  assert.equal(head[3], 4, "SETTINGS comes first");
  const settings = Buffer.from((await client.read(head.readUIntBE(0, 3)))!);
  const ids: number[] = [];
  for (let at = 0; at < settings.length; at += 6) {
    ids.push(settings.readUInt16BE(at));
  }
  // RFC 8441 §3: SETTINGS_ENABLE_CONNECT_PROTOCOL.
  assert(!ids.includes(8), String(ids));
});

Deno.test(`${MANY} tunnels at once do not mix`, async () => {
  using task = new Task();
  await using proxy = await testProxy(new OneTask(task.port));
  const echo = async (server: Wire): Promise<void> => {
    using _closed = server;
    await server.readHead();
    await server.write(`${ACCEPTED}\r\n`);
    for (let frame; (frame = await server.readFrame()) !== null;) {
      await server.sendFrame({ ...frame, isMasked: false });
    }
  };
  const serving = async (): Promise<void> => {
    const echoes: Promise<void>[] = [];
    while (echoes.length < MANY) echoes.push(echo(await task.accept()));
    await Promise.all(echoes);
  };
  const served = serving();
  const clients = Array.from({ length: MANY }, async (_, index) => {
    using client = await proxy.connect(NAME);
    await client.write(handshake());
    await client.readHead();
    for (let round = 0; round < 3; round++) {
      const text = `client ${index} round ${round}`;
      await client.sendFrame({ payload: bytes(text), isMasked: true });
      const { payload } = (await client.readFrame())!;
      assert.equal(Buffer.from(payload).toString(), text);
    }
  });
  await Promise.all(clients);
  await served;
});

Deno.test("a message of 16 MB comes through", async () => {
  using task = new Task();
  await using proxy = await testProxy(new OneTask(task.port));
  const tunnel = await openTunnel(proxy, task);
  using client = tunnel.client;
  using server = tunnel.server;
  const part = crypto.getRandomValues(new Uint8Array(65_536));
  const message = Buffer.concat(Array<Uint8Array>(256).fill(part));
  const sending = client.sendFrame({ opcode: BINARY, payload: message });
  const frame = await server.readFrame();
  await sending;
  assert(message.equals(frame!.payload));
});

for (const isFromClient of [true, false]) {
  const side = isFromClient ? "task" : "client";
  Deno.test(`a ${side} that does not read stops the other end`, async () => {
    using task = new Task();
    await using proxy = await testProxy(new OneTask(task.port));
    const { client, server } = await openTunnel(proxy, task);
    using from = isFromClient ? client : server;
    using to = isFromClient ? server : client;
    const other = await openTunnel(proxy, task);
    using asking = other.client;
    using answering = other.server;

    const payload = new Uint8Array(MEGABYTE).fill(1);
    let sent = 0;
    const flood = async (): Promise<void> => {
      for (; sent < MESSAGES; sent++) {
        await from.sendFrame({ opcode: BINARY, payload });
      }
    };
    const flooding = flood();
    // Other tunnels go on meanwhile; a hundred round trips without a step forward mean that the sender waits.
    let before = -1;
    await until(async () => {
      if (sent === before) return true;
      before = sent;
      for (let round = 0; round < 100; round++) {
        await asking.sendFrame({ payload: bytes("ping"), isMasked: true });
        await answering.sendFrame((await answering.readFrame())!);
        await asking.readFrame();
      }
      return false;
    });
    assert(sent < MESSAGES / 2, `${sent} of ${MESSAGES} MB were taken`);
    for (let at = 0; at < MESSAGES; at++) {
      assert.equal((await to.readFrame())!.payload.length, MEGABYTE);
    }
    await flooding;
  });
}

Deno.test("a silent tunnel outlives every other silent connection", async () => {
  using task = new Task();
  const time = new FastTime();
  await using proxy = await testProxy(new OneTask(task.port), { clock: time });
  const tunnel = await openTunnel(proxy, task);
  using client = tunnel.client;
  using server = tunnel.server;
  using silent = await proxy.connect(NAME);
  time.stepMs = 60_000;
  assert.equal(await silent.readAll(), "");
  await client.sendFrame({ payload: bytes("still there"), isMasked: true });
  const { payload } = (await server.readFrame())!;
  assert.equal(Buffer.from(payload).toString(), "still there");
});

Deno.test("tunnels end with the proxy, and there is a limit to them", async () => {
  using task = new Task();
  const { client, server } = await (async () => {
    await using proxy = await testProxy(new OneTask(task.port));
    return await openTunnel(proxy, task);
  })();
  assert.equal(await client.readFrame(), null);
  assert.equal(await server.readFrame(), null);
  client[Symbol.dispose]();
  server[Symbol.dispose]();

  await using proxy = await testProxy(new OneTask(task.port), {
    maxTunnels: 1,
  });
  const first = await openTunnel(proxy, task);
  using refused = await proxy.connect(NAME);
  await refused.write(handshake());
  assert.match(await refused.readAll(), /^HTTP\/1\.1 503 [^]*1 are open\n$/);
  first.client[Symbol.dispose]();
  assert.equal(await first.server.readFrame(), null);
  first.server[Symbol.dispose]();
  const next = await openTunnel(proxy, task);
  next.client[Symbol.dispose]();
  next.server[Symbol.dispose]();
});
