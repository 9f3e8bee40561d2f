/**
 * Every place where a task shows tells that others can reach it, and none does once they cannot.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FakeEdge } from "../support/fake_edge.ts";
import { mcpClient } from "../support/mcp_client.ts";
import type { TestProject } from "../support/project.ts";
import {
  PUBLIC_SERVER,
  TunnelledProject,
  tunnelledTaskmux,
} from "../support/tunnelled.ts";
import type { Taskmux } from "../support/taskmux.ts";
import { TestWebSocket } from "../support/web_socket.ts";

const SHOP = `name = "surfaces"
[tasks.web]
host = "web"
command = "${PUBLIC_SERVER}"
[tasks.nosy]
command = "echo it is $TASKMUX_PUBLIC_URL_WEB; exec sleep 1000"
auto_start = false
[tasks.named]
host = "named"
command = "exec sleep 1000"
auto_start = false
tunnel = "cloudflare-quick"
`;

interface World {
  readonly taskmux: Taskmux;
  readonly project: TestProject;
  /** The public address of `web`. */
  readonly url: string;
}

Deno.test("what is public shows everywhere", async (t) => {
  await using edge = await FakeEdge.open();
  await using of = await tunnelledTaskmux({ edge });
  const { taskmux } = of;
  const shop = await TunnelledProject.start(of, SHOP);
  const { project } = shop;
  const { public_url: url } = await shop.up({ task: "web", expires: 3_600 });
  const world = { taskmux, project, url };

  await t.step("status and inspect", () => listed(world));
  await t.step("url, open and worktree urls", () => addresses(world));
  await t.step("env, and the environment of tasks", () => environments(world));
  await t.step(
    "programs of tunnels are no tasks of users",
    () => programs(world),
  );
  await t.step("listings of the daemon", () => listings(world));
  await t.step("why", () => explained(world));
  await t.step("agents", () => agents(world));
  await t.step("scripts of the original", () => scripts(world));
  await t.step("restart of all leaves tunnels alone", () => restarted(world));
  await t.step("stop tells what it closed", () => stopped(world));
});

async function listed({ project, url }: World): Promise<void> {
  const { tasks } = await project.status();
  const [web, nosy, named] = tasks;
  assert.equal(web?.public_url, url);
  assert.equal(web?.tunnel?.state, "open");
  assert.deepEqual([nosy?.public_url, nosy?.tunnel], [null, null]);
  // A name in a file alone makes nothing public.
  assert.deepEqual(
    [named?.public_url, named?.tunnel?.state, named?.tunnel?.public],
    [null, "off", false],
  );
  const { stdout } = await project.run(["status"]);
  assert.match(stdout, /web .*PUBLIC: everybody, for 59m /);
  assert.match(stdout, /tunnel of web/);
  assert.match(stdout, /1 of 3 tasks active/);
  const detail = await project.ok<{ tunnel: { origin: string } }>([
    "inspect",
    "web",
  ]);
  assert.match(detail.tunnel.origin, /^http:\/\/127\.0\.0\.1:\d+$/);
  const inspected = await project.run(["inspect", "web"]);
  assert.match(inspected.stdout, new RegExp(`public_url: ${url}`));
  assert.match(inspected.stdout, /origin: http:\/\/127/);
}

async function addresses({ project, url }: World): Promise<void> {
  const both = await project.ok(["url", "web"]);
  assert.equal(both["public_url"], url);
  assert.match(String(both["url"]), /^https:\/\/web\.surfaces\.localhost/);
  const { stdout } = await project.run(["url", "web", "--public"]);
  assert.equal(stdout, `${url}\n`);
  const { hint } = await project.fails("E743", ["url", "named", "--public"]);
  assert.equal(hint, "taskmux tunnel up named");
  await project.fails("E200", ["url", "ghost", "--public"]);
  const all = await project.ok<{ urls: unknown[] }>(["url", "--public"]);
  assert.equal(all.urls.length, 1);
  const seen = `${project.folder}/opened`;
  await project.file("browser", `#!/bin/sh\necho "$1" > ${seen}\n`);
  await Deno.chmod(`${project.folder}/browser`, 0o700);
  const env = { BROWSER: `${project.folder}/browser` };
  await project.ok(["open", "web", "--public"], { env });
  assert.deepEqual(await project.linesOf("opened", 1), [url]);
  await project.fails("E743", ["open", "named", "--public"], { env });
  const { urls } = await project.ok<{ urls: { public_url: string }[] }>([
    "worktree",
    "urls",
  ]);
  assert.equal(urls[0]?.public_url, url);
}

async function environments({ project, url }: World): Promise<void> {
  const { env } = await project.ok<{ env: Record<string, string> }>(["env"]);
  const named = Object.entries(env).filter(([name]) => /PUBLIC/.test(name));
  assert.deepEqual(named, [["TASKMUX_PUBLIC_URL_WEB", url]]);
  assert.equal("TASKMUX_URL_TUNNEL_WEB" in env, false);
  // What a caller that is a task itself has is not handed on.
  const stale = { TASKMUX_PUBLIC_URL_NAMED: "https://gone.example" };
  await project.ok(["start", "nosy"], { env: stale });
  const { env: own } = await project.ok<{ env: object }>(["inspect", "nosy"]);
  assert.equal(JSON.stringify(own).includes("gone.example"), false);
  await project.ok(["wait", "nosy", "--for", "log:/it is https/"]);
  assert.deepEqual(await project.log("nosy"), [`it is ${url}`]);
}

async function programs({ project }: World): Promise<void> {
  const health = await project.ok<{ tasks: { name: string }[] }>(["health"]);
  assert.deepEqual(
    health.tasks.map(({ name }) => name),
    ["web", "nosy", "named"],
  );
  await project.fails("E301", ["start"]);
  const { role } = await project.task("tunnel-web");
  assert.equal(role, "tunnel");
  assert.notDeepEqual(await project.log("tunnel-web"), []);
}

async function restarted({ project }: World): Promise<void> {
  const before = await project.pid("tunnel-web");
  const { tasks } = await project.ok<{ tasks: string[] }>(["restart"]);
  assert.deepEqual(tasks.toSorted(), ["nosy", "web"]);
  assert.equal(await project.pid("tunnel-web"), before);
}

async function listings({ taskmux, project, url }: World): Promise<void> {
  const status = await project.ok(["daemon", "status"]);
  assert.deepEqual([status["running_tasks"], status["public_tasks"]], [2, 1]);
  const { projects } = await taskmux.call("project.list", {});
  const [{ running_count, task_count, public_count } = {}] = projects;
  assert.deepEqual([running_count, task_count, public_count], [2, 3, 1]);
  const { checks } = await project.ok<{ checks: { name: string }[] }>([
    "doctor",
  ]);
  const told = Object.groupBy(checks, ({ name }) => name);
  assert.match(
    JSON.stringify(told["public"]),
    new RegExp(`"ok".*surfaces/web at ${url} \\(everybody\\)`),
  );
  assert.match(JSON.stringify(told["tunnel_programs"]), /cloudflared/);
  assert.match(JSON.stringify(told["tunnel_secrets"]), /private/);
  const { stdout } = await project.run(["events", "--task", "web"]);
  assert.match(
    stdout,
    new RegExp(`tunnel_opened \\(by cloudflare-quick, ${url}, everybody`),
  );
}

async function explained({ project, url }: World): Promise<void> {
  const web = await project.run(["why", "web"]);
  assert.match(web.stdout, new RegExp(`tunnel +PUBLIC at ${url} \\(everybody`));
  const program = await project.run(["why", "tunnel-web"]);
  assert.match(program.stdout, /that makes web public/);
}

async function agents({ taskmux, url }: World): Promise<void> {
  await using client = await mcpClient(taskmux, { query: "session=surfaces" });
  const status = await client.tool("taskmux_status");
  const { tasks } = status.structuredContent as { tasks: object };
  assert.deepEqual(Object.keys(tasks), ["web", "nosy", "named"]);
  assert.match(
    JSON.stringify(tasks),
    new RegExp(`public: ${url} \\(everybody\\)`),
  );
  const { tools } = await client.request("tools/list") as {
    tools: { name: string }[];
  };
  assert.equal(tools.some(({ name }) => /tunnel|public/.test(name)), false);
}

async function scripts({ taskmux, url }: World): Promise<void> {
  const info = await Deno.readTextFile(taskmux.home.paths.daemonInfo);
  const port = JSON.parse(info).api_port;
  for (const [query, count] of [["", 1], ["?session=other", 0]] as const) {
    await using socket = await TestWebSocket.open({ port, query });
    socket.send({ command: "tunnel_status" });
    const { tunnels } = await socket.next() as { tunnels: object[] };
    assert.equal(tunnels.length, count, query);
    if (count === 0) continue;
    assert.match(JSON.stringify(tunnels), new RegExp(url));
    const keys = ["session", "backend", "cloudflared_pid", "last_sync_ok"];
    for (const key of keys) assert.ok(key in tunnels[0]!, key);
  }
}

async function stopped({ project, url }: World): Promise<void> {
  const answer = await project.ok(["stop", "web"]);
  assert.deepEqual(answer["warnings"], [
    `"web" is no longer public at ${url}`,
  ]);
  await project.whenEvent("tunnel_closed", "web");
  await project.fails("E743", ["url", "web", "--public"]);
  assert.equal(JSON.stringify(await project.status()).includes(url), false);
}
