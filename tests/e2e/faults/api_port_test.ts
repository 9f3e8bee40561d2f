/**
 * Hostile input on the port of the API: refused, bounded, logged; and the daemon is afterwards what it was before.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  apiConnections,
  descriptorLimit,
} from "../../../src/daemon/descriptor_limit.ts";
import { systemClock } from "../../../src/kit/clock.ts";
import { type McpClient, mcpClient } from "../../support/mcp_client.ts";
import { descriptorsOf, HAS_PROC, memoryOf } from "../../support/processes.ts";
import { sendRaw } from "../../support/raw_http.ts";
import { type Taskmux, testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const MIB = 1024 * 1024;

/** Connections that fetch opens at most for a client that asks one thing after the other and leaves answers unread. */
const MOST_PER_CLIENT = 3;

const WEB = 'name = "safe"\n[tasks.web]\ncommand = "exec sleep 1000"\n';

/** A daemon with a project, and a client of it that must get on whatever else happens. */
interface Prey extends AsyncDisposable {
  readonly taskmux: Taskmux;
  readonly client: McpClient;
  readonly port: number;
  readonly daemon: number;
  /** Pid of the task. */
  readonly task: number;
  /** Fails unless the daemon and its task are those of before, and the client is answered. */
  assertUnhurt(): Promise<void>;
}

async function prey(): Promise<Prey> {
  await using stack = new AsyncDisposableStack();
  const taskmux = stack.use(await testTaskmux());
  const project = await taskmux.project(WEB);
  await project.ok(["start"]);
  const task = await project.pid("web");
  const { api_port: port, pid: daemon } = await taskmux.ok<
    { api_port: number; pid: number }
  >(["daemon", "status"]);
  const client = stack.use(await mcpClient(taskmux));
  const owned = stack.move();
  return {
    taskmux,
    client,
    port,
    daemon,
    task,
    assertUnhurt: async () => {
      const { tools } = await client.request<{ tools: unknown[] }>(
        "tools/list",
      );
      assert(tools.length > 0);
      assert.equal(await taskmux.daemonPid(), daemon);
      assert.equal(await project.pid("web"), task);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function rpc(method: string, params?: unknown, id: unknown = 7): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}

const DEEP = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;

/** Bodies that are no request of MCP, or one that makes no sense. */
const NONSENSE: Readonly<Record<string, string>> = {
  "nothing": "",
  "no JSON": "{",
  "another language": "<?xml version='1.0'?><a/>",
  "a number": "1",
  "null": "null",
  "a text": '"tools/list"',
  "an empty object": "{}",
  "an empty batch": "[]",
  "a batch of nothing": "[null,1,[]]",
  "no version": '{"id":1,"method":"ping"}',
  "another version": '{"jsonrpc":"1.0","id":1,"method":"ping"}',
  "an id that is an object": rpc("ping", {}, { a: 1 }),
  "an id that is an array": rpc("ping", {}, []),
  "an id that is no integer": '{"jsonrpc":"2.0","id":1e400,"method":"ping"}',
  "a method that is a number": '{"jsonrpc":"2.0","id":1,"method":5}',
  "a method of the prototype": rpc("__proto__"),
  "a method that nobody knows": rpc("constructor"),
  "params that are a text": rpc("tools/call", "x"),
  "params that are an array": rpc("tools/call", ["taskmux_stop"]),
  "a name that is a number": rpc("tools/call", { name: 5 }),
  "a name of the prototype": rpc("tools/call", { name: "__proto__" }),
  "a name that is a path": rpc("tools/call", { name: "../../etc/passwd" }),
  "arguments that are an array": rpc("tools/call", {
    name: "taskmux_status",
    arguments: [1],
  }),
  "arguments that are wrong": rpc("tools/call", {
    name: "taskmux_status",
    arguments: { session: { $gt: "" } },
  }),
  "arguments of a megabyte": rpc("tools/call", {
    name: "taskmux_status",
    arguments: { session: "x".repeat(MIB) },
  }),
  "arguments with controls": rpc("tools/call", {
    name: "taskmux_status",
    arguments: { session: "\u001b[2J\n\0\u202e" },
  }),
  "a resource that is a file": rpc("resources/read", {
    uri: "file:///etc/passwd",
  }),
  "a resource above another": rpc("resources/read", {
    uri: "taskmux://logs/../../../etc/passwd",
  }),
  "a resource that is an object": rpc("resources/read", { uri: {} }),
  "a level that is none": rpc("logging/setLevel", { level: "loud" }),
  "a cursor that is none": rpc("tools/list", { cursor: 5 }),
  "an answer to what nobody asked": '{"jsonrpc":"2.0","id":99,"result":{}}',
  "an error to what nobody asked":
    '{"jsonrpc":"2.0","id":99,"error":{"code":1,"message":"x"}}',
  "progress of nothing":
    '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"x","progress":1}}',
  "withdrawal of nothing":
    '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{"a":1}}}',
  "deep JSON": DEEP,
  "deep arguments":
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"taskmux_status","arguments":{"session":${DEEP}}}}`,
  "bytes that are no text": "\xff\xfe\x00{",
};

Deno.test("what is no request of MCP is refused, and changes nothing", async () => {
  await using stack = new AsyncDisposableStack();
  const { client, assertUnhurt } = stack.use(await prey());
  for (const [what, body] of Object.entries(NONSENSE)) {
    const response = await client.post(body);
    const text = await response.text();
    const isRefused = response.status >= 400 && response.status < 500;
    const isError = /"error":\s*\{|"isError":\s*true/.test(text);
    const isIgnored = response.status === 202;
    assert(
      isRefused || isError || isIgnored,
      `${what}: ${response.status} ${text.slice(0, 200)}`,
    );
    assert(!/\bat .*\.ts:\d+/.test(text), `${what} tells of our code: ${text}`);
    assert(text.length < 4_096, `${what}: ${text.length} characters`);
  }
  await assertUnhurt();
});

const NAMED = "Host: localhost:PORT";
const JSON_BODY = "Content-Type: application/json";
const ACCEPT = "Accept: application/json, text/event-stream";

/** Who asks from elsewhere, or calls this machine something else. */
const FOREIGN: readonly (readonly string[])[] = [
  [NAMED, "Origin: http://evil.example"],
  [NAMED, "Origin: null"],
  [NAMED, "Origin: http://localhost:1"],
  [NAMED, "Origin: https://localhost:PORT"],
  [NAMED, "Origin: http://web.safe.localhost"],
  [NAMED, "Origin: http://taskmux.localhost"],
  [NAMED, "Origin: http://localhost.evil.example:PORT"],
  [NAMED, "Origin: http://\u001b[31mevil\u001b[0m"],
  [NAMED, "Sec-Fetch-Site: cross-site"],
  ["Host: evil.example:PORT"],
  ["Host: safe.localhost:PORT"],
  ["Host: localhost:PORT.evil.example"],
];

const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

Deno.test("who comes from elsewhere is refused on every path, and told of in few words", async () => {
  await using stack = new AsyncDisposableStack();
  const { taskmux, client, port, assertUnhurt } = stack.use(await prey());
  const body = rpc("tools/call", { name: "taskmux_stop", arguments: {} });
  const session = `Mcp-Session-Id: ${client.sessionId}`;
  const sized = `Content-Length: ${body.length}`;
  for (const foreign of FOREIGN) {
    const requests = [
      ["POST /mcp HTTP/1.1", ...foreign, session, JSON_BODY, ACCEPT, sized],
      ["POST /mcp/ HTTP/1.1", ...foreign, session, JSON_BODY, ACCEPT, sized],
      ["GET /mcp HTTP/1.1", ...foreign, session, ACCEPT],
      ["DELETE /mcp HTTP/1.1", ...foreign, session],
      ["GET / HTTP/1.1", ...foreign, ...UPGRADE],
      ["GET /mcp HTTP/1.1", ...foreign, ...UPGRADE],
    ];
    for (const lines of requests) {
      const text = `${lines.join("\r\n")}\r\n\r\n`;
      const whole = lines.includes(sized) ? text + body : text;
      const { status } = await sendRaw(
        port,
        whole.replaceAll("PORT", String(port)),
      );
      // A header that is none does not even get that far.
      assert(status === 403 || status === 400, `${status}: ${whole}`);
    }
  }
  for (
    const type of [
      "text/plain",
      "text/plain; x=application/json",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/jsonp",
      "",
    ]
  ) {
    const response = await fetch(client.url, {
      method: "POST",
      headers: { ...client.headers, "content-type": type },
      body,
    });
    await response.body?.cancel();
    assert.equal(response.status, 415, type);
  }
  await assertUnhurt();
  const log = await Deno.readTextFile(taskmux.home.paths.daemonLog);
  const told = log.split("\n").filter((line) => line.includes("refused"));
  assert.match(told[0] ?? "", /forbidden_origin.*evil\.example/);
  assert(told.length <= 18, `${told.length} lines`);
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  assert.doesNotMatch(log, /[\x00-\x08\x0b-\x1f\x7f]/);
});

/** Sends a head and a body that never ends, until it is answered. @returns The status, or null if it is hung up on. */
async function pour(port: number, head: string): Promise<number | null> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const chunk = new TextEncoder().encode(
    `10000\r\n${" ".repeat(0x10000)}\r\n`,
  );
  const pouring = (async () => {
    try {
      await conn.write(new TextEncoder().encode(head));
      for (let at = 0;;) {
        at = (at + await conn.write(chunk.subarray(at))) % chunk.length;
      }
    } catch (error) {
      // It does not take any more.
      if (!(error instanceof Error)) throw error;
    }
  })();
  const buffer = new Uint8Array(1_024);
  const count = await conn.read(buffer).catch(() => null);
  conn.close();
  await pouring;
  const text = new TextDecoder().decode(buffer.subarray(0, count ?? 0));
  const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1];
  return status === undefined ? null : Number(status);
}

Deno.test("bodies without end and answers that nobody reads are bounded", async () => {
  await using stack = new AsyncDisposableStack();
  const { client, port, daemon, assertUnhurt } = stack.use(await prey());
  // Warm: what is loaded and compiled is no leak.
  await client.post(rpc("tools/list", { x: "x".repeat(MIB) })).then((each) =>
    each.text()
  );
  const before = HAS_PROC ? memoryOf(daemon) : 0;
  const descriptors = HAS_PROC ? descriptorsOf(daemon).length : 0;
  const big = await client.post(rpc("ping", { x: "x".repeat(5 * MIB) }));
  await big.body?.cancel();
  assert.equal(big.status, 413);
  const batch = `[${
    Array.from({ length: 10_000 }, (_, n) => rpc("ping", {}, n)).join(",")
  }]`;
  const many = await client.post(batch);
  const told = await many.text();
  assert([400, 413, 429].includes(many.status), `${many.status} ${told}`);
  const head = `POST /mcp HTTP/1.1\r\nHost: localhost\r\n${JSON_BODY}\r\n` +
    `${ACCEPT}\r\nMcp-Session-Id: ${client.sessionId}\r\n`;
  const endless = `${head}Transfer-Encoding: chunked\r\n\r\n`;
  const poured = await Promise.all(
    Array.from({ length: 8 }, () => pour(port, endless)),
  );
  for (const status of poured) {
    assert(status === 413 || status === null, String(status));
  }
  // Half a body, and silence; calls whose answers nobody reads; streams that nobody reads.
  const call = rpc("tools/call", { name: "taskmux_status", arguments: {} });
  const asked = `${head}Content-Length: ${call.length}\r\n\r\n${call}`;
  const words = [
    `${head}Content-Length: 1000000\r\n\r\n{"jsonrpc"`,
    asked.repeat(200),
    asked.replace("POST", "GET").replace(JSON_BODY, "X: y"),
  ];
  const held: Deno.Conn[] = [];
  for (let n = 0; n < 60; n++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    held.push(conn);
    // What does not fit is not waited for.
    conn.write(new TextEncoder().encode(words[n % words.length])).catch(() =>
      0
    );
  }
  await assertUnhurt();
  for (const conn of held) conn.close();
  if (HAS_PROC) {
    await until(() => descriptorsOf(daemon).length <= descriptors + 8, {
      what: "descriptors are closed",
    });
    const grown = (memoryOf(daemon) - before) / MIB;
    assert(grown < 150, `grew by ${grown.toFixed(0)} MiB`);
  }
  await assertUnhurt();
});

Deno.test("ids of sessions are not to be guessed", async () => {
  await using stack = new AsyncDisposableStack();
  const { client, assertUnhurt } = stack.use(await prey());
  const id = client.sessionId ?? "";
  assert.match(id, /^[\x21-\x7e]{32,}$/);
  const guesses = [
    ...Array.from({ length: 50 }, () => crypto.randomUUID()),
    id.toUpperCase() === id ? id.toLowerCase() : id.toUpperCase(),
    id.slice(0, -1),
    `${id}0`,
    `${id},${id}`,
    "__proto__",
    "../../mcp",
    "null",
    "0",
    "x".repeat(10_000),
  ];
  for (const guess of guesses) {
    for (const method of ["POST", "GET", "DELETE"]) {
      const response = await fetch(client.url, {
        method,
        headers: { ...client.headers, "mcp-session-id": guess },
        ...method === "POST" ? { body: rpc("tools/list") } : {},
      });
      const text = await response.text();
      assert(
        response.status === 404 || response.status === 400,
        `${method} ${guess.slice(0, 40)}: ${response.status} ${text}`,
      );
      assert(text.length < 1_000, text);
    }
  }
  await assertUnhurt();
});

Deno.test("two hundred clients at once are all answered, and leave nothing", async () => {
  await using stack = new AsyncDisposableStack();
  const { taskmux, daemon, assertUnhurt } = stack.use(await prey());
  // With few descriptors (`ulimit -n`) the port has no room for 200.
  const room = apiConnections(await descriptorLimit(systemClock));
  const clients = Math.min(200, Math.floor(room / MOST_PER_CLIENT));
  if (clients < 200) console.error(`room for ${clients} clients only`);
  await Promise.all(Array.from({ length: clients }, async (_, n) => {
    await using client = await mcpClient(taskmux, {
      query: "session=safe",
      client: { name: `client-${n}`, version: "1" },
    });
    const { content } = await client.tool("taskmux_status");
    assert.match(content[0]?.text ?? "", /web/);
  }));
  await assertUnhurt();
  const { sessions } = await taskmux.call("mcp.status", {});
  assert.equal(sessions.length, 1, "only the one that stays");
  if (HAS_PROC) {
    // Fetch keeps its connections for the next request; each has three descriptors.
    const open = descriptorsOf(daemon).length;
    assert(open < 3 * MOST_PER_CLIENT * 200, `${open} descriptors`);
  }
});
