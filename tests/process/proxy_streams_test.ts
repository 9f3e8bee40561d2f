/**
 * Bodies as streams through the proxy: at once, no faster than the other side takes them, and not beyond its end.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { Http2Client, readHttp2 } from "../support/http2_client.ts";
import { proxiedTask, TASK_NAME } from "../support/proxied_task.ts";
import { readAnswer, readChunk } from "../support/raw_answer.ts";
import { until } from "../support/until.ts";

const HOST = `Host: ${TASK_NAME}\r\n`;
const MEGABYTE = 1024 * 1024;
const GIGABYTE = 1024 * MEGABYTE;

/** What may be under way: what kernels buffer on four sockets, and a few chunks. */
const UNDER_WAY = 64 * MEGABYTE;

/** Looks without a change after which nothing will come. */
const STILL = 60;

/** Writes for ever, as fast as it is taken. */
function pour(sink: Writable, count: (bytes: number) => void): void {
  const chunk = Buffer.alloc(64 * 1024);
  const more = (): void => {
    let isTaken = true;
    while (isTaken && !sink.destroyed) {
      isTaken = sink.write(chunk);
      count(chunk.length);
    }
  };
  sink.on("drain", more);
  sink.on("error", () => {});
  more();
}

/** Waits until a number has not changed for a while. */
async function whenStill(number: () => number): Promise<number> {
  let last = -1;
  let looks = 0;
  await until(() => {
    looks = number() === last && last > 0 ? looks + 1 : 0;
    last = number();
    return looks === STILL;
  });
  return last;
}

Deno.test("an event arrives before the next one is sent", async () => {
  const responses: ServerResponse[] = [];
  await using task = await proxiedTask((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    responses.push(response);
  });
  using wire = await task.proxy.connect(TASK_NAME);
  await wire.write(`GET / HTTP/1.1\r\n${HOST}\r\n`);
  assert.match(await wire.readHead(), /text\/event-stream/);
  using client = new Http2Client(task.proxy);
  const stream = client.open();
  await once(stream, "response");
  for (let event = 0; event < 10; event++) {
    const data = `data: ${event}\n\n`;
    const arrived = once(stream, "data");
    for (const response of responses) response.write(data);
    assert.equal(await readChunk(wire), data);
    assert.equal(String((await arrived)[0]), data);
  }
});

Deno.test("a client that does not read stops its task, over HTTP/1.1 and HTTP/2", async () => {
  let poured = 0;
  await using task = await proxiedTask((_request, response) => {
    response.writeHead(200, { "content-length": GIGABYTE });
    pour(response, (bytes) => poured += bytes);
  });
  using wire = await task.proxy.connect(TASK_NAME);
  await wire.write(`GET / HTTP/1.1\r\n${HOST}\r\n`);
  await wire.readHead();
  assert(await whenStill(() => poured) < UNDER_WAY);
  poured = 0;
  using client = new Http2Client(task.proxy);
  const stream = client.open();
  await once(stream, "response");
  assert(await whenStill(() => poured) < UNDER_WAY);
});

Deno.test("a task that does not read stops its client, over HTTP/1.1 and HTTP/2", async () => {
  await using task = await proxiedTask((request) => request.pause());
  using wire = await task.proxy.connect(TASK_NAME);
  await wire.write(
    `POST / HTTP/1.1\r\n${HOST}Content-Length: ${GIGABYTE}\r\n\r\n`,
  );
  let poured = 0;
  const chunk = Buffer.alloc(MEGABYTE);
  const pouring = (async () => {
    while (poured < GIGABYTE) {
      await wire.write(chunk);
      poured += chunk.length;
    }
  })().catch((error) => {
    if (!(error instanceof Deno.errors.Interrupted)) throw error;
  });
  assert(await whenStill(() => poured) < UNDER_WAY);
  wire[Symbol.dispose]();
  await pouring;
  using client = new Http2Client(task.proxy);
  const stream = client.open({ ":method": "POST" }, true);
  poured = 0;
  pour(stream, (bytes) => poured += bytes);
  assert(await whenStill(() => poured) < UNDER_WAY);
});

/** What a task sees of requests that are given up. */
interface Seen {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

Deno.test("a task hears at once of a client that goes away, whenever it does", async () => {
  const seen: Seen[] = [];
  let gone = 0;
  await using task = await proxiedTask((request, response) => {
    seen.push({ request, response });
    request.on("error", () => {});
    response.on("close", () => gone += 1);
    if (request.url === "/streaming") response.write("first");
  });
  const paths = ["/silent", "/streaming", "/uploading"];
  for (const [index, path] of paths.entries()) {
    using wire = await task.proxy.connect(TASK_NAME);
    const rest = path === "/uploading" ? "POST" : "GET";
    const length = path === "/uploading" ? "Content-Length: 9\r\n" : "";
    await wire.write(`${rest} ${path} HTTP/1.1\r\n${HOST}${length}\r\n`);
    await until(() => seen.length === index + 1);
    if (path === "/streaming") await wire.readHead();
    wire[Symbol.dispose]();
    await until(() => gone === index + 1, { what: `HTTP/1.1 ${path}` });
  }
  using client = new Http2Client(task.proxy);
  for (const [index, path] of paths.entries()) {
    const count = paths.length + index + 1;
    const isUpload = path === "/uploading";
    const stream = client.open(
      { ":path": path, ":method": isUpload ? "POST" : "GET" },
      isUpload,
    );
    stream.on("error", () => {});
    await until(() => seen.length === count);
    stream.close(8);
    await until(() => gone === count, { what: `HTTP/2 ${path}` });
  }
  await until(() => task.open() === 0);
});

Deno.test("a task hears of a client that goes away amid an upload it has answered, or after two requests at once", async () => {
  const paths: (string | undefined)[] = [];
  await using task = await proxiedTask((request, response) => {
    paths.push(request.url);
    if (request.url === "/early") response.end("enough");
  });
  const wire = await task.proxy.connect(TASK_NAME);
  await wire.write(`POST /early HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\n`);
  assert.equal((await readAnswer(wire)).body, "enough");
  wire[Symbol.dispose]();
  await until(() => task.open() === 0, { what: "amid an upload" });
  using client = new Http2Client(task.proxy);
  const stream = client.open({ ":path": "/early", ":method": "POST" }, true);
  await once(stream.setEncoding("utf8"), "data");
  client.session.destroy();
  await until(() => task.open() === 0, { what: "over HTTP/2" });
  const hasty = await task.proxy.connect(TASK_NAME);
  await hasty.write(
    `GET /1 HTTP/1.1\r\n${HOST}\r\nGET /2 HTTP/1.1\r\n${HOST}\r\n`,
  );
  await until(() => paths.length === 4);
  hasty[Symbol.dispose]();
  await until(() => task.open() === 0, { what: "two at once" });
});

Deno.test("clients that vanish amid many streams leave nothing behind", async () => {
  await using task = await proxiedTask((_request, response) => {
    response.write(Buffer.alloc(MEGABYTE));
  });
  for (let round = 0; round < 5; round++) {
    using client = new Http2Client(task.proxy);
    const streams = Array.from({ length: 8 }, () => client.open());
    for (const stream of streams) stream.on("error", () => {});
    await Promise.all(streams.map((stream) => once(stream, "data")));
    streams[0]?.close(8);
    const ended = readHttp2(streams[1]!);
    client.session.destroy();
    await ended;
  }
  await until(() => task.open() === 0);
});

Deno.test("the end of the proxy waits for nobody", async () => {
  let begun = 0;
  const task = await proxiedTask((_request, response) => {
    begun += 1;
    response.write("first");
  });
  using wire = await task.proxy.connect(TASK_NAME);
  await wire.write(`GET / HTTP/1.1\r\n${HOST}\r\n`);
  using client = new Http2Client(task.proxy);
  const answer = readHttp2(client.open());
  using silent = await Deno.connect({
    hostname: "127.0.0.1",
    port: task.proxy.port,
  });
  await until(() => begun === 2);
  await task[Symbol.asyncDispose]();
  assert.notEqual((await answer).code, 0);
  assert.match(await wire.readAll(), /first\r\n$/);
  assert.equal(await silent.read(new Uint8Array(1)).catch(() => null), null);
});
