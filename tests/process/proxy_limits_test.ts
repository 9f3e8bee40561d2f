/**
 * One client alone must not use up what the daemon may have open: a process without descriptors ends.
 */

import assert from "node:assert/strict";
import { Http2Client } from "../support/http2_client.ts";
import { proxiedTask, routerTo, TASK_NAME } from "../support/proxied_task.ts";
import { readAnswer } from "../support/raw_answer.ts";
import { testProxy } from "../support/test_proxy.ts";
import { until } from "../support/until.ts";

const GET = `GET / HTTP/1.1\r\nHost: ${TASK_NAME}\r\n\r\n`;

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
