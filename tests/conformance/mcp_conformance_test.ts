/**
 * The official conformance suite of MCP: all of it against our port, sessions and server with the suite's own fixtures,
 * and what needs no fixtures against a real daemon.
 *
 * @module
 */

import assert from "node:assert/strict";
import { McpSessions } from "../../src/mcp/mcp_sessions.ts";
import { serveHttp } from "../../src/transports/http_server.ts";
import { REPOSITORY } from "../support/deno_flags.ts";
import { connectMcp, mcpUrl, sseEvents } from "../support/mcp_client.ts";
import { MCP_FIXTURES } from "../support/mcp_fixture_catalogue.ts";
import { testTaskmux } from "../support/taskmux.ts";
import { tempHome } from "../support/temp_home.ts";

/** Scenarios of version 0.1.16; each must run, so that none is left out in silence. */
const SCENARIOS = 32;

/**
 * Scenarios that only warn. This one asks as a client of 2025-03-26, which cannot take the events of which it is about;
 * the same is asked below as a client of 2025-11-25.
 */
const UNCHECKED = ["server-sse-polling"];

/** What a server says for itself, whatever it offers. */
const WITHOUT_FIXTURES = [
  "server-initialize",
  "ping",
  "logging-set-level",
  "tools-list",
  "resources-list",
  "dns-rebinding-protection",
];

/** Runs the suite against an address. */
async function conformance(
  url: string,
  ...args: readonly string[]
): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: [
      "run",
      "--quiet",
      // Installed with the other packages: a test needs no network but loopback.
      "--cached-only",
      "--no-prompt",
      "--allow-env",
      "--allow-read",
      "--allow-sys",
      `--allow-net=localhost,127.0.0.1`,
      "tests/fixtures/programs/mcp_conformance.ts",
      "server",
      "--url",
      url,
      ...args,
    ],
    cwd: REPOSITORY,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Serves the fixtures as the daemon serves what it offers. @returns The address. */
async function serveFixtures(stack: AsyncDisposableStack): Promise<string> {
  const home = stack.use(await tempHome());
  const ended = new AbortController();
  stack.defer(() => ended.abort());
  const sessions = stack.use(
    new McpSessions({
      dispatcher: {
        kindOf: () => null,
        call: () => Promise.reject(new Error("nothing is asked of a daemon")),
        stream: () => assert.fail("nothing is asked of a daemon"),
      },
      config: { filter: [], tools: [] },
      lifetime: ended.signal,
      catalogue: MCP_FIXTURES,
      log: () => {},
    }),
  );
  const server = stack.use(serveHttp({
    port: 0,
    socketPath: `${home.root}/http.sock`,
    log: () => {},
    route: (request, url) =>
      url.pathname === "/mcp" ? sessions.handle(request, url) : null,
  }));
  return `http://localhost:${server.port}/mcp`;
}

Deno.test("the whole conformance suite of MCP passes against our sessions", async () => {
  await using stack = new AsyncDisposableStack();
  const url = await serveFixtures(stack);
  const { code, text } = await conformance(url, "--suite", "all");
  const passed = text.match(/^✓ .*$/gm) ?? [];
  assert.equal(code, 0, text);
  assert.equal(passed.length, SCENARIOS, text);
  const unchecked = passed.filter((line) => line.includes(": 0 passed"))
    .map((line) => /^✓ ([^:]+):/.exec(line)?.[1]);
  assert.deepEqual(unchecked, UNCHECKED);
});

Deno.test("a stream that is closed within a call is taken up again", async () => {
  await using stack = new AsyncDisposableStack();
  await using client = await connectMcp(await serveFixtures(stack));
  const response = await client.post({
    jsonrpc: "2.0",
    id: 9,
    method: "tools/call",
    params: { name: "test_reconnection", arguments: {} },
  });
  const events = await Array.fromAsync(sseEvents(response));
  assert.deepEqual(events.map(({ data }) => data), [""]);
  const lastEventId = events[0]?.id;
  assert(typeof lastEventId === "string");
  const over = new AbortController();
  for await (const message of client.listen(over.signal, lastEventId)) {
    if (message.id !== 9) continue;
    assert.match(JSON.stringify(message.result), /after the client came back/);
    break;
  }
  over.abort();
});

Deno.test("what needs no fixtures passes against a real daemon", async () => {
  await using taskmux = await testTaskmux();
  await taskmux.ok(["daemon", "start"]);
  const url = await mcpUrl(taskmux);
  const runs = WITHOUT_FIXTURES.map(async (scenario) => {
    const { code, text } = await conformance(url, "--scenario", scenario);
    assert.equal(code, 0, `${scenario}: ${text}`);
  });
  await Promise.all(runs);
});
