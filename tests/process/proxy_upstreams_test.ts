/**
 * The proxy's connections to tasks.
 */

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import type { Upstream } from "../../src/proxy/router.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { UpstreamAgents } from "../../src/proxy/upstream_agents.ts";
import { Http2Client } from "../support/http2_client.ts";
import { freePort } from "../support/free_port.ts";
import {
  proxiedSockets,
  proxiedTask,
  routerTo,
  TASK_NAME,
} from "../support/proxied_task.ts";
import { testProxy } from "../support/test_proxy.ts";
import { until } from "../support/until.ts";

const MINUTE_MS = 60_000;
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function upstream(key: string): Upstream {
  return {
    kind: "upstream",
    port: 1,
    addresses: ["127.0.0.1", "::1"],
    projectId: "shop",
    name: "api",
    key,
  };
}

Deno.test("a task that listens on ::1 only is found, and asked there first from then on", async () => {
  await using task = await proxiedTask((_request, response) => {
    response.end("six");
  }, "::1");
  using client = new Http2Client(task.proxy);
  assert.equal((await client.ask()).body, "six");
  assert.equal((await client.ask({ ":method": "POST" })).body, "six");
  const agents = new UpstreamAgents(() => 0);
  using use = agents.use(upstream("run-1"));
  use.pool.prefer("::1");
  assert.deepEqual(use.pool.addresses, ["::1", "127.0.0.1"]);
  agents[Symbol.dispose]();
});

Deno.test("requests that can be repeated share a connection, others have one of their own", async () => {
  await using task = await proxiedTask((request, response) => {
    request.resume();
    response.end(request.headers.connection);
  });
  using client = new Http2Client(task.proxy);
  for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
    assert.equal((await client.ask({ ":method": method })).status, 200);
  }
  assert.equal(task.connections(), 1);
  assert.equal((await client.ask({ ":method": "POST" })).body, "close");
  assert.equal((await client.ask({ ":method": "PUT" }, "x")).body, "close");
  assert.equal((await client.ask()).body, "keep-alive");
  assert.equal(task.connections(), 3);
});

// The connection is closed exactly when the next request is on its way: what a server does that ends idle connections.
Deno.test("a kept connection that its task gives up loses no request", async () => {
  let given = 0;
  await using task = await proxiedSockets((socket: Socket) => {
    socket.once("data", () => {
      socket.write(OK);
      socket.once("data", () => {
        given += 1;
        socket.destroy();
      });
    });
  });
  using client = new Http2Client(task.proxy);
  for (let round = 0; round < 5; round++) {
    assert.equal((await client.ask()).body, "ok");
    assert.equal((await client.ask({ ":method": "POST" })).body, "ok");
  }
  assert(given > 0);
});

Deno.test("a request that fails over a new connection is not sent again", async () => {
  let requests = 0;
  await using task = await proxiedSockets((socket: Socket) => {
    socket.once("data", () => {
      requests += 1;
      socket.destroy();
    });
  });
  using client = new Http2Client(task.proxy);
  assert.equal((await client.ask()).status, 502);
  assert.equal(requests, 1);
});

Deno.test("clients in numbers and clients that misbehave are no errors of the proxy", async () => {
  await using task = await proxiedTask((_request, response) => response.end());
  const { port } = task.proxy;
  for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00\x01"]) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(new TextEncoder().encode(bytes));
    if (bytes.startsWith("GET")) {
      await until(async () =>
        await conn.read(new Uint8Array(64)).catch(() => null) === null
      );
    }
  }
  const wires = await Promise.all(
    Array.from({ length: 50 }, () => task.proxy.connect(TASK_NAME)),
  );
  for (const wire of wires) {
    await wire.write("GET / HTTP/1.1\r\n");
    wire[Symbol.dispose]();
  }
  using client = new Http2Client(task.proxy);
  assert.equal((await client.ask()).status, 200);
  assert.deepEqual(task.proxy.errors, []);
});

Deno.test("a task that nobody listens for is told by its error", async () => {
  await using proxy = await testProxy(routerTo({ port: freePort() }));
  using client = new Http2Client(proxy);
  const { status, body } = await client.ask();
  assert.equal(status, 502);
  assert.match(body, /ECONNREFUSED/);
});

Deno.test("connections of a listener that nobody asked for in a minute are forgotten", () => {
  let now = 0;
  const agents = new UpstreamAgents(() => now);
  const running = agents.use(upstream("run-1"));
  agents.use(upstream("run-2"))[Symbol.dispose]();
  agents.use(upstream("run-2"))[Symbol.dispose]();
  assert.equal(agents.size, 2);
  now += MINUTE_MS;
  agents.sweep();
  // One has a request under way.
  assert.equal(agents.size, 1);
  running[Symbol.dispose]();
  agents.sweep();
  assert.equal(agents.size, 1);
  now += MINUTE_MS;
  agents.sweep();
  assert.equal(agents.size, 0);
});

Deno.test("a connection that was idle for 4 s, or nearly as long as its server allows, is not used again", async () => {
  await using task = await proxiedTask((_request, response) => response.end());
  let now = 0;
  const clock = { ...systemClock, monotonic: () => now };
  await using proxy = await testProxy(routerTo(task), { clock });
  using client = new Http2Client(proxy);
  const connectionsAfter = async (idleMs: number): Promise<number> => {
    now += idleMs;
    assert.equal((await client.ask()).status, 200);
    return task.connections();
  };
  assert.equal(await connectionsAfter(0), 1);
  assert.equal(await connectionsAfter(3_999), 1);
  assert.equal(await connectionsAfter(4_000), 2);
  task.server.keepAliveTimeout = 3_000;
  assert.equal(await connectionsAfter(0), 2);
  assert.equal(await connectionsAfter(2_000), 3);
  await until(() => task.open() === 1);
});
