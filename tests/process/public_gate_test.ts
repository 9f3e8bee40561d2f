/**
 * The gate through which requests from outside come, over real sockets: what passes, what does not, and what is told.
 */

import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { type Clock, systemClock } from "../../src/kit/clock.ts";
import { PublicGate } from "../../src/proxy/public_gate.ts";
import type { Refusal } from "../../src/proxy/router.ts";
import {
  AUTHORITY,
  gatedSockets,
  type GatedTask,
  gatedTask,
  PUBLIC_URL,
} from "../support/gated_task.ts";
import { fieldOf, readAnswer, readChunk } from "../support/raw_answer.ts";
import { sendRaw } from "../support/raw_http.ts";
import { until } from "../support/until.ts";
import { frameBytes, PING, TEXT } from "../support/wire.ts";

const VISITOR = "203.0.113.7";
const MEGABYTE = 1024 * 1024;
const JUNK = 10_000;

const HANDSHAKE = [
  "GET /hmr?token=secret HTTP/1.1",
  "Host: shop.example.com",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Protocol: vite-hmr",
  `Origin: ${PUBLIC_URL}`,
  `X-Forwarded-For: ${VISITOR}`,
  "",
  "",
].join("\r\n");

const SWITCHED =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

const DOWN: Refusal = {
  kind: "refusal",
  status: 503,
  code: "not_running",
  message: "api of /home/me/shop is stopped",
  projectId: "shop",
  task: "api",
  state: "stopped",
  hint: "taskmux start api",
  isTransient: true,
  lines: ["secret words of the task"],
};

/** A clock whose pauses are over at once, and take as long as the test says. */
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

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return new TextDecoder().decode(
    await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer(),
  );
}

async function lastEntry(task: GatedTask): Promise<Record<string, unknown>> {
  const entry = await until(() => task.entries.at(-1));
  return { ...entry, at: typeof entry.at, durationMs: typeof entry.durationMs };
}

Deno.test("a task is asked by its own name, and told for whom; what a visitor claims to be is replaced", async () => {
  await using task = await gatedTask((request, response) => {
    response.end(JSON.stringify(request.rawHeaders));
  });
  const answer = await sendRaw(
    task.gate.port,
    "GET /cart?page=2&api_key=hush HTTP/1.1\r\nHost: shop.example.com\r\n" +
      `X-Forwarded-For: 1.2.3.4, ${VISITOR}\r\nCF-Connecting-IP: ${VISITOR}\r\n` +
      "X-Real-IP: 1.2.3.4\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Email: boss@example.com\r\n" +
      "X_Forwarded_For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nX-Original-URL: /admin\r\n" +
      "User-Agent: curl/8\r\nAuthorization: Bearer own\r\nAccept: */*\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n\r\n",
  );
  assert.deepEqual(JSON.parse(answer.text), [
    ...["Host", AUTHORITY, "CF-Connecting-IP", VISITOR, "User-Agent", "curl/8"],
    ...["Authorization", "Bearer own", "Accept", "*/*"],
    ...["X-Forwarded-For", VISITOR, "X-Forwarded-Proto", "https"],
    ...["X-Forwarded-Host", "shop.example.com", "X-Forwarded-Port", "443"],
    "Forwarded",
    `for=${VISITOR};host="shop.example.com";proto=https`,
    ...["Connection", "keep-alive"],
  ]);
  assert.equal(answer.headers.get("x-robots-tag"), "noindex");
  assert.equal(answer.headers.get("cdn-cache-control"), "no-store");
  assert.deepEqual(await lastEntry(task), {
    at: "number",
    durationMs: "number",
    method: "GET",
    path: "/cart?page=2&api_key=***",
    status: 200,
    visitor: VISITOR,
    verdict: "passed",
    userAgent: "curl/8",
  });
  assert.equal(task.gate.requests, 1);
  assert.equal(task.gate.refused, 0);
});

Deno.test("where an answer names the task it names the public site, and its cookies are that site's", async () => {
  await using task = await gatedTask((_request, response) => {
    response.writeHead(302, [
      ...["Location", `https://${AUTHORITY}/next?a=%2F`],
      ...["Content-Location", `http://${AUTHORITY}`],
      ...["Refresh", `5; url=//${AUTHORITY}/x`],
      ...["Set-Cookie", "a=1; Domain=.shop.localhost; Path=/; Secure"],
      ...["Set-Cookie", "b=2; Domain=example.com; HttpOnly"],
      ...["Cache-Control", "public, max-age=60", "Content-Length", "0"],
      ...["Cloudflare-CDN-Cache-Control", "max-age=9"],
    ]);
    response.end();
  });
  const { headers } = await sendRaw(
    task.gate.port,
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
  );
  assert.equal(headers.get("location"), `${PUBLIC_URL}/next?a=%2F`);
  assert.equal(headers.get("content-location"), PUBLIC_URL);
  assert.equal(headers.get("refresh"), `5; url=${PUBLIC_URL}/x`);
  assert.deepEqual(headers.getSetCookie(), [
    "a=1; Path=/; Secure",
    "b=2; Domain=example.com; HttpOnly",
  ]);
  // Everybody is let in: what the task says of browsers counts, between them and us nobody keeps anything.
  assert.equal(headers.get("cache-control"), "public, max-age=60");
  assert.equal(headers.get("cdn-cache-control"), "no-store");
  assert.equal(headers.get("cloudflare-cdn-cache-control"), null);
});

Deno.test("uploads and downloads are streams: nothing waits for their end", async () => {
  await using task = await gatedTask((request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    request.on("data", (chunk) => response.write(`data: ${chunk}\n\n`));
    request.on("end", () => {
      response.addTrailers({ "x-sum": String(request.rawTrailers) });
      response.end();
    });
  });
  using wire = await task.connect();
  await wire.write(
    "POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n3\r\none\r\n",
  );
  const head = await wire.readHead();
  assert.match(head, /^HTTP\/1\.1 200 /);
  assert.equal(await readChunk(wire), "data: one\n\n");
  await wire.write("3\r\ntwo\r\n");
  assert.equal(await readChunk(wire), "data: two\n\n");
  await wire.write("0\r\nX-Check: 5\r\n\r\n");
  const rest = "0\r\nx-sum: X-Check,5\r\n\r\n";
  const read = await wire.read(rest.length);
  assert.equal(new TextDecoder().decode(read ?? undefined), rest);
});

Deno.test("large bodies arrive whole, and who waits for leave to send one is given it by the task", async () => {
  const sent = "x".repeat(3 * MEGABYTE);
  await using task = await gatedTask(async (request, response) => {
    const body = await bodyOf(request);
    response.writeHead(200, { "content-length": body.length });
    response.end(body);
  });
  const answer = await fetch(task.at("/"), { method: "PUT", body: sent });
  assert.equal(await answer.text(), sent);
  using wire = await task.connect();
  await wire.write(
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
  );
  assert.match(await wire.readHead(), /^HTTP\/1\.1 100 /);
  await wire.write("ok");
  assert.equal((await readAnswer(wire)).body, "ok");
  await wire.write(
    "HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
  );
  assert.match((await readAnswer(wire, "HEAD")).line, / 200 /);
  assert.match((await readAnswer(wire)).line, / 200 /);
});

Deno.test("a WebSocket passes both ways; its Origin is the task's own", async () => {
  await using task = await gatedSockets((socket) => {
    socket.once("data", (head) => {
      socket.write(SWITCHED);
      socket.write(frameBytes({ opcode: TEXT, payload: head }));
      socket.on("data", (chunk) => socket.write(chunk));
    });
  });
  using wire = await task.connect();
  await wire.write(HANDSHAKE);
  const answer = await wire.readHead();
  assert.match(answer, /^HTTP\/1\.1 101 /);
  assert.match(answer, /\r\nX-Robots-Tag: noindex\r\n/);
  const { payload } = await wire.readFrame() ?? {};
  const head = new TextDecoder().decode(payload).split("\r\n");
  assert.equal(head[0], "GET /hmr?token=secret HTTP/1.1");
  assert.equal(fieldOf(head, "host"), AUTHORITY);
  assert.equal(fieldOf(head, "origin"), `https://${AUTHORITY}`);
  assert.equal(fieldOf(head, "sec-websocket-protocol"), "vite-hmr");
  assert.equal(fieldOf(head, "x-forwarded-for"), VISITOR);
  assert.equal(fieldOf(head, "x-forwarded-host"), "shop.example.com");
  await wire.write(
    frameBytes({ opcode: PING, payload: new Uint8Array([7]), isMasked: true }),
  );
  assert.equal((await wire.readFrame())?.opcode, PING);
  const { status, path, verdict } = await lastEntry(task);
  assert.deepEqual({ status, path, verdict }, {
    status: 101,
    path: "/hmr?token=***",
    verdict: "passed",
  });
  // However quiet it is: the end of the gate is its end.
  await task.gate[Symbol.asyncDispose]();
  assert.equal(await wire.readAll(), "");
  await until(() => task.open() === 0);
  assert.equal(task.gate.requests, 1);
});

Deno.test("a task that is not there is told of in words that say nothing of this machine", async () => {
  await using task = await gatedTask(() => {}, {
    find: () => Promise.resolve(DOWN),
  });
  const page = await fetch(task.at("/"), { headers: { accept: "text/html" } });
  assert.equal(page.status, 503);
  assert.equal(page.headers.get("retry-after"), "2");
  assert.equal(page.headers.get("x-robots-tag"), "noindex");
  assert.match(
    page.headers.get("content-security-policy") ?? "",
    /default-src 'none'/,
  );
  const text = await page.text();
  assert.match(text, /<h1>This site is not available now<\/h1>/);
  const json = await fetch(task.at("/"), {
    headers: { accept: "application/json" },
  });
  const object = await json.json();
  assert.deepEqual(object, {
    ok: false,
    status: 503,
    error: "This site is not available now",
  });
  using wire = await task.connect();
  await wire.write(HANDSHAKE);
  const upgrade = await readAnswer(wire);
  assert.match(upgrade.line, / 503 /);
  for (const said of [text, JSON.stringify(object), upgrade.body]) {
    assert.doesNotMatch(said, /shop|api|home|stopped|secret|taskmux/);
  }
  assert.deepEqual(
    task.entries.map(({ status, verdict }) => [status, verdict]),
    [[503, "failed"], [503, "failed"], [503, "failed"]],
  );
});

Deno.test("a task that breaks off is told of as a failure, before its answer and in it", async () => {
  await using task = await gatedSockets((socket) => {
    socket.once("data", (head) => {
      if (String(head).startsWith("GET /late")) {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
      }
      socket.destroySoon();
    });
  });
  const { status, text } = await sendRaw(
    task.gate.port,
    "GET /soon HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
  );
  assert.equal(status, 502);
  assert.equal(text, "This site did not answer\n");
  using wire = await task.connect();
  await wire.write("GET /late HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  assert.match(await wire.readHead(), / 200 /);
  assert.equal(await wire.readAll(), "ab");
  await until(() => task.entries.length === 2);
  assert.deepEqual(
    task.entries.map(({ status, verdict }) => [status, verdict]),
    [[502, "failed"], [200, "failed"]],
  );
});

Deno.test("what is no request to one server is refused, and nothing of it reaches the task", async () => {
  await using task = await gatedTask((_request, response) => response.end());
  const cases: readonly (readonly [number, string])[] = [
    [400, "GET http://other.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"],
    [400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
    [400, "GET / HTTP/1.0\r\n\r\n"],
    [
      400,
      "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    [400, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX : y\r\n\r\n"],
    [400, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: b\r\n c\r\n\r\n"],
    [400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"],
    [
      431,
      `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${"y".repeat(70_000)}\r\n\r\n`,
    ],
    [501, "CONNECT other.example:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"],
    [400, HANDSHAKE.replace("/hmr?token=secret", "http://other.example/")],
    [
      400,
      HANDSHAKE.replace(
        "Connection: Upgrade",
        "Connection: Upgrade\r\nTransfer-Encoding: chunked",
      ),
    ],
  ];
  for (const [status, request] of cases) {
    const answer = await sendRaw(task.gate.port, request);
    assert.equal(answer.status, status, request.slice(0, 80));
    assert.equal(
      answer.headers.get("x-robots-tag"),
      "noindex",
      request.slice(0, 80),
    );
  }
  assert.equal(task.connections(), 0);
  assert.ok(task.entries.every(({ verdict }) => verdict === "refused"));
  assert.equal(task.gate.refused, task.entries.length);
});

Deno.test("what a visitor claims behind a body does not reach the task", async () => {
  const trailers: string[] = [];
  await using task = await gatedTask((request, response) => {
    request.resume().on("end", () => {
      trailers.push(...request.rawTrailers);
      response.end();
    });
  });
  const { status } = await sendRaw(
    task.gate.port,
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n" +
      "Connection: close\r\n\r\n1\r\na\r\n0\r\nX-Forwarded-For: 127.0.0.1\r\n" +
      "Authorization: Basic c2VjcmV0\r\nX-Check: 5\r\n\r\n",
  );
  assert.equal(status, 200);
  assert.deepEqual(trailers, ["X-Check", "5"]);
});

Deno.test("under a name that is none of the task's nobody reads it through a page of his own", async () => {
  await using task = await gatedTask((_request, response) => response.end());
  const status = async (host: string) =>
    (await sendRaw(task.gate.port, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`))
      .status;
  for (const host of ["evil.example", `evil.example:${task.gate.port}`, ""]) {
    assert.equal(await status(host), 400, host);
  }
  assert.equal(task.connections(), 0);
  for (
    const host of [
      "shop.example.com",
      "SHOP.example.com:443",
      AUTHORITY,
      `127.0.0.1:${task.gate.port}`,
      "localhost",
      "[::1]:1",
    ]
  ) assert.equal(await status(host), 200, host);
});

Deno.test("behind a change of protocol that the task refuses no second request gets in", async () => {
  const seen: string[] = [];
  await using task = await gatedSockets((socket) => {
    socket.on("data", (chunk) => {
      seen.push(String(chunk));
      if (!seen.join("").endsWith("body")) return;
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
    });
  });
  using wire = await task.connect();
  await wire.write(
    HANDSHAKE.replace("Origin:", "Content-Length: 4\r\nOrigin:") + "bo",
  );
  await until(() => seen.join("").endsWith("\r\n\r\nbo"));
  await wire.write(
    `dyGET /second HTTP/1.1\r\nHost: ${AUTHORITY}\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n`,
  );
  assert.equal((await readAnswer(wire)).body, "no");
  assert.equal(await wire.readAll(), "");
  await until(() => task.open() === 0);
  assert.doesNotMatch(seen.join(""), /second/);
  assert.match(seen.join(""), /\r\n\r\nbody$/);
});

Deno.test("a port that is taken is said to be, and one address is bound alone", async () => {
  await using task = await gatedTask(() => {});
  const { port } = task.gate;
  await assert.rejects(
    async () =>
      await PublicGate.open({
        port,
        find: () => Promise.resolve(DOWN),
        failed: () => DOWN,
        facts: () => ({ publicUrl: null, authority: AUTHORITY }),
        access: task.access,
        onRequest: () => {},
        clock: systemClock,
        onError: () => {},
      }),
    Deno.errors.AddrInUse,
  );
  await assert.rejects(
    () => Deno.connect({ hostname: "::1", port }),
    Deno.errors.ConnectionRefused,
  );
});

Deno.test("who goes away before the answer is told of once, and the task hears of it", async () => {
  await using task = await gatedTask(() => {});
  {
    using wire = await task.connect();
    await wire.write("GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await until(() => task.open() === 1);
    using other = await task.connect();
    await other.write(HANDSHAKE);
    await until(() => task.open() === 2);
  }
  await until(() => task.open() === 0);
  await until(() => task.entries.length === 2);
  assert.deepEqual(
    task.entries.map(({ status, verdict }) => [status, verdict]),
    [[499, "failed"], [499, "failed"]],
  );
});

Deno.test("silent connections make room, slow ones end, and many harm nobody", async () => {
  await using task = await gatedTask((_request, response) => {
    response.end("here");
  }, { maxOpen: 50 });
  const junk = new Set<Deno.TcpConn>();
  try {
    for (let index = 0; index < JUNK; index++) {
      const conn = await Deno.connect({
        hostname: "127.0.0.1",
        port: task.gate.port,
      });
      junk.add(conn);
      if (junk.size <= 100) continue;
      const [oldest] = junk;
      oldest?.close();
      if (oldest !== undefined) junk.delete(oldest);
    }
    const answer = await fetch(task.at("/"));
    assert.equal(await answer.text(), "here");
  } finally {
    for (const conn of junk) conn.close();
  }
});

Deno.test("who says nothing, or stops in a head or a body, is let go; who waits for the task is not", async () => {
  const clock = new FastTime();
  await using task = await gatedTask((request) => void request.resume(), {
    clock,
  });
  using silent = await task.connect();
  using head = await task.connect();
  await head.write("GET / HTTP/1.1\r\nHo");
  using body = await task.connect();
  await body.write(
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nab",
  );
  using waiting = await task.connect();
  await waiting.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  await until(() => task.open() === 2);
  clock.stepMs = 1_000;
  // Whoever waits for the task may wait for ever; the others end.
  assert.equal(await silent.readAll(), "");
  assert.equal(await head.readAll(), "");
  assert.equal(await body.readAll(), "");
  await until(() => task.open() === 1);
  clock.stepMs = 0;
  await until(() => task.entries.length === 1);
});

Deno.test("an answer that nobody takes ends after a while, and the task hears of it", async () => {
  const clock = new FastTime();
  await using task = await gatedTask((_request, response) => {
    response.write(new Uint8Array(64 * MEGABYTE));
  }, { clock });
  using wire = await task.connect();
  await wire.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  await wire.readHead();
  assert.equal(task.open(), 1);
  clock.stepMs = 1_000;
  await until(() => task.open() === 0);
  clock.stepMs = 0;
  const { status } = await until(() => task.entries[0]);
  assert.equal(status, 200);
});

Deno.test("one visitor cannot take all places", async () => {
  await using task = await gatedTask(() => {});
  using wire = await task.connect();
  const request =
    `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: ${VISITOR}\r\n\r\n`;
  await wire.write(request.repeat(257));
  await until(() => task.entries.length === 1);
  assert.equal(task.entries[0]?.status, 503);
  assert.equal(task.entries[0]?.verdict, "refused");
  using other = await task.connect();
  await other.write(request.replace(VISITOR, "198.51.100.1"));
  await until(() => task.open() === 257);
});
