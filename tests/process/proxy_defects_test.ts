/**
 * What Deno 2.9 does wrong with sockets, and the proxy works around (`docs/decisions/0020`). Each test fails without its
 * workaround; the pause of TLS sockets is tested in `proxy_streams_test.ts`, connections that stay open in
 * `proxy_http1_test.ts`.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { repairEmptyWrites } from "../../src/proxy/repair_empty_writes.ts";
import { inLaterTurn } from "../../src/kit/turn.ts";
import { REPOSITORY } from "../support/deno_flags.ts";
import { Http2Client, readHttp2 } from "../support/http2_client.ts";
import {
  GOAWAY,
  Http2Frames,
  isLast,
  statusOf,
} from "../support/http2_frames.ts";
import { proxiedTask, TASK_NAME } from "../support/proxied_task.ts";
import { readAnswer } from "../support/raw_answer.ts";
import { until } from "../support/until.ts";

const TLS = `${REPOSITORY}/tests/fixtures/tls`;

/** With Nagle's algorithm each second piece waits 40 ms for the acknowledgement of the first. */
const NAGLE_MS = 40;
const ROUNDS = 21;

/** nghttp2 ends a session at about 1,000. */
const RESETS = 1_300;
const AT_ONCE = 50;

Deno.test("a write of nothing to a TLS socket is done", async () => {
  const server = createServer({
    cert: await Deno.readTextFile(`${TLS}/localhost.pem`),
    key: await Deno.readTextFile(`${TLS}/localhost-key.pem`),
  });
  let isDone = false;
  server.on("secureConnection", (socket: TLSSocket) => {
    repairEmptyWrites(socket);
    socket.on("error", () => {});
    socket.write("some", () => socket.write("", () => isDone = true));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect({
    host: "127.0.0.1",
    port,
    rejectUnauthorized: false,
  });
  await until(() => isDone, { timeoutMs: 10_000 });
  client.destroy();
  server.close();
  await once(server, "close");
});

Deno.test("a small answer in two pieces does not wait for an acknowledgement", async () => {
  await using task = await proxiedTask((_request, response) => {
    response.writeHead(200, { "content-length": "100" }).flushHeaders();
    inLaterTurn(() => response.end("x".repeat(100)));
  });
  using wire = await task.proxy.connect(TASK_NAME);
  using client = new Http2Client(task.proxy);
  const first: number[] = [];
  const second: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await wire.write(`GET / HTTP/1.1\r\nHost: ${TASK_NAME}\r\n\r\n`);
    assert.equal((await readAnswer(wire)).body.length, 100);
    const middle = performance.now();
    assert.equal((await readHttp2(client.open())).body.length, 100);
    first.push(middle - start);
    second.push(performance.now() - middle);
  }
  for (const times of [first, second]) {
    const median = times.toSorted((a, b) => a - b)[ROUNDS >> 1]!;
    assert(median < NAGLE_MS, `${median} ms`);
  }
});

Deno.test("a session outlives more resets than nghttp2 allows", async () => {
  let conditional = 0;
  await using task = await proxiedTask((request, response) => {
    if (request.headers["if-none-match"] === undefined) response.end("whole");
    else {
      conditional += 1;
      response.writeHead(304).end();
    }
  });
  using wire = await task.proxy.connect(TASK_NAME, ["h2"]);
  const frames = new Http2Frames(wire);
  await frames.begin();
  const found = new Map<number | null, number>();
  for (let asked = 0; asked < RESETS; asked += AT_ONCE) {
    const streams = Array.from(
      { length: AT_ONCE },
      (_, index) => 2 * (asked + index) + 1,
    );
    await frames.ask(TASK_NAME, streams);
    for (let left = AT_ONCE; left > 0;) {
      const frame = await frames.read();
      assert(frame !== null && frame.type !== GOAWAY, `after ${asked}`);
      const status = statusOf(frame);
      if (status !== null) found.set(status, (found.get(status) ?? 0) + 1);
      if (!isLast(frame)) continue;
      left -= 1;
      if (status === 304) await frames.cancel([frame.stream]);
    }
  }
  assert.equal(found.get(304), conditional);
  assert.equal((found.get(200) ?? 0) + conditional, RESETS);
  // So that answers 304 are still worth their while.
  assert(conditional > 400 && conditional < 1_000, String(conditional));
});

Deno.test("a request that its client gave up is not asked again", async () => {
  let asked = 0;
  await using task = await proxiedTask((request, response) => {
    if (request.url === "/") response.end();
    else asked += 1;
  });
  using http2 = new Http2Client(task.proxy);
  // Deno repeats what breaks on a connection that has served another request.
  await http2.ask();
  const stream = http2.open({ ":path": "/hangs" });
  stream.on("error", () => {});
  await until(() => asked === 1);
  assert.equal(task.connections(), 1);
  // CANCEL (RFC 9113 §7).
  stream.close(8);
  await until(() => task.open() === 0);
  assert.equal(task.connections(), 1);
  assert.equal(asked, 1);
});
