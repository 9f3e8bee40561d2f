/**
 * MCP sessions of a real daemon: where they are found, who tells of them, and what becomes of them when it ends.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import type { TestProject } from "../support/project.ts";
import { McpWire, type WireMessage } from "../support/mcp_wire.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

/** Without what a slash after it adds. */
async function addressOf(taskmux: Taskmux): Promise<string> {
  const { url } = await status(taskmux);
  assert.match(url ?? "", /^http:\/\/localhost:\d+\/agents$/);
  return url!;
}

function status(taskmux: Taskmux): Promise<Result<"mcp.status">> {
  return taskmux.call("mcp.status", {});
}

/** What the steps share. */
interface World {
  readonly taskmux: Taskmux;
  readonly project: TestProject;
  readonly url: string;
  /** Of project `shop`, and may only look. */
  readonly wire: McpWire;
}

/** Types of the events that an answer of a tool tells of. */
function newsOf({ result }: WireMessage): string[] {
  const { recent_events: events = [] } = result?.["structuredContent"] as {
    recent_events?: { event: string }[];
  };
  return events.map(({ event }) => event);
}

const STATUS = { name: "taskmux_status", arguments: {} };

Deno.test("MCP sessions of a daemon", async (t) => {
  await using taskmux = await testTaskmux({
    hostConfig:
      'api_port = 0\nproxy_enabled = false\nmcp = { path = "/agents/" }\n',
  });
  const project = await taskmux.project(
    'name = "shop"\n[tasks]\na = "exec sleep 1000"\n',
  );
  await project.ok(["start"]);
  const url = await addressOf(taskmux);
  await using wire = new McpWire(url);

  const world: World = { taskmux, project, url, wire };
  await t.step(
    "are found with and without a slash, and told",
    () => areFoundAndTold(world),
  );
  await t.step(
    "a project that is not there yet may be the pin",
    () => takeUnknownPins(world),
  );
  await t.step(
    "news come with one answer to each session",
    () => tellNewsOnce(world),
  );
  await t.step(
    "end with the daemon, and the next one says so",
    () => endWithTheDaemon(world),
  );
  await t.step(
    "are not there where the settings say so",
    () => areSwitchedOff(world),
  );
});

async function areFoundAndTold({ taskmux, url, wire }: World): Promise<void> {
  const { active_sessions: none, ...rest } = await status(taskmux);
  assert.equal(none, 0);
  assert.equal(rest.enabled, true);
  assert.equal(rest.transport, "streamable_http");
  await wire.initialize("?session=shop&access=read");
  await using other = new McpWire(`${url}/`);
  await other.initialize();
  const { active_sessions, sessions } = await status(taskmux);
  assert.equal(active_sessions, 2);
  const told = sessions.map(({ pin, access, client }) => ({
    pin,
    access,
    client,
  }));
  assert.deepEqual(told, [
    { pin: "shop", access: "read", client: "wire 1" },
    { pin: null, access: "full", client: "wire 1" },
  ]);
  const elsewhere = await fetch(`${url}s`);
  assert.equal(elsewhere.status, 404);
  await elsewhere.body?.cancel();
}

async function takeUnknownPins({ url }: World): Promise<void> {
  await using early = new McpWire(url);
  await early.initialize("?session=later");
  const { result } = await early.ask("tools/call", STATUS);
  assert.match(JSON.stringify(result), /unknown_session/);
}

async function tellNewsOnce({ project, url, wire }: World): Promise<void> {
  await using old = new McpWire(url, "2025-06-18");
  await old.initialize("?session=shop");
  for (const client of [wire, old]) await client.ask("tools/call", STATUS);
  await project.ok(["restart", "a"]);
  for (const client of [wire, old]) {
    assert.deepEqual(newsOf(await client.ask("tools/call", STATUS)), [
      "task_exited",
      "task_restarted",
    ]);
    assert.deepEqual(newsOf(await client.ask("tools/call", STATUS)), []);
  }
}

async function endWithTheDaemon({ taskmux, wire }: World): Promise<void> {
  const events = await wire.follow();
  await until(async () =>
    (await status(taskmux)).sessions.some(({ streams }) => streams === 1)
  );
  const args = { task: "a", for: "stopped", timeout: 300 };
  const call = await wire.beginCall("taskmux_wait", args);
  await call.next();
  await taskmux.ok(["config", "set", "mcp.tools", "status,taskmux_wait"]);
  await taskmux.ok(["daemon", "restart"]);
  // The answer, if there was time for it, and in any case the end.
  const answers = await call.rest();
  for (const { error } of answers) {
    assert.match(error?.message ?? "", /the daemon ended/);
  }
  await events.rest();
  await using again = new McpWire(await addressOf(taskmux));
  again.session = wire.session;
  const refused = await again.send({ method: "GET" });
  assert.equal(refused.status, 404);
  await refused.body?.cancel();
  await again.initialize("?session=shop");
  assert.deepEqual((await again.ask("ping")).result, {});
  const { result } = await again.ask("tools/list");
  const { tools } = result as { readonly tools: readonly { name: string }[] };
  assert.deepEqual(
    tools.map(({ name }) => name),
    ["taskmux_status", "taskmux_wait"],
  );
}

async function areSwitchedOff({ taskmux }: World): Promise<void> {
  await taskmux.ok(["config", "set", "mcp.enabled", "false"]);
  await taskmux.ok(["daemon", "restart"]);
  const { enabled, url: none } = await status(taskmux);
  assert.equal(enabled, false);
  assert.equal(none, null);
  const { api_port: port } = await taskmux.call("daemon.status", {});
  const response = await fetch(`http://localhost:${port}/agents`);
  assert.equal(response.status, 404);
  await response.body?.cancel();
}
