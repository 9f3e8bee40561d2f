/**
 * HTTP/2 through the proxy.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { valuesOf } from "../../src/proxy/end_to_end_headers.ts";
import { Http2Client, readHttp2 } from "../support/http2_client.ts";
import {
  proxiedSockets,
  proxiedTask,
  TASK_NAME,
} from "../support/proxied_task.ts";

const INTERNAL_ERROR = 2;

Deno.test("a request reaches its task as HTTP/1.1 would have it", async () => {
  await using task = await proxiedTask((request, response) => {
    const { method, url, rawHeaders } = request;
    request.setEncoding("latin1");
    let body = "";
    request.on("data", (text) => body += text);
    request.on("end", () => {
      const seen = JSON.stringify({ method, url, rawHeaders, body });
      response.end(Buffer.from(seen, "latin1"));
    });
  });
  using client = new Http2Client(task.proxy);
  const { body } = await client.ask({
    ":method": "REPORT",
    ":path": '//a/../b%2e?q=%zz&"<>',
    "cookie": ["a=1", "b=2"],
    "x-latin": "caf\xe9",
    "x-twice": ["1", "2"],
    "te": "trailers",
  }, "\x00\xff");
  const { method, url, rawHeaders, ...rest } = JSON.parse(body);
  assert.equal(`${method} ${url}`, 'REPORT //a/../b%2e?q=%zz&"<>');
  assert.equal(rest.body, "\x00\xff");
  const value = (name: string): string => valuesOf(rawHeaders, name).join("|");
  assert.equal(value("host"), TASK_NAME);
  assert.equal(value("cookie"), "a=1; b=2");
  assert.equal(value("x-latin"), "caf\xe9");
  assert.equal(value("x-twice"), "1|2");
  assert.equal(value("te"), "trailers");
  assert.equal(value("transfer-encoding"), "chunked");
  assert.equal(value("x-forwarded-proto"), "https");
  assert.match(value("forwarded"), /^for=127\.0\.0\.1;host=api\.shop/);
});

Deno.test("an answer reaches its client with all its fields, but those of the other hop", async () => {
  const head = [
    "HTTP/1.1 299 Fine By Me",
    "Set-Cookie: a=1",
    "Set-Cookie: b=2",
    "X-Latin: caf\xe9",
    "Content-Type: text/x",
    "Content-Type: text/y",
    "Connection: X-Mine",
    "X-Mine: 1",
    "Keep-Alive: timeout=3",
    "Upgrade: h2c",
    "Content-Length: 2",
  ];
  await using task = await proxiedSockets((socket) => {
    socket.once(
      "data",
      () => socket.end([...head, "", "ok"].join("\r\n"), "latin1"),
    );
  });
  using client = new Http2Client(task.proxy);
  const { status, headers, body, code } = await client.ask();
  assert.deepEqual([status, body, code], [299, "ok", 0]);
  assert.deepEqual(valuesOf(headers, "set-cookie"), ["a=1", "b=2"]);
  assert.deepEqual(valuesOf(headers, "x-latin"), ["caf\xe9"]);
  // Of what may be there once the first counts.
  assert.deepEqual(valuesOf(headers, "content-type"), ["text/x"]);
  for (const name of ["connection", "x-mine", "keep-alive", "upgrade"]) {
    assert.deepEqual(valuesOf(headers, name), [], name);
  }
});

Deno.test("answers of every shape come at the same time", async () => {
  await using task = await proxiedTask((request, response) => {
    const status = Number(request.url?.slice(1));
    response.writeHead(status, status === 201 ? { "content-length": "5" } : {});
    response.end(status === 201 ? "whole" : undefined);
  });
  using client = new Http2Client(task.proxy);
  const answers = await Promise.all(
    [200, 201, 204, 304, 404].flatMap((status) =>
      ["GET", "HEAD", "DELETE"].map(async (method) => ({
        status,
        method,
        answer: await client.ask({ ":path": `/${status}`, ":method": method }),
      }))
    ),
  );
  for (const { status, method, answer } of answers) {
    assert.equal(answer.status, status);
    assert.equal(answer.code, 0);
    assert.equal(
      answer.body,
      status === 201 && method !== "HEAD" ? "whole" : "",
    );
  }
});

Deno.test("early hints, an answer that begins before the request is whole, and trailers", async () => {
  await using task = await proxiedTask((request, response) => {
    response.writeEarlyHints({ link: "</a.css>; rel=preload" });
    response.writeHead(200, { Trailer: "X-Sum" }).flushHeaders();
    request.on("data", (chunk) => response.write(chunk));
    request.on("end", () => {
      response.addTrailers({ "X-Sum": request.trailers["x-sum"] ?? "none" });
      response.end();
    });
  });
  using client = new Http2Client(task.proxy);
  const stream = client.session.request(
    { ":authority": TASK_NAME, ":path": "/", ":method": "POST" },
    { endStream: false, waitForTrailers: true },
  );
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "42" }));
  const hinted = once(stream, "headers");
  const begun = once(stream, "response");
  const answer = readHttp2(stream);
  const [hints] = await hinted;
  assert.equal(hints[":status"], 103);
  assert.equal(hints["link"], "</a.css>; rel=preload");
  await begun;
  for (const text of ["one", "two"]) {
    const echoed = once(stream, "data");
    stream.write(text);
    assert.deepEqual(await echoed, [text]);
  }
  stream.end();
  const { body, trailers } = await answer;
  assert.equal(body, "onetwo");
  assert.deepEqual(trailers, ["x-sum", "42"]);
});

Deno.test("an answer that breaks off is no whole answer", async () => {
  for (const field of ["Content-Length: 99", "Transfer-Encoding: chunked"]) {
    await using task = await proxiedSockets((socket) => {
      socket.once(
        "data",
        () => socket.end(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n4\r\nhalf\r\n`),
      );
    });
    using client = new Http2Client(task.proxy);
    const { status, code } = await client.ask();
    assert.deepEqual([status, code], [200, INTERNAL_ERROR]);
    // The session goes on.
    assert.equal((await client.ask()).status, 200);
  }
});

Deno.test("an upload that the task refuses gets its answer", async () => {
  await using task = await proxiedTask((_request, response) => {
    response.writeHead(413, { connection: "close" }).end("too big");
  });
  using client = new Http2Client(task.proxy);
  const stream = client.open({ ":method": "POST" }, true);
  stream.write(Buffer.alloc(32 * 1024 * 1024));
  stream.end();
  const { status, body } = await readHttp2(stream);
  assert.deepEqual([status, body], [413, "too big"]);
});

Deno.test("a name that is none of ours, and a task that is not there, are told", async () => {
  await using task = await proxiedTask((_request, response) => response.end());
  using client = new Http2Client(task.proxy);
  const foreign = await client.ask({ ":authority": "example.com" });
  assert.equal(foreign.status, 400);
  const { promise, resolve } = Promise.withResolvers<void>();
  task.server.close(() => resolve());
  task.server.closeAllConnections();
  await promise;
  const failed = await client.ask();
  assert.equal(failed.status, 502);
  assert.match(failed.body, /ECONNREFUSED/);
});
