/**
 * One client alone must not use up what the daemon may have open: a process without descriptors ends.
 */

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Http2Client } from "../support/http2_client.ts";
import {
  proxiedSockets,
  proxiedTask,
  routerTo,
  TASK_NAME,
} from "../support/proxied_task.ts";
import { readAnswer } from "../support/raw_answer.ts";
import { testProxy } from "../support/test_proxy.ts";
import { until } from "../support/until.ts";

const GET = `GET / HTTP/1.1\r\nHost: ${TASK_NAME}\r\n\r\n`;

const CLOSES = { connection: "close" };

Deno.test("one connection has at most 256 requests under way", async () => {
  await using task = await proxiedTask(() => {});
  {
    using http2 = new Http2Client(task.proxy);
    for (let index = 0; index < 300; index++) {
      http2.open().on("error", () => {});
    }
    await until(() => task.open() === 256);
    // What comes later does so behind all that was sent before.
    assert.equal(await pinged(http2), true);
    assert.equal(task.open(), 256);
  }
  await until(() => task.open() === 0);
  using wire = await task.proxy.connect(TASK_NAME);
  await wire.write(GET.repeat(300));
  await until(() => task.open() === 256);
});

function pinged({ session }: Http2Client): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  session.ping((error: Error | null) => resolve(error === null));
  return promise;
}

Deno.test("connections of clients and to tasks have one limit together", async () => {
  await using task = await proxiedTask((request, response) => {
    if (request.url === "/") response.end();
  });
  await using proxy = await testProxy(routerTo(task), { maxOpen: 3 });
  using busy = await proxy.connect(TASK_NAME);
  await busy.write(GET.replace("/", "/hangs"));
  await until(() => task.open() === 1);
  {
    using refused = await proxy.connect(TASK_NAME);
    await refused.write(GET);
    assert.match((await readAnswer(refused)).line, / 503 /);
    const { port } = proxy;
    using turnedAway = await Deno.connect({ hostname: "127.0.0.1", port });
    assert.equal(await turnedAway.read(new Uint8Array(1)), null);
  }
  busy[Symbol.dispose]();
  await until(() => task.open() === 0);
  using next = await proxy.connect(TASK_NAME);
  await next.write(GET);
  assert.match((await readAnswer(next)).line, / 200 /);
});

Deno.test("a client that asks on and on without reading piles up nothing", async () => {
  const answer = `HTTP/1.1 200 OK\r\nContent-Length: 12000\r\n\r\n${
    "x".repeat(12_000)
  }`;
  let served = 0;
  await using task = await proxiedSockets((socket: Socket) => {
    socket.on("data", (bytes: Uint8Array) => {
      if (bytes.includes("?".charCodeAt(0))) served += 1;
      socket.write(answer);
    });
  });
  using silent = await task.proxy.connect(TASK_NAME);
  using other = await task.proxy.connect(TASK_NAME);
  // More than systems hold for both ends of a connection, Linux 6 MB and 4 MB.
  const tooMany = 1_000;
  for (let asked = 1; asked <= tooMany; asked++) {
    await silent.write(`GET /?${asked} HTTP/1.1\r\nHost: ${TASK_NAME}\r\n\r\n`);
    // The last answer has to be through before the next question, or this were a client that does not wait.
    let rounds = 0;
    for (; rounds < 2 || served < asked && rounds < 200; rounds++) {
      await other.write(`GET / HTTP/1.1\r\nHost: ${TASK_NAME}\r\n\r\n`);
      await readAnswer(other);
    }
    if (served < asked) return;
  }
  assert.fail(`${served} answers for nobody`);
});

Deno.test("a client that asked ahead is missed when it goes away", async () => {
  let asked = 0;
  await using task = await proxiedTask((request, response) => {
    if (request.url === "/quick") response.writeHead(200, CLOSES).end();
    else asked += 1;
  });
  using other = await task.proxy.connect(TASK_NAME);
  const wire = await task.proxy.connect(TASK_NAME);
  await wire.write(GET);
  await until(() => asked === 1);
  for (let ahead = 0; ahead < 3; ahead++) {
    await wire.write(GET);
    // What was sent before is read by now.
    for (let round = 0; round < 3; round++) {
      await other.write(GET.replace("/", "/quick"));
      await readAnswer(other);
    }
  }
  wire[Symbol.dispose]();
  await until(() => task.open() === 0);
  assert.equal(asked, 1);
});
