/**
 * HTTP/1.1 through the proxy, byte by byte.
 */

import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import {
  proxiedSockets,
  proxiedTask,
  TASK_NAME,
} from "../support/proxied_task.ts";
import { fieldOf, readAnswer, readChunk } from "../support/raw_answer.ts";
import type { Wire } from "../support/wire.ts";

const HOST = `Host: ${TASK_NAME}\r\n`;

/** The fields of a request as its task got them. */
function fieldsOf(request: IncomingMessage): string[] {
  const { rawHeaders } = request;
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []
  );
}

/** Answers each connection's first bytes with these. */
function saying(bytes: string): (socket: Socket) => void {
  return (socket) => socket.once("data", () => socket.end(bytes, "latin1"));
}

async function ask(wire: Wire, head: string): Promise<void> {
  await wire.write(`${head}\r\n${HOST}\r\n`);
}

Deno.test("a request reaches its task byte by byte", async () => {
  const seen: { target: string; fields: string[]; body: string }[] = [];
  await using task = await proxiedTask((request, response) => {
    let body = "";
    request.setEncoding("latin1");
    request.on("data", (text) => body += text);
    request.on("end", () => {
      const target = `${request.method} ${request.url}`;
      seen.push({ target, fields: fieldsOf(request), body });
      response.end();
    });
  });
  using wire = await task.proxy.connect(TASK_NAME);
  const target = "PATCH //a/../b%2e%2E/;x?q=%zz&\"<>|'{}&a=1&a=2";
  await wire.write(
    `${target} HTTP/1.1\r\nX-First: 1\r\n${HOST}x-lATIN: caf\xe9 \xff\r\n` +
      "Accept-Encoding: gzip, br\r\nX-Twice: a\r\nX-Twice: b\r\nX-Empty:\r\n" +
      "Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=9\r\n" +
      "Proxy-Connection: x\r\nContent-Length: 4\r\n\r\n\x00\xff\r\n",
  );
  assert.match((await readAnswer(wire)).line, / 200 /);
  const [request] = seen;
  assert.equal(request?.target, target);
  assert.equal(request?.body, "\x00\xff\r\n");
  assert.deepEqual(request?.fields.slice(0, 8), [
    `Host: ${TASK_NAME}`,
    "X-First: 1",
    "x-lATIN: caf\xe9 \xff",
    "Accept-Encoding: gzip, br",
    "X-Twice: a",
    "X-Twice: b",
    "X-Empty: ",
    "Content-Length: 4",
  ]);
  const rest = request?.fields.slice(8) ?? [];
  assert.equal(fieldOf(rest, "x-forwarded-for"), "127.0.0.1");
  assert.equal(fieldOf(rest, "x-mine"), null);
  assert.equal(fieldOf(rest, "keep-alive"), null);
  assert.equal(fieldOf(rest, "connection"), "close");
});

Deno.test("an answer reaches its client byte by byte", async () => {
  const head = [
    "HTTP/1.1 299 Fine By Me",
    "X-lATIN: caf\xe9",
    "Set-Cookie: a=1; Path=/",
    "Set-Cookie: b=2",
    "Content-Encoding: gzip",
    'ETag: "x"',
    "Content-Length: 3",
    "Link: </a>",
    "Link: </b>",
  ];
  const hop = ["Connection: X-Mine", "X-Mine: 1", "Keep-Alive: timeout=3"];
  await using task = await proxiedSockets(
    saying([...head, ...hop, "", "\x00\xfe\xff"].join("\r\n")),
  );
  using wire = await task.proxy.connect(TASK_NAME);
  await ask(wire, "GET / HTTP/1.1");
  const { line, fields, body } = await readAnswer(wire);
  assert.deepEqual([line, ...fields.slice(0, 8)], head);
  assert.deepEqual(fields.slice(8), [
    "Connection: keep-alive",
    "Keep-Alive: timeout=75",
  ]);
  assert.equal(body, "\x00\xfe\xff");
});

Deno.test("one connection serves answers of every shape, one after the other", async () => {
  await using task = await proxiedTask((request, response) => {
    const status = Number(request.url?.slice(1));
    response.writeHead(status, status === 201 ? { "content-length": "5" } : {});
    response.end(status === 201 ? "whole" : undefined);
  });
  using wire = await task.proxy.connect(TASK_NAME);
  for (let round = 0; round < 5; round++) {
    for (const status of [200, 201, 204, 304, 404]) {
      for (const method of ["GET", "HEAD", "DELETE", "PROPFIND"]) {
        await ask(wire, `${method} /${status} HTTP/1.1`);
        const { line, fields, body } = await readAnswer(wire, method);
        assert.match(line, new RegExp(` ${status} `));
        assert.equal(body, status === 201 && method !== "HEAD" ? "whole" : "");
        if (status === 201) {
          assert.equal(fieldOf(fields, "content-length"), "5");
        }
      }
    }
  }
});

Deno.test("chunks, trailers and a body without a length pass in both directions", async () => {
  await using task = await proxiedTask((request, response) => {
    response.writeHead(200, { Trailer: "X-Sum" }).flushHeaders();
    request.on("data", (chunk) => response.write(chunk));
    request.on("end", () => {
      response.addTrailers({ "X-Sum": request.trailers["x-sum"] ?? "none" });
      response.end();
    });
  });
  using wire = await task.proxy.connect(TASK_NAME);
  await wire.write(
    `POST / HTTP/1.1\r\n${HOST}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  // The answer begins before the request is whole, and goes on with it.
  const head = await wire.readHead();
  assert.match(head, /transfer-encoding: chunked/i);
  for (const text of ["one", "two"]) {
    await wire.write(`3\r\n${text}\r\n`);
    assert.equal(await readChunk(wire), text);
  }
  await wire.write("0\r\nX-Sum: 42\r\n\r\n");
  assert.equal(await readChunk(wire), "");
  assert.equal(await wire.readHead(), "X-Sum: 42\r\n\r\n");
});

Deno.test("an answer that ends with its connection is whole", async () => {
  await using task = await proxiedSockets(
    saying("HTTP/1.0 200 OK\r\n\r\nall of it"),
  );
  using wire = await task.proxy.connect(TASK_NAME);
  await ask(wire, "GET / HTTP/1.1");
  assert.equal((await readAnswer(wire)).body, "all of it");
  using old = await task.proxy.connect(TASK_NAME);
  await ask(old, "GET / HTTP/1.0");
  const { line, fields } = await readAnswer(old);
  assert.match(line, / 200 /);
  assert.equal(fieldOf(fields, "connection"), "close");
});

Deno.test("whether to send a body is the task's to say", async () => {
  await using task = await proxiedTask((request, response) => {
    request.pipe(response);
  });
  task.server.on("checkContinue", (request, response) => {
    if (request.url === "/no") response.writeHead(417).end();
    else {
      response.writeContinue();
      request.pipe(response);
    }
  });
  const expecting = (path: string): string =>
    `PUT ${path} HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`;
  using wire = await task.proxy.connect(TASK_NAME);
  await wire.write(expecting("/yes"));
  assert.match((await readAnswer(wire)).line, / 100 /);
  await wire.write("ok");
  assert.equal((await readAnswer(wire)).body, "ok");
  await wire.write(expecting("/no"));
  assert.match((await readAnswer(wire)).line, / 417 /);
});

Deno.test("early hints come before the answer", async () => {
  await using task = await proxiedTask((_request, response) => {
    response.writeEarlyHints({ link: ["</a.css>; rel=preload", "</b.js>"] });
    response.end("page");
  });
  using wire = await task.proxy.connect(TASK_NAME);
  await ask(wire, "GET / HTTP/1.1");
  const hints = await readAnswer(wire);
  assert.match(hints.line, / 103 /);
  assert.match(fieldOf(hints.fields, "link") ?? "", /a\.css.*b\.js/);
  assert.equal((await readAnswer(wire)).body, "page");
});

Deno.test("an upload that the task refuses gets its answer", async () => {
  await using task = await proxiedTask((_request, response) => {
    response.writeHead(413, { connection: "close" }).end("too big");
  });
  using wire = await task.proxy.connect(TASK_NAME);
  const megabyte = new Uint8Array(1024 * 1024);
  await wire.write(
    `POST / HTTP/1.1\r\n${HOST}Content-Length: ${64 * megabyte.length}\r\n\r\n`,
  );
  for (let count = 0; count < 64; count++) await wire.write(megabyte);
  const { line, body } = await readAnswer(wire);
  assert.match(line, / 413 /);
  assert.equal(body, "too big");
});

Deno.test("heads of 60 KB pass in both directions, larger ones are refused", async () => {
  const large = "a".repeat(60_000);
  await using task = await proxiedTask((request, response) => {
    response.setHeader("x-large", request.headers["x-large"] ?? "");
    response.end();
  });
  using wire = await task.proxy.connect(TASK_NAME);
  await ask(wire, `GET / HTTP/1.1\r\nX-Large: ${large}`);
  const { fields } = await readAnswer(wire);
  assert.equal(fieldOf(fields, "x-large"), large);
  await ask(wire, `GET / HTTP/1.1\r\nX-Large: ${large.repeat(2)}`);
  assert.match((await readAnswer(wire)).line, / 431 /);
});

const REFUSED = {
  "both lengths":
    `Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "two lengths": "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
  "no number": "Content-Length: 1x\r\n\r\nx",
  "a folded field": "X-A: 1\r\n 2\r\n\r\n",
  "a space before the colon": "X-A : 1\r\n\r\n",
  "another host": "Host: other.localhost\r\n\r\n",
};

Deno.test("what can be read in two ways is refused", async () => {
  let requests = 0;
  await using task = await proxiedTask((_request, response) => {
    requests += 1;
    response.end();
  });
  const first = `POST / HTTP/1.1\r\n${HOST}`;
  const requestsOf = Object.entries(REFUSED).map(([what, rest]) =>
    [what, first + rest] as const
  );
  for (
    const [what, request] of [
      ...requestsOf,
      ["an unknown method", `FOO / HTTP/1.1\r\n${HOST}\r\n`],
      ["no host", "GET / HTTP/1.1\r\n\r\n"],
      ["a foreign host", "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"],
      ["no HTTP", "hello\r\n\r\n"],
    ] as const
  ) {
    using wire = await task.proxy.connect(TASK_NAME);
    await wire.write(request);
    assert.match((await readAnswer(wire)).line, /^HTTP\/1\.1 400 /, what);
  }
  assert.equal(requests, 0);
});

Deno.test("an answer that breaks off is no whole answer", async () => {
  const starts = {
    "/length": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    "/chunks":
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
  };
  for (const [path, start] of Object.entries(starts)) {
    await using task = await proxiedSockets(saying(start));
    using wire = await task.proxy.connect(TASK_NAME);
    await ask(wire, `GET ${path} HTTP/1.1`);
    await wire.readHead();
    const rest = await wire.readAll();
    assert.match(rest, /half/);
    assert.doesNotMatch(rest, /^0\r\n/m);
  }
});

Deno.test("an answer that cannot be read is told as a failure", async () => {
  for (
    const bytes of ["HTTP/1.1 200 OK\r\nX A: 1\r\n\r\n", "hello\r\n\r\n", ""]
  ) {
    await using task = await proxiedSockets(saying(bytes));
    using wire = await task.proxy.connect(TASK_NAME);
    await ask(wire, "GET / HTTP/1.1");
    assert.match((await readAnswer(wire)).line, / 502 /);
  }
});
