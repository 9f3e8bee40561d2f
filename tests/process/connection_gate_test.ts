import assert from "node:assert/strict";
import { systemClock } from "../../src/kit/clock.ts";
import {
  ConnectionGate,
  type GateEnds,
  type GateLimits,
} from "../../src/transports/connection_gate.ts";
import { sendRaw } from "../support/raw_http.ts";
import { tempHome } from "../support/temp_home.ts";
import { until } from "../support/until.ts";

const LIMITS: GateLimits = {
  connections: 4,
  headMs: 60_000,
  headBytes: 1_024,
  idleMs: 60_000,
};

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/** A gate before a server that upgrades who asks for it, and else says the length of the body. */
async function openGate(
  stack: AsyncDisposableStack,
  limits: Partial<GateLimits> = {},
  admits: (ends: GateEnds) => Promise<boolean> = () => Promise.resolve(true),
): Promise<ConnectionGate> {
  const home = stack.use(await tempHome());
  const path = `${home.root}/http.sock`;
  const server = Deno.serve({ path, onListen: () => {} }, async (request) => {
    if (request.headers.get("upgrade") !== "websocket") {
      return new Response(String((await request.arrayBuffer()).byteLength));
    }
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  });
  stack.defer(() => server.shutdown());
  return stack.use(
    new ConnectionGate({
      port: 0,
      clock: systemClock,
      forward: () => Deno.connect({ transport: "unix", path }),
      admits,
      limits: { ...LIMITS, ...limits },
    }),
  );
}

async function dial(
  gate: ConnectionGate,
  words = "",
): Promise<Deno.TcpConn> {
  const { port } = gate.addr;
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  if (words !== "") await conn.write(new TextEncoder().encode(words));
  return conn;
}

/** Whether the other side hung up without a word. */
async function isClosed(conn: Deno.Conn): Promise<boolean> {
  return await conn.read(new Uint8Array(1)).catch(() => null) === null;
}

Deno.test("requests, bodies and WebSockets pass", async () => {
  await using stack = new AsyncDisposableStack();
  const gate = await openGate(stack);
  const { port } = gate.addr;
  const url = `http://127.0.0.1:${port}/`;
  const body = new Uint8Array(5_000_000);
  for (let n = 0; n < 3; n++) {
    const response = await fetch(url, { method: "POST", body });
    assert.equal(await response.text(), String(body.length));
  }
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  const echoed = Promise.withResolvers<string>();
  const closed = Promise.withResolvers<void>();
  socket.onopen = () => socket.send("x".repeat(1_000_000));
  socket.onmessage = ({ data }) => echoed.resolve(data);
  socket.onclose = () => closed.resolve();
  assert.equal((await echoed.promise).length, 1_000_000);
  socket.close();
  await closed.promise;
});

Deno.test("a client that is done speaking still gets its answer", async () => {
  await using stack = new AsyncDisposableStack();
  const gate = await openGate(stack);
  using conn = await dial(gate, GET);
  await conn.closeWrite();
  const chunk = new Uint8Array(1_024);
  const count = await conn.read(chunk);
  assert(count !== null);
  assert.match(new TextDecoder().decode(chunk.subarray(0, count)), / 200 OK/);
});

Deno.test("one connection too many is turned away, and there is room when another ends", async () => {
  await using stack = new AsyncDisposableStack();
  const gate = await openGate(stack);
  const held = [];
  for (let n = 0; n < LIMITS.connections; n++) {
    held.push(stack.adopt(await dial(gate, "GET"), (conn) => conn.close()));
  }
  await until(() => gate.size === LIMITS.connections);
  using extra = await dial(gate);
  assert(await isClosed(extra));
  await held[0]!.closeWrite();
  await until(() => gate.size < LIMITS.connections);
  assert.equal((await sendRaw(gate.addr.port, GET)).status, 200);
});

Deno.test("who does not say a request in time is hung up on", async () => {
  await using stack = new AsyncDisposableStack();
  const gate = await openGate(stack, { headMs: 50 });
  for (const words of ["", "GET / HTT", "GET / HTTP/1.1\r\nHost: x\r\n"]) {
    using conn = await dial(gate, words);
    assert(await isClosed(conn), words);
  }
  await until(() => gate.size === 0);
});

Deno.test("who falls silent after a request is hung up on", async () => {
  await using stack = new AsyncDisposableStack();
  const gate = await openGate(stack, { idleMs: 50 });
  using conn = await dial(gate, GET);
  const chunk = new Uint8Array(1_024);
  let text = "";
  for (let count; (count = await conn.read(chunk).catch(() => null));) {
    text += new TextDecoder().decode(chunk.subarray(0, count));
  }
  assert.match(text, / 200 OK/);
});

Deno.test("what is no request is told so", async () => {
  await using stack = new AsyncDisposableStack();
  const { port } = (await openGate(stack)).addr;
  const check = async (words: string, status: number): Promise<void> =>
    assert.equal((await sendRaw(port, words)).status, status, words);
  await check("nonsense\r\n", 400);
  await check("GET http://x/ HTTP/1.1\r\n\r\n", 400);
  await check("GET / HTTP/2.0\r\n\r\n", 400);
  await check("get / HTTP/1.1\r\n\r\n", 400);
  await check(`GET / HTTP/1.1\r\nX: ${"x".repeat(2_000)}`, 431);
  await check("x".repeat(2_000), 431);
});

Deno.test("a server that is not there costs one connection at a time, not the gate", async () => {
  await using stack = new AsyncDisposableStack();
  const home = stack.use(await tempHome());
  const gate = stack.use(
    new ConnectionGate({
      port: 0,
      clock: systemClock,
      forward: () =>
        Deno.connect({ transport: "unix", path: `${home.root}/none` }),
    }),
  );
  for (let n = 0; n < 3; n++) {
    assert.equal((await sendRaw(gate.addr.port, GET)).status, null);
  }
  await until(() => gate.size === 0);
});

Deno.test("closing ends what is open at once", async () => {
  await using stack = new AsyncDisposableStack();
  const gate = await openGate(stack);
  using half = await dial(gate, "GET");
  using whole = await dial(gate, GET);
  await until(() => gate.size === 2);
  await gate[Symbol.asyncDispose]();
  assert(await isClosed(half));
  await whole.read(new Uint8Array(1_024)).catch(() => null);
});

Deno.test("who may not ask is told so, and takes nobody's place", async () => {
  await using stack = new AsyncDisposableStack();
  const asked: GateEnds[] = [];
  const gate = await openGate(stack, {}, (ends) => {
    asked.push(ends);
    return Promise.resolve(asked.length > 40);
  });
  const { port } = gate.addr;
  const answer = await sendRaw(port, GET);
  assert.equal(answer.status, 403);
  assert.match(answer.text, /forbidden_user/);
  const { client, server } = asked[0]!;
  assert.equal(client.address, "127.0.0.1");
  assert.deepEqual(server, { address: "127.0.0.1", port });
  // More than there is room for, none of which says a word.
  for (let n = asked.length; n < 40; n++) {
    stack.adopt(await dial(gate), (conn) => conn.close());
    await until(() => asked.length === n + 1);
  }
  assert.equal((await sendRaw(port, GET)).status, 200);
});

Deno.test("where there is room for more, more are let in, and that is asked once", async () => {
  await using stack = new AsyncDisposableStack();
  let asked = 0;
  const gate = stack.use(
    new ConnectionGate({
      port: 0,
      clock: systemClock,
      forward: () => Promise.reject(new Error("nobody asks")),
      moreConnections: () => Promise.resolve(++asked * 6),
      limits: LIMITS,
    }),
  );
  const held = async (count: number): Promise<void> => {
    while (gate.size < count) {
      const size = gate.size;
      stack.adopt(await dial(gate), (conn) => conn.close());
      await until(() => gate.size === size + 1);
    }
  };
  await held(LIMITS.connections);
  assert.equal(asked, 0);
  await held(6);
  for (let n = 0; n < 2; n++) {
    using extra = await dial(gate);
    assert(await isClosed(extra));
  }
  assert.equal(asked, 1);
});

Deno.test("both addresses of localhost lead to the gate", async () => {
  await using stack = new AsyncDisposableStack();
  const gate = await openGate(stack);
  assert(gate.hasIpv6);
  for (const host of ["127.0.0.1", "[::1]", "localhost"]) {
    const response = await fetch(`http://${host}:${gate.addr.port}/`);
    assert.equal(await response.text(), "0", host);
  }
});

Deno.test("a stranger on the other address of localhost is no reason not to open", async () => {
  await using stack = new AsyncDisposableStack();
  using stranger = Deno.listen({ hostname: "::1", port: 0 });
  const { port } = stranger.addr;
  const gate = stack.use(
    new ConnectionGate({
      port,
      clock: systemClock,
      forward: () => Promise.reject(new Error("nobody asks")),
    }),
  );
  assert(!gate.hasIpv6);
  assert.equal(gate.addr.port, port);
});
