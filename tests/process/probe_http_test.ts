import assert from "node:assert/strict";
import type { HealthSpec } from "../../src/domain/task_spec.ts";
import { probe } from "../../src/health/mod.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { freePort } from "../support/free_port.ts";
import { look, SilentServer, target } from "./_probe_support.ts";

function serve(
  handler: (request: Request) => Response | Promise<Response>,
  options: { hostname?: string; isTls?: boolean } = {},
): Deno.HttpServer<Deno.NetAddr> {
  const { hostname = "127.0.0.1", isTls = false } = options;
  const listen = { hostname, port: 0, onListen: () => {} };
  if (!isTls) return Deno.serve(listen, handler);
  return Deno.serve({
    ...listen,
    cert: fixture("localhost.pem"),
    key: fixture("localhost-key.pem"),
  }, handler);
}

function fixture(name: string): string {
  return Deno.readTextFileSync(
    new URL(`../fixtures/tls/${name}`, import.meta.url),
  );
}

async function reasonOf(
  health: Partial<HealthSpec>,
  env: Record<string, string> = {},
): Promise<string | null> {
  const result = await look(target({ env, health }));
  assert.equal(result.method, "http");
  assert.equal(result.ok, result.reason === null);
  return result.reason;
}

Deno.test("an HTTP probe compares every status with the expected one", async () => {
  await using server = serve((request) => {
    const status = Number(new URL(request.url).pathname.slice(1));
    return new Response(status === 204 || status === 304 ? null : "body", {
      status,
      headers: status === 302 ? { location: "/200" } : {},
    });
  });
  const cases: [status: number, expected: number, reason: string | null][] = [
    [200, 200, null],
    [204, 204, null],
    [404, 404, null],
    [503, 503, null],
    [302, 302, null],
    [302, 200, null],
    [304, 200, "status 304 != 200"],
    [404, 200, "status 404 != 200"],
    [200, 404, "status 200 != 404"],
    [500, 200, "status 500 != 200"],
    [302, 404, "status 200 != 404"],
  ];
  for (const [status, expectedStatus, reason] of cases) {
    const url = `http://127.0.0.1:${server.addr.port}/${status}`;
    assert.equal(await reasonOf({ url, expectedStatus }), reason, `${status}`);
  }
});

Deno.test("an HTTP probe keeps the beginning of a wrong answer, and does not wait for its end", async () => {
  await using server = serve((request) => {
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("no database\n"));
        const isEndless = new URL(request.url).pathname === "/endless";
        if (!isEndless) controller.close();
      },
    });
    return new Response(stream, { status: 500 });
  });
  const at = `http://127.0.0.1:${server.addr.port}`;
  for (const path of ["/short", "/endless"]) {
    const result = await look(target({ health: { url: at + path } }));
    assert.equal(result.reason, "status 500 != 200", path);
    assert.equal(result.output, "no database", path);
  }
});

Deno.test("an HTTP probe searches the first 64 KiB of the body", async () => {
  const before = "x".repeat(64 * 1024 - 5);
  await using server = serve((request) => {
    const path = new URL(request.url).pathname;
    if (path === "/inside") return new Response(`${before}ready`);
    if (path === "/outside") return new Response(`${before}-ready`);
    if (path === "/empty") return new Response("");
    // Never ends; the first part is enough.
    return new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(65536)),
      }),
    );
  });
  const base = `http://127.0.0.1:${server.addr.port}`;
  const cases: [string, string, string | null][] = [
    ["/inside", "ready$", null],
    ["/outside", "ready", "body mismatch"],
    ["/empty", "^$", null],
    ["/empty", ".", "body mismatch"],
    ["/endless", "\\0", null],
    ["/endless", "x", "body mismatch"],
  ];
  for (const [path, expectedBody, reason] of cases) {
    assert.equal(
      await reasonOf({ url: base + path, expectedBody }),
      reason,
      path,
    );
  }
  assert.equal(await reasonOf({ url: `${base}/endless` }), null);
});

Deno.test("an HTTP probe says that its regular expression is none", async () => {
  await using server = serve(() => new Response("x"));
  const url = `http://127.0.0.1:${server.addr.port}/`;
  assert.match(
    await reasonOf({ url, expectedBody: "(" }) ?? "",
    /^cannot probe: Invalid regular expression/,
  );
});

Deno.test("an HTTP probe follows a bounded number of redirects", async () => {
  await using server = serve((request) => {
    const left = Number(new URL(request.url).pathname.slice(1));
    return left === 0
      ? new Response("there")
      : Response.redirect(new URL(`/${left - 1}`, request.url), 307);
  });
  const base = `http://127.0.0.1:${server.addr.port}`;
  assert.equal(
    await reasonOf({ url: `${base}/5`, expectedBody: "there" }),
    null,
  );
  assert.equal(await reasonOf({ url: `${base}/6` }), "more than 5 redirects");
});

Deno.test("an HTTP probe does not follow a redirect to another protocol", async () => {
  await using server = serve(() =>
    new Response(null, { status: 302, headers: { location: "ftp://x/" } })
  );
  const url = `http://127.0.0.1:${server.addr.port}/`;
  assert.equal(await reasonOf({ url }), "status 302 != 200");
});

Deno.test("an HTTP probe expands variables of the task in its URL", async () => {
  await using server = serve((request) =>
    new Response(new URL(request.url).pathname)
  );
  const env = { PORT: String(server.addr.port), STAGE: "dev" };
  const url = "http://localhost:$PORT/${STAGE}/health";
  assert.equal(
    await reasonOf({ url, expectedBody: "^/dev/health$" }, env),
    null,
  );
  assert.equal(
    await reasonOf({ url }, { STAGE: "dev" }),
    "url error: $PORT is not set",
  );
});

Deno.test("an HTTP probe explains a URL that it cannot ask", async () => {
  const cases: Record<string, string> = {
    "not a url": 'url error: "not a url" is not a URL',
    "http://localhost:99999/":
      'url error: "http://localhost:99999/" is not a URL',
    "ftp://localhost/": "url error: ftp: is not http or https",
    "file:///etc/passwd": "url error: file: is not http or https",
  };
  for (const [url, reason] of Object.entries(cases)) {
    assert.equal(await reasonOf({ url }), reason);
  }
});

async function isOpen(hostname: string, port: number): Promise<boolean> {
  try {
    using _connection = await Deno.connect({ hostname, port });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

Deno.test("an HTTP probe reaches *.localhost on either address with the name it was given", async () => {
  for (const hostname of ["127.0.0.1", "::1"]) {
    for (const isTls of [false, true]) {
      await using server = serve(
        (request) => new Response(request.headers.get("host")),
        { hostname, isTls },
      );
      const { port } = server.addr;
      // Somebody else's server on the other address would answer as well.
      if (hostname === "::1" && await isOpen("127.0.0.1", port)) continue;
      const url = `${isTls ? "https" : "http"}://web.demo.localhost:${port}/`;
      const expectedBody = `^web\\.demo\\.localhost:${port}$`;
      assert.equal(await reasonOf({ url, expectedBody }), null, url);
    }
  }
});

Deno.test("an HTTP probe takes this machine's addresses and their certificates as they are", async () => {
  await using server = serve(() => new Response("fine"), { isTls: true });
  const { port } = server.addr;
  for (const host of ["localhost", "127.0.0.1", "0.0.0.0", "LOCALHOST"]) {
    assert.equal(
      await reasonOf({ url: `https://${host}:${port}/` }),
      null,
      host,
    );
  }
  await using six = serve(() => new Response("fine"), {
    hostname: "::1",
    isTls: true,
  });
  for (const host of ["[::1]", "[::]"]) {
    const url = `https://${host}:${six.addr.port}/`;
    assert.equal(await reasonOf({ url }), null, host);
  }
});

Deno.test("an HTTP probe sends the user and password of its URL", async () => {
  await using server = serve((request) =>
    new Response(request.headers.get("authorization"))
  );
  const url = `http://me:p%40ss@127.0.0.1:${server.addr.port}/`;
  const expectedBody = `^Basic ${btoa("me:p@ss").replace(/[+=]/g, "\\$&")}$`;
  assert.equal(await reasonOf({ url, expectedBody }), null);
});

Deno.test("an HTTP probe says why there is no answer", async () => {
  const port = freePort();
  assert.equal(
    await reasonOf({ url: `http://localhost:${port}/` }),
    `connect refused: nothing listens on localhost:${port}`,
  );
  assert.equal(
    await reasonOf({ url: `https://web.demo.localhost:${port}/` }),
    `connect refused: nothing listens on web.demo.localhost:${port}`,
  );
});

/** Accepts one connection, waits for the first bytes and answers with a text. */
async function answering(
  text: string,
  body: (port: number) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    await connection.write(new TextEncoder().encode(text));
  })();
  await body(listener.addr.port);
  await serving;
  listener.close();
}

Deno.test("an HTTP probe tells another protocol from no server", async () => {
  await answering("SSH-2.0-OpenSSH_9.2\r\n", async (port) => {
    assert.match(
      await reasonOf({ url: `http://127.0.0.1:${port}/` }) ?? "",
      /^no HTTP answer: /,
    );
  });
  await answering("HTTP/1.1 400 Bad Request\r\n\r\n", async (port) => {
    assert.match(
      await reasonOf({ url: `https://127.0.0.1:${port}/` }) ?? "",
      /^url error: .*wrong version number/,
    );
  });
  await answering("", async (port) => {
    assert.equal(
      await reasonOf({ url: `http://127.0.0.1:${port}/` }),
      "connection closed without an answer",
    );
  });
  await answering(
    "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
    async (port) => {
      const url = `http://127.0.0.1:${port}/`;
      assert.notEqual(await reasonOf({ url, expectedBody: "half" }), null);
    },
  );
});

Deno.test("an HTTP probe can be cancelled in the middle of an answer", async () => {
  await using silent = new SilentServer();
  const cancel = new AbortController();
  const url = `http://127.0.0.1:${silent.port}/`;
  const probing = probe(target({ health: { url } }), {
    clock: systemClock,
    signal: cancel.signal,
  });
  await silent.accepted;
  cancel.abort(new RangeError("stop"));
  await assert.rejects(probing, RangeError);
});

Deno.test({
  name: "an HTTP probe needs the permissions of the daemon and no more",
  permissions: {
    net: ["127.0.0.0/8", "[::1]", "localhost", "*.localhost"],
    read: true,
    env: true,
  },
  fn: async () => {
    await using server = serve(() => new Response("fine"), { isTls: true });
    const { port } = server.addr;
    assert.equal(
      await reasonOf({ url: `https://a.b.localhost:${port}/` }),
      null,
    );
    assert.equal(
      await reasonOf({ url: "http://192.0.2.1/" }),
      "not permitted: network access to 192.0.2.1",
    );
    assert.equal(
      await reasonOf({ url: "https://192.0.2.1/" }),
      "not permitted: network access to 192.0.2.1",
    );
  },
});
